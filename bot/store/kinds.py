"""Every word that a column holds out of a fixed set. A new one is added here first, and mypy shows where it is met."""

from __future__ import annotations

from typing import Literal, TypeAlias

from bot.events import NoticeKind

TurnKind: TypeAlias = Literal["question", "notice", "close"]
"""`question`: from a question to its answer · `notice`: something to say · `close`: the end of a session at the API."""

Outcome: TypeAlias = Literal["answered", "failed", "refused", "cancelled", "superseded", "limited", "closed"]
"""How a turn ended. `refused` and `limited` questions never became a turn; `superseded` counts an edited question's
submits whose answers nobody waits for any more; `closed` is the end of a session."""

MessageKind: TypeAlias = Literal["answer", "root"] | NoticeKind
"""What a message of ours is: a part of an answer, the root of an /ask's thread, or a notice."""

LetterKind: TypeAlias = Literal["turn", "delivery", "notice", "close", "feedback", "payload"]
"""What a dead letter keeps: a question without an answer, an answer that was not delivered, and so on; `payload`: raw
bytes that could not be understood."""

FeedbackOutcome: TypeAlias = Literal["submitted", "already_rated", "retracted", "failed"]
"""What became of a rating. `already_rated`: the API kept the one it had before."""

StepKind: TypeAlias = (
    Literal["root", "context", "submit", "poll", "intent", "send", "verdict", "close", "progress"] | NoticeKind
)
"""What a step of a turn does. A notice is sent by a step of its own kind."""
