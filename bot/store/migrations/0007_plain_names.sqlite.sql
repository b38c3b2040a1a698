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
ALTER TABLE steps_by_kind RENAME TO steps;
