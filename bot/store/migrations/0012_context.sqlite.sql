ALTER TABLE turns ADD COLUMN context TEXT;
ALTER TABLE early_changes ADD COLUMN context TEXT;
CREATE INDEX turns_context ON turns (channel, account) WHERE context IS NOT NULL;
CREATE INDEX steps_context ON steps (turn) WHERE kind = 'context';
