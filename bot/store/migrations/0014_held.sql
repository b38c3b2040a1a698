-- The rating that the API holds of an answer: it may keep the first one, whatever it is told afterwards.
ALTER TABLE feedback ADD COLUMN held TEXT;
UPDATE feedback SET held = submitted WHERE taken = 'submitted'
