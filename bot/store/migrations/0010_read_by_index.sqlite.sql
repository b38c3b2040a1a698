-- Read by what is open, by a person's own votes, by a message: else the whole history would be. `state` stands in
-- the indexes of open turns too, so that they are taken rather than those of all turns.
DROP INDEX turns_open;
CREATE INDEX turns_open ON turns (lane, state, sent_at, id) WHERE state = 'open';
CREATE INDEX turns_open_in ON turns (channel, account, conversation, state) WHERE state = 'open';
DROP INDEX turns_question;
CREATE INDEX turns_question ON turns (channel, account, asked_in, question) WHERE question IS NOT NULL;

CREATE TABLE votes_by_person (            -- one emoji of one person on one part; removed ones stay as tombstones
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, user_id TEXT NOT NULL, message TEXT NOT NULL,
    emoji TEXT NOT NULL, present INTEGER NOT NULL, at REAL NOT NULL, added_at REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (turn, user_id, message, emoji)) WITHOUT ROWID;
INSERT INTO votes_by_person (turn, user_id, message, emoji, present, at, added_at)
    SELECT turn, user_id, message, emoji, present, at, added_at FROM votes;
DROP TABLE votes;
ALTER TABLE votes_by_person RENAME TO votes;
CREATE INDEX votes_user ON votes (user_id);

CREATE TABLE tallies (                    -- votes on an answer by these rules; without a row they are counted
    turn INTEGER PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE, good INTEGER NOT NULL, bad INTEGER NOT NULL,
    rules TEXT NOT NULL);
