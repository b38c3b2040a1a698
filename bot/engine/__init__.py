"""Who works on which lane: one worker at a time for each, many lanes at once."""
