CREATE INDEX turns_worded ON turns (accepted_at) WHERE text IS NOT NULL;
CREATE INDEX comments_worded ON comments (at) WHERE text IS NOT NULL;
CREATE INDEX comments_user ON comments (user_id);
CREATE INDEX votes_user ON votes (user_id);
CREATE INDEX clicks_user ON clicks (user_id);
CREATE INDEX epochs_scope ON epochs (channel, account, scope);
CREATE INDEX dead_at ON dead (at);
CREATE INDEX feedback_changed ON feedback (changed_at);
