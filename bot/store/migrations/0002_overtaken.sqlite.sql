CREATE TABLE overtaken (                  -- an edit or (without text) a deletion that came before its message
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, message TEXT NOT NULL,
    text TEXT, sent_at REAL NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, account, conversation, message)) WITHOUT ROWID;
CREATE INDEX overtaken_at ON overtaken (at);

ALTER TABLE turns ADD COLUMN edited_at REAL;
ALTER TABLE votes ADD COLUMN added_at REAL NOT NULL DEFAULT 0;
-- What a click has not replaced counts beside it.
UPDATE votes SET added_at=at WHERE present=1 AND replaced=0;
ALTER TABLE votes DROP COLUMN replaced;
