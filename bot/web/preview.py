"""The preview page of the demo: one answer as every channel would show it, side by side, without a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

MAX_MARKDOWN: Final = 40_000
"""Characters that the form sends: more than the answers people compare, less than holds the page up."""

SAMPLE: Final = """\
# Resetting a password

Follow **these steps**, it takes *two minutes*:

1. Open [the login page](https://example.org/login?next=/account).
2. Click `Forgot password?`
   - with single sign-on, ask your admin
   - else look into your mailbox
3. Choose a new one. ~~At least 8~~ At least **12** characters.

> The link works only once.

```bash
curl -s https://api.example.org/v1/reset \\
  -d '{"email": "jane@example.org"}' | jq '.status'
```

| Code | Meaning | What to do |
|-----:|:--------|:-----------|
| 401 | wrong key | make a new one |
| 429 | too many tries | wait 15 minutes |

- [x] nobody is pinged: <!channel> <@U123> @durov /start
- [x] nothing runs: [click me](javascript:alert(1))
- [ ] nothing hides: [https://bank.example](https://evil.example/login)
"""
"""An answer with everything in it, for a first look."""

_STYLE: Final = """
:root{color-scheme:light dark;--paper:#f3f1ec;--card:#fff;--ink:#1c1e1f;--soft:#63686a;--line:#dfdbd2;--link:#0b5fad;
--code:#f1eee8;--bar:#c9c4b8;--accent:#146a5c;--on-accent:#fff;--tg:#dcecd8;--tg-page:#c9d9c0;--tg-ink:#16210f}
@media(prefers-color-scheme:dark){:root{--paper:#131516;--card:#1c1f21;--ink:#e8e9e6;--soft:#9da3a4;--line:#303538;
--link:#7db8f0;--code:#272b2e;--bar:#4c5357;--accent:#5fc9b4;--on-accent:#062019;--tg:#2b4a3c;--tg-page:#18211c;
--tg-ink:#eaf2ea}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:112rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}
h1{font-size:1.35rem;margin:0 0 .25rem;letter-spacing:-.01em}
main>p{margin:0 0 1rem;color:var(--soft);max-width:46rem}
form{display:grid;gap:.6rem;justify-items:start;margin-bottom:1.75rem}
textarea{width:100%;min-height:9rem;padding:.75rem;border:1px solid var(--line);border-radius:.6rem;
background:var(--card);
color:inherit;font:13px/1.5 ui-monospace,monospace;resize:vertical}
form button{border:0;border-radius:.6rem;padding:.55rem 1.2rem;background:var(--accent);color:var(--on-accent);
font:inherit;
font-weight:600;cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(21rem,100%),1fr));gap:1.25rem;align-items:start}
.column{min-width:0}
.column>h2{font-size:.95rem;margin:0 0 .5rem}
.message{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.9rem 1rem;
margin-bottom:.75rem}
.message>:first-child{margin-top:0}.message>:last-child{margin-bottom:0}
.message p,.message ul,.message ol,.message pre,.message table,.message blockquote{margin:.55rem 0}
.message h1,.message h2,.message h3,.message h4,.message h5,.message h6{font-size:1.05rem;line-height:1.3;
margin:.9rem 0 .4rem}
.message ul,.message ol{padding-left:1.5rem}
.message .bare,.message .task,.message .indent{list-style:none}.message .task{margin-left:-1.2rem}
.message div.indent{padding-left:1.1rem;margin:0}
.message .text{white-space:pre-wrap}
.message a{color:var(--link)}
.message code,.message pre{font:.86em/1.45 ui-monospace,monospace;background:var(--code);border-radius:.3rem}
.message code{padding:.1em .3em}.message pre code{padding:0;background:none;font-size:1em}
.message pre{padding:.6rem .75rem;overflow-x:auto;white-space:pre;overflow-wrap:normal}
.message blockquote{padding-left:.75rem;border-left:3px solid var(--bar);margin-left:0;margin-right:0}
.message hr{border:0;border-top:1px solid var(--line)}
.message table{display:block;width:fit-content;max-width:100%;overflow-x:auto;border-collapse:collapse;
overflow-wrap:normal}
.message th,.message td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
.message .right{text-align:right}.message .center{text-align:center}
.message footer{margin-top:.7rem;display:flex;gap:.4rem}
.button{border:1px solid var(--line);border-radius:1rem;padding:.05rem .7rem;background:var(--card)}
.telegram{background:var(--tg-page);border-radius:.9rem;padding:.75rem}
.telegram>h2{color:var(--tg-ink)}
.telegram .message{background:var(--tg);color:var(--tg-ink);border:0;border-radius:1rem 1rem 1rem .25rem;
margin-bottom:.5rem}
.telegram .message pre,.telegram .message code{background:rgb(127 127 127/20%)}
.telegram .message pre{margin:0}.telegram .message blockquote{margin:0}
.message .plain{margin:0;padding:0;background:none;white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
""".strip()
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PREVIEW_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The Content-Security-Policy to serve the page with."""


def preview_page(columns: Mapping[str, str], markdown: str) -> str:
    """Render the page. `columns`: name of a channel → safe HTML of what it would show, in the order to be shown.

    The form posts the field `markdown` to the same address: an address of a page would be too short for it.
    """
    shown = "".join(_column(name, html) for name, html in columns.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>One answer, every channel</title><style>{_STYLE}</style></head><body><main>"
        "<h1>One answer, every channel</h1>"
        "<p>The same Markdown, as each channel would show it: made from exactly what would be sent.</p>"
        '<form method="post"><label for="markdown">An answer, as the assistant writes it</label>'
        f'<textarea id="markdown" name="markdown" maxlength="{MAX_MARKDOWN}" spellcheck="false">\n'
        f"{escape(markdown)}</textarea>"
        '<button type="submit">Show</button></form>'
        f'<div class="columns">{shown}</div></main></body></html>'
    )


def plain_column(text: str) -> str:
    """Plain text as a column of the page."""
    return f'<article class="message"><pre class="plain" tabindex="0">{escape(text)}</pre></article>'


def _column(name: str, html: str) -> str:
    kind = "".join(char for char in name.lower() if char.isalnum())
    return f'<section class="column {kind}"><h2>{escape(name)}</h2>{html}</section>'
