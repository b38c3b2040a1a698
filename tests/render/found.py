"""What Telegram links by itself, by TDLib's own code: what was meant, and what was not."""

from __future__ import annotations

from tests.render import judges
from tests.render.judges import Json


def found(text: str) -> list[Json]:
    """Everything that Telegram makes an entity of in a text."""
    entities: list[Json] = judges.tdlib({"@type": "getTextEntities", "text": text})["entities"]
    return entities


def linked_by_telegram(text: str, entities: list[Json]) -> list[str]:
    """The addresses that Telegram links by itself outside of our code and links."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in entities
        if entity["type"] in ("code", "pre", "text_link")
    ]
    linked = []
    for entity in found(text):
        start, end = entity["offset"], entity["offset"] + entity["length"]
        kind = entity["type"]["@type"].removeprefix("textEntityType")
        if kind in ("Url", "EmailAddress") and not any(start < high and low < end for low, high in taken):
            shown = judges.part_of(text, start, end - start)
            linked.append(f"mailto:{shown}" if kind == "EmailAddress" else shown)
    return linked


def unmeant_links(part: Json) -> list[str]:
    """What Telegram links by itself although nobody meant it. What was meant is a link of ours, but for mail addresses.

    A time leads into a video that was replied to, numbers can be copied: nobody's door.
    """
    harmless = ("EmailAddress", "MediaTimestamp", "PhoneNumber", "BankCardNumber")
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in part["entities"]
        if entity["type"] in ("code", "pre", "text_link")
    ]
    return [
        judges.part_of(part["text"], entity["offset"], entity["length"])
        for entity in found(part["text"])
        if entity["type"]["@type"].removeprefix("textEntityType") not in harmless
        and not any(entity["offset"] < end and start < entity["offset"] + entity["length"] for start, end in taken)
    ]
