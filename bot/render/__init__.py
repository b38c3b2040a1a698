"""Markdown from a language model → one parsed tree → what a channel can show. Pure: no I/O, no clock, no platform."""

from bot.render.blocks import Block, Code, Document, Marker, Place, Rule, Span, Spans, Table, Text, flat, units
from bot.render.html import to_html
from bot.render.parse import parse
from bot.render.split import Scale, Weight, split
from bot.render.text import is_blank, noted, plain

__all__ = [
    "Block",
    "Code",
    "Document",
    "Marker",
    "Place",
    "Rule",
    "Scale",
    "Span",
    "Spans",
    "Table",
    "Text",
    "Weight",
    "flat",
    "is_blank",
    "noted",
    "parse",
    "plain",
    "split",
    "to_html",
    "units",
]
