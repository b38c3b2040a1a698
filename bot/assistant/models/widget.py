"""How a site presents itself. The names are camelCase, as in the documentation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bot.assistant.models.base import Body, Language, ReplyBody


def _whole(value: object) -> object:
    """JSON knows one kind of number: 5.0 is a whole one, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class WidgetPatch(Body):
    """What changes; what is not named stays."""

    displayName: Annotated[str, Field(max_length=100)] | None = None
    initialMessage: Annotated[str, Field(max_length=2000)] | None = None
    suggestedQuestion1: Annotated[str, Field(max_length=300)] | None = None
    suggestedQuestion2: Annotated[str, Field(max_length=300)] | None = None
    suggestedQuestion3: Annotated[str, Field(max_length=300)] | None = None
    footer: Annotated[str, Field(max_length=500)] | None = None
    collectUserFeedback: bool | None = None
    dailyUserMessageLimit: Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_whole)] | None = None
    responseLanguageMode: Literal["auto", "forced"] | None = None
    defaultLanguage: Language | None = None
    agentRolePreset: Literal["customer_support", "sales_presales", "documentation_technical", "general_ai"] | None = (
        None
    )
    agentCustomPrompt: Annotated[str, Field(max_length=10_000)] | None = None
    defaultModel: Annotated[str, Field(max_length=100)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    theme: Literal["light", "dark", "system"] | None = None
    profilePictureUrl: Annotated[str, Field(max_length=2000)] | None = None
    chatBubbleIconUrl: Annotated[str, Field(max_length=2000)] | None = None
    primaryColor: Annotated[str, Field(max_length=32)] | None = None
    iconColor: Annotated[str, Field(max_length=32)] | None = None
    bubblePosition: Literal["left", "right"] | None = None


class WidgetReply(ReplyBody):
    """How the site presents itself."""

    displayName: str
    initialMessage: str
    suggestedQuestion1: str
    suggestedQuestion2: str
    suggestedQuestion3: str
    footer: str
    collectUserFeedback: bool
    dailyUserMessageLimit: int
    responseLanguageMode: Literal["auto", "forced"]
    defaultLanguage: str
    agentRolePreset: str
    agentCustomPrompt: str
    defaultModel: str
    temperature: float
    theme: str
    profilePictureUrl: str
    chatBubbleIconUrl: str
    primaryColor: str
    iconColor: str
    bubblePosition: str


WIDGET_DEFAULTS: dict[str, Any] = {
    "displayName": "Assistant",
    "initialMessage": "Hello! Ask me anything about our documents.",
    "suggestedQuestion1": "",
    "suggestedQuestion2": "",
    "suggestedQuestion3": "",
    "footer": "",
    "collectUserFeedback": True,
    "dailyUserMessageLimit": 0,
    "responseLanguageMode": "auto",
    "defaultLanguage": "en",
    "agentRolePreset": "customer_support",
    "agentCustomPrompt": "",
    "defaultModel": "embedded",
    "temperature": 0.0,
    "theme": "system",
    "profilePictureUrl": "",
    "chatBubbleIconUrl": "",
    "primaryColor": "#2f6fed",
    "iconColor": "#ffffff",
    "bubblePosition": "right",
}
