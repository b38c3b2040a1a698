CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE events (                     -- dedupe: every event that was accepted
    channel TEXT NOT NULL, account TEXT NOT NULL, event_id TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, account, event_id)) WITHOUT ROWID;
CREATE INDEX events_at ON events (at);

CREATE TABLE aliases (                    -- another name of a conversation or thread → the first one known
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, thread TEXT NOT NULL,
    first_conversation TEXT NOT NULL, first_thread TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, account, conversation, thread));
CREATE INDEX aliases_first ON aliases (channel, account, first_conversation, first_thread, at);

CREATE TABLE epochs (                     -- how often a conversation has begun anew
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, scope TEXT NOT NULL,
    epoch INTEGER NOT NULL, last_at REAL NOT NULL,
    PRIMARY KEY (channel, account, conversation, scope));

CREATE TABLE resting (                    -- out of reach until somebody writes there again
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, account, conversation));

CREATE TABLE said (                       -- what was said lately and must not be said again too soon
    key TEXT PRIMARY KEY, at REAL NOT NULL);

CREATE TABLE turns (                      -- kind: question, notice (something to say), close (of a session)
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, lane TEXT NOT NULL,
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, thread TEXT NOT NULL,
    place TEXT NOT NULL, question TEXT, root INTEGER NOT NULL DEFAULT 0, asker TEXT, text TEXT,
    say TEXT, about INTEGER, reply_to TEXT,
    scope TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0, route TEXT NOT NULL DEFAULT '', language TEXT,
    sent_at REAL NOT NULL, accepted_at REAL NOT NULL, began_at REAL,
    state TEXT NOT NULL DEFAULT 'open', outcome TEXT, reason TEXT, finished_at REAL,
    version INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0, intent INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0, cleanup INTEGER NOT NULL DEFAULT 0,
    request_id TEXT, polls INTEGER NOT NULL DEFAULT 0, why_asked INTEGER NOT NULL DEFAULT 0);
CREATE INDEX turns_open ON turns (lane, sent_at, id) WHERE state = 'open';
CREATE INDEX turns_cleanup ON turns (id) WHERE cleanup = 1;
CREATE INDEX turns_lane ON turns (lane, id);
CREATE UNIQUE INDEX turns_question ON turns (channel, account, conversation, question)
    WHERE question IS NOT NULL AND kind = 'question';
CREATE INDEX turns_place ON turns (channel, account, conversation, thread, asker);
CREATE INDEX turns_asker ON turns (channel, account, asker, accepted_at);
CREATE INDEX turns_accepted ON turns (accepted_at);

CREATE TABLE steps (                      -- begun without done: the outcome is unknown
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, name TEXT NOT NULL,
    begun_at REAL, done_at REAL, unknowns INTEGER NOT NULL DEFAULT 0, result TEXT,
    PRIMARY KEY (turn, name)) WITHOUT ROWID;

CREATE TABLE receipts (                   -- what we sent: which turn does a message of ours belong to
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, message TEXT NOT NULL,
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, kind TEXT NOT NULL, part INTEGER NOT NULL,
    at REAL NOT NULL, place TEXT NOT NULL,
    PRIMARY KEY (channel, account, conversation, message)) WITHOUT ROWID;
CREATE INDEX receipts_turn ON receipts (turn, kind, part);

CREATE TABLE early (                      -- reactions that may have overtaken their answer
    channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, message TEXT NOT NULL,
    event_id TEXT NOT NULL, user TEXT NOT NULL, emoji TEXT NOT NULL, added INTEGER NOT NULL,
    button INTEGER NOT NULL, sent_at REAL NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, account, conversation, message, event_id));
CREATE INDEX early_at ON early (at);

CREATE TABLE votes (                      -- one emoji of one person on one part; removed ones stay as tombstones
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, message TEXT NOT NULL, user TEXT NOT NULL,
    emoji TEXT NOT NULL, present INTEGER NOT NULL, replaced INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL,
    PRIMARY KEY (turn, message, user, emoji)) WITHOUT ROWID;

CREATE TABLE clicks (
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, user TEXT NOT NULL, rating TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (turn, user)) WITHOUT ROWID;

CREATE TABLE feedback (                   -- rating: our truth · submitted: the last one the API was sent
    turn INTEGER PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE, rating TEXT, submitted TEXT, attempt TEXT,
    outcome TEXT, first_change_at REAL, due_at REAL, marked TEXT, mark_due INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX feedback_due ON feedback (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX feedback_mark ON feedback (mark_due) WHERE mark_due = 1;

CREATE TABLE comments (
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, user TEXT NOT NULL, text TEXT, at REAL NOT NULL,
    event_id TEXT NOT NULL, PRIMARY KEY (turn, event_id));

CREATE TABLE dead (
    reference TEXT PRIMARY KEY, turn INTEGER, channel TEXT NOT NULL, account TEXT NOT NULL, session_id TEXT,
    kind TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL, raw BLOB, digest TEXT);
CREATE UNIQUE INDEX dead_digest ON dead (digest) WHERE digest IS NOT NULL;

CREATE TABLE vault (name TEXT PRIMARY KEY, value TEXT NOT NULL);;
