-- What the first versions stored of a submission did not say when the API had replied.
UPDATE steps SET result=json_set(result, '$.replied_at', json_extract(result, '$.at'))
    WHERE kind='submit' AND json_extract(result, '$.at') IS NOT NULL
    AND json_extract(result, '$.replied_at') IS NULL;
