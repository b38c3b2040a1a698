"""What all bodies and replies have in common, and the types of their fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["draft", "active"]
Rating = Literal["good", "bad"]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
SessionId = Annotated[str, Field(min_length=1, max_length=128)]
Title = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
Category = Annotated[str, Field(max_length=100)]
Question = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=500_000, pattern=r"\S")]


class Body(BaseModel):
    """A request's JSON body."""

    model_config = ConfigDict(strict=True, extra="ignore")


class ReplyBody(BaseModel):
    """A response's JSON body; a field that is None is left out unless its type says null."""

    model_config = ConfigDict(extra="forbid")


class ErrorReply(ReplyBody):
    """Every error: a short text or code."""

    error: str
