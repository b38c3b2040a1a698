ALTER TABLE turns ADD COLUMN locale TEXT;
ALTER TABLE turns ADD COLUMN site TEXT NOT NULL DEFAULT '';

CREATE TABLE invitations ( -- code: its hash · account '': any of the channel
    code TEXT PRIMARY KEY, channel TEXT NOT NULL, account TEXT NOT NULL, expires_at REAL NOT NULL,
    uses INTEGER NOT NULL, made_at REAL NOT NULL);

CREATE TABLE invited ( -- people whom an invitation admitted
    channel TEXT NOT NULL, account TEXT NOT NULL, user_id TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, account, user_id));

CREATE TABLE guesses ( -- wrong codes that a person has sent lately
    channel TEXT NOT NULL, account TEXT NOT NULL, user_id TEXT NOT NULL, wrong INTEGER NOT NULL, since REAL NOT NULL,
    PRIMARY KEY (channel, account, user_id));
