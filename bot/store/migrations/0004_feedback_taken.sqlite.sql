ALTER TABLE feedback ADD COLUMN taken TEXT;
ALTER TABLE comments ADD COLUMN message TEXT;
CREATE INDEX comments_message ON comments (message) WHERE message IS NOT NULL;
