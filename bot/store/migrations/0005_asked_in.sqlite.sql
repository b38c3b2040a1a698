ALTER TABLE turns ADD COLUMN asked_in TEXT;
UPDATE turns SET asked_in=json_extract(place, '$.conversation_id');
DROP INDEX turns_question;
CREATE INDEX turns_question ON turns (channel, account, asked_in, question)
    WHERE question IS NOT NULL AND kind = 'question';
