UPDATE turns SET place=json_remove(json_set(place, '$.kind', json_extract(place, '$.place')), '$.place')
    WHERE json_extract(place, '$.place') IS NOT NULL;
UPDATE receipts SET place=json_array(json_extract(place, '$[0]'), json_remove(json_set(
    json_extract(place, '$[1]'), '$.kind', json_extract(json_extract(place, '$[1]'), '$.place')), '$.place'))
    WHERE json_extract(json_extract(place, '$[1]'), '$.place') IS NOT NULL;
