ALTER TABLE turns ADD COLUMN number INTEGER;
ALTER TABLE turns ADD COLUMN ready_at REAL;
ALTER TABLE turns ADD COLUMN refusal TEXT;

CREATE TABLE question_parts (             -- the messages of a question that several make
    channel TEXT NOT NULL, account TEXT NOT NULL, asked_in TEXT NOT NULL, message TEXT NOT NULL,
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    text TEXT, glue TEXT NOT NULL, edited_at REAL, context TEXT,
    PRIMARY KEY (channel, account, asked_in, message)) WITHOUT ROWID;
CREATE INDEX question_parts_turn ON question_parts (turn, number);

CREATE TABLE joining (                    -- whose question may go on with the next message of that person
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, user_id TEXT NOT NULL,
    turn INTEGER REFERENCES turns (id) ON DELETE CASCADE, thread TEXT NOT NULL, number INTEGER NOT NULL,
    sent_at REAL NOT NULL, since REAL NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (channel, account, conversation, user_id)) WITHOUT ROWID;
CREATE INDEX joining_turn ON joining (turn);
CREATE INDEX joining_since ON joining (since);
