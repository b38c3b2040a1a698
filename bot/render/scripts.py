"""Scripts that put no blanks between words: where an address ends in them, and where emphasis begins."""

from __future__ import annotations

import re
from typing import Final

# Thai, Lao, Myanmar, Khmer, Han, kana, Hangul (whose particles follow a word at once), and the marks used with them.
LETTERS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3038-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
# The full-width punctuation of East Asia.
MARKS: Final = "\u3000-\u3004\u3008-\u3020\u3030\ufe30-\ufe4f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"

LETTER: Final = re.compile(f"[{LETTERS}]")
MARK: Final = re.compile(f"[{MARKS}]")
