"""Slack's names of emoji → Unicode; pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bot.shared import plain_emoji

NAMES: Final = {
    "+1": "👍",
    "thumbsup": "👍",
    "clap": "👏",
    "raised_hands": "🙌",
    "tada": "🎉",
    "100": "💯",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔",
    "heart": "❤",
    "fire": "🔥",
    "heart_eyes": "😍",
    "star-struck": "🤩",
    "grinning_face_with_star_eyes": "🤩",
    "smiling_face_with_3_hearts": "🥰",
    "smiling_face_with_three_hearts": "🥰",
    "ok_hand": "👌",
    "trophy": "🏆",
    "star": "⭐",
    "-1": "👎",
    "thumbsdown": "👎",
    "x": "❌",
    "rage": "😡",
    "angry": "😠",
    "face_with_symbols_on_mouth": "🤬",
    "serious_face_with_symbols_covering_mouth": "🤬",
    "hankey": "💩",
    "poop": "💩",
    "shit": "💩",
    "face_vomiting": "🤮",
    "face_with_open_mouth_vomiting": "🤮",
    "broken_heart": "💔",
    "eyes": "👀",
    "joy": "😂",
    "smile": "😄",
    "smiley": "😃",
    "grinning": "😀",
    "slightly_smiling_face": "🙂",
    "wink": "😉",
    "sob": "😭",
    "cry": "😢",
    "confused": "😕",
    "disappointed": "😞",
    "unamused": "😒",
    "thinking_face": "🤔",
    "partying_face": "🥳",
    "pray": "🙏",
    "muscle": "💪",
    "wave": "👋",
    "rotating_light": "🚨",
    "warning": "⚠",
    "no_entry": "⛔",
    "question": "❓",
    "exclamation": "❗",
    "heavy_plus_sign": "➕",
    "heavy_minus_sign": "➖",
    "bulb": "💡",
    "zap": "⚡",
    "boom": "💥",
    "sparkles": "✨",
    "star2": "🌟",
}
"""Names that differ from Unicode's own, those of the default feedback table among them; the others are looked up."""

SKIN_TONE: Final = re.compile(r"::skin-tone-[1-6]")


def to_unicode(name: str) -> str:
    """Return the emoji without skin tone and variation selector, or `:name:` for one that Unicode does not name.

    >>> to_unicode("+1::skin-tone-3"), to_unicode("rocket"), to_unicode("party-parrot")
    ('👍', '🚀', ':party-parrot:')
    """
    plain = SKIN_TONE.sub("", name.strip(":")).removesuffix("::")
    if (known := NAMES.get(plain)) is not None:
        return plain_emoji(known)
    try:
        emoji = unicodedata.lookup(plain.replace("_", " ").upper())
    except KeyError:
        return f":{plain}:"
    # A letter or a combining mark has a Unicode name too, but is nobody's emoji.
    return emoji if len(emoji) == 1 and unicodedata.category(emoji) == "So" else f":{plain}:"
