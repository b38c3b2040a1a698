"""The schema, as an ordered list of steps; a database knows how many it has seen (`PRAGMA user_version`).

Times are seconds since the epoch (REAL), the platform's for `sent_at`, our clock's otherwise. JSON is TEXT.
`conversation` and `thread` are the first ids known (see `aliases`); `sent_to` (JSON) holds the ids to send to.
"""

from __future__ import annotations

import sqlite3

from bot.errors import ConfigError

STEPS: tuple[str, ...] = (
    """
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

    CREATE TABLE vault (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
    """
    CREATE TABLE overtaken (                  -- an edit or (without text) a deletion that came before its message
        channel TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL, message TEXT NOT NULL,
        text TEXT, sent_at REAL NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (channel, account, conversation, message)) WITHOUT ROWID;
    CREATE INDEX overtaken_at ON overtaken (at);

    ALTER TABLE turns ADD COLUMN edited_at REAL;
    ALTER TABLE votes ADD COLUMN added_at REAL NOT NULL DEFAULT 0;
    ALTER TABLE votes DROP COLUMN replaced
    """,
    """
    ALTER TABLE overtaken ADD COLUMN user TEXT
    """,
    """
    ALTER TABLE feedback ADD COLUMN taken TEXT;
    ALTER TABLE comments ADD COLUMN message TEXT;
    CREATE INDEX comments_message ON comments (message) WHERE message IS NOT NULL
    """,
    """
    ALTER TABLE turns ADD COLUMN asked_in TEXT;
    UPDATE turns SET asked_in=json_extract(place, '$.conversation_id');
    DROP INDEX turns_question;
    CREATE INDEX turns_question ON turns (channel, account, asked_in, question)
        WHERE question IS NOT NULL AND kind = 'question'
    """,
    """
    UPDATE turns SET place=json_remove(json_set(place, '$.kind', json_extract(place, '$.place')), '$.place')
        WHERE json_extract(place, '$.place') IS NOT NULL;
    UPDATE receipts SET place=json_array(json_extract(place, '$[0]'), json_remove(json_set(
        json_extract(place, '$[1]'), '$.kind', json_extract(json_extract(place, '$[1]'), '$.place')), '$.place'))
        WHERE json_extract(json_extract(place, '$[1]'), '$.place') IS NOT NULL
    """,
    """
    ALTER TABLE resting RENAME TO unreachable;
    ALTER TABLE said RENAME TO cooldowns;
    ALTER TABLE early RENAME TO early_reactions;
    ALTER TABLE overtaken RENAME TO early_changes;
    ALTER TABLE early_reactions RENAME COLUMN user TO user_id;
    ALTER TABLE early_changes RENAME COLUMN user TO user_id;
    ALTER TABLE votes RENAME COLUMN user TO user_id;
    ALTER TABLE clicks RENAME COLUMN user TO user_id;
    ALTER TABLE comments RENAME COLUMN user TO user_id;

    ALTER TABLE turns RENAME COLUMN place TO sent_to;
    ALTER TABLE turns RENAME COLUMN say TO notice;
    UPDATE receipts SET place=json_extract(place, '$[1]');
    ALTER TABLE receipts RENAME COLUMN place TO sent_to;

    CREATE TABLE steps_by_kind (              -- begun without done: the outcome is unknown
        turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE, kind TEXT NOT NULL, number INTEGER NOT NULL,
        begun_at REAL, done_at REAL, unknowns INTEGER NOT NULL DEFAULT 0, result TEXT,
        PRIMARY KEY (turn, kind, number)) WITHOUT ROWID;
    INSERT INTO steps_by_kind SELECT turn,
        CASE instr(name, ':') WHEN 0 THEN name ELSE substr(name, 1, instr(name, ':') - 1) END,
        CASE instr(name, ':') WHEN 0 THEN 0 ELSE CAST(substr(name, instr(name, ':') + 1) AS INTEGER) END,
        begun_at, done_at, unknowns, result FROM steps;
    DROP TABLE steps;
    ALTER TABLE steps_by_kind RENAME TO steps
    """,
    """
    CREATE INDEX turns_worded ON turns (accepted_at) WHERE text IS NOT NULL;
    CREATE INDEX comments_worded ON comments (at) WHERE text IS NOT NULL;
    CREATE INDEX comments_user ON comments (user_id);
    CREATE INDEX votes_user ON votes (user_id);
    CREATE INDEX clicks_user ON clicks (user_id);
    CREATE INDEX epochs_scope ON epochs (channel, account, scope);
    CREATE INDEX dead_at ON dead (at);
    CREATE INDEX feedback_changed ON feedback (changed_at)
    """,
    # What the first versions stored of a submission did not say when the API had replied.
    """
    UPDATE steps SET result=json_set(result, '$.replied_at', json_extract(result, '$.at'))
        WHERE kind='submit' AND json_extract(result, '$.at') IS NOT NULL
        AND json_extract(result, '$.replied_at') IS NULL
    """,
    # Read by what is open, by a person's own votes, by a message: else the whole history would be. `state` stands in
    # the indexes of open turns too, so that they are taken rather than those of all turns.
    """
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
        rules TEXT NOT NULL)
    """,
    """
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
    CREATE INDEX joining_since ON joining (since)
    """,
    """
    ALTER TABLE turns ADD COLUMN context TEXT;
    ALTER TABLE early_changes ADD COLUMN context TEXT;
    CREATE INDEX turns_context ON turns (channel, account) WHERE context IS NOT NULL;
    CREATE INDEX steps_context ON steps (turn) WHERE kind = 'context'
    """,
)


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps the database has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether the database was written by an older version; a new one was written by none."""
    return 0 < version_of(connection) < len(STEPS)


def newer(version: int) -> ConfigError:
    """Say that a newer version wrote the database: what it means by its tables is not known here."""
    wanted = f"a database of this version; a newer one wrote it (schema {version}, here {len(STEPS)}): start that one"
    return ConfigError([("BOT_DATABASE_URL", wanted)])


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the schema up to date, each step in a transaction of its own; return the version reached.

    Two processes may start at once: the version is read again under the write lock. Raises `ConfigError` for a database
    of a newer version.
    """
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection)
            if version > len(STEPS):
                raise newer(version)
            if version == len(STEPS):
                connection.execute("COMMIT")
                return version
            for statement in STEPS[version].split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
