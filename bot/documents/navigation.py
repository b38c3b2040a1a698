"""What of a page is no text of it: scripts, menus, lists of links, permalinks, numbers of footnotes."""

from __future__ import annotations

import re
from typing import Any, Final


def names(words: str) -> frozenset[str]:
    """The names in a line of them: of elements, of classes."""
    return frozenset(words.split())


_SKIP: Final = names(
    "script style nav noscript template svg math head iframe object canvas select button textarea dialog"
)
"""Elements without text of the page. What a form asks is none either, unless it holds paragraphs."""
_ROLES: Final = names("navigation banner contentinfo search menu menubar directory")
_CLASSES: Final = names(
    "navheader navfooter navbar nav navigation related sphinxsidebar sidebar footer breadcrumb breadcrumbs menu"
    " headerlink permalink anchorjs-link skip-link sr-only visually-hidden pagination linenos linenodiv"
)
_CONTENTS: Final = names("toc toctree-wrapper contents tableofcontents table-of-contents indextable")
_NOTES: Final = names("footnote footnote-reference footnote-ref noteref")
"""What links to a footnote are called."""
_SIGNS: Final = re.compile(r"[\s¶§#🔗⚓*]*|\s*\[\d{1,3}\]\s*")
"""What a link within the page says that only leads there: a permalink, the number of a footnote."""
Element = Any
"""An element of lxml, which has no types."""


def is_unread(element: Element, tag: str) -> bool:
    """Whether an element is no text of the page."""
    if tag in _SKIP:
        return True
    if tag in ("header", "footer"):
        return not any(above.tag in ("main", "article", "section") for above in element.iterancestors())
    if tag == "form":
        return next(element.iter("p", "h1", "h2", "h3"), None) is None
    if not element.items():
        return False
    if element.get("role") in _ROLES or element.get("aria-hidden") == "true" or element.get("hidden") is not None:
        return True
    classes = (element.get("class") or "").lower().split()
    if not _CLASSES.isdisjoint(classes) or (tag == "a" and not _NOTES.isdisjoint(classes)):
        return True
    own = tag == "a" and (element.get("href") or "").startswith("#")
    return own and _SIGNS.fullmatch("".join(element.itertext())) is not None


def is_contents(element: Element) -> bool:
    """Whether an element is a list of links to elsewhere: by what it is called, or by consisting of links."""
    named = not _CONTENTS.isdisjoint((element.get("class") or "").lower().split()) or element.get("id") in _CONTENTS
    if not named and element.tag in ("div", "table"):
        return False
    links = sum(len("".join(link.itertext()).strip()) for link in element.iter("a"))
    count = sum(1 for _ in element.iter("a"))
    whole = len(" ".join("".join(element.itertext()).split()))
    return count > 1 and links >= whole * (0.5 if named else 0.85) and (named or count > 2)
