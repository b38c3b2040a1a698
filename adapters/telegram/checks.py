"""What `check` looks at: who the bot is, how it receives, what groups withhold from it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from telegram import User, WebhookInfo

from adapters.telegram.client import ALLOWED_UPDATES, Client
from adapters.telegram.config import TelegramSettings
from adapters.telegram.errors import short
from adapters.telegram.groups import Groups
from adapters.telegram.setup import webhook_info
from bot.adapter import Check
from bot.errors import BotError, Misconfigured
from bot.shared import way_to


async def check_account(client: Client, settings: TelegramSettings, groups: Groups) -> Sequence[Check]:
    """Look at the account; raises nothing. Groups and reactions are known as far as this process has seen any."""
    way = Check(check="telegram way", status="ok", detail=way_to(settings.api_url).words)
    try:
        async with client.open():
            async with client.call("getMe") as bot:
                me = await bot.get_me()
            info = await webhook_info(client)
    except Misconfigured as error:
        return [
            way,
            Check(
                check="telegram token",
                status="fail",
                detail=str(error),
                fix="Ask BotFather for the token (/token) and put it into TELEGRAM_BOT_TOKEN.",
            ),
        ]
    except BotError as error:
        return [
            way,
            Check(
                check="telegram token",
                status="fail",
                detail=str(error),
                fix="Look whether this machine reaches the address in TELEGRAM_API_URL, and that it is the Bot API.",
            ),
        ]
    return [
        way,
        Check(check="telegram token", status="ok", detail=f"@{me.username}, id {me.id}"),
        _receiving(info, settings),
        *_delivery(info, settings),
        _privacy(me),
        _groups(groups),
        _reactions(info, settings, groups),
    ]


def _receiving(info: WebhookInfo, settings: TelegramSettings) -> Check:
    name = "telegram receiving"
    if settings.webhook_url is None:
        if info.url:
            host = urlsplit(info.url).hostname
            return Check(
                check=name,
                status="warn",
                detail=f"Settings say long polling, but a webhook on {host} is set.",
                fix="Start the bot, which removes it; if it comes back, another program uses this token.",
            )
        return Check(check=name, status="ok", detail=f"long polling, {info.pending_update_count} updates waiting")
    if info.url != settings.webhook_url:
        return Check(
            check=name,
            status="warn",
            detail=f"Telegram calls {'another address' if info.url else 'none'}, not TELEGRAM_WEBHOOK_URL.",
            fix="Start the bot, which sets it; if it changes back, another program uses this token.",
        )
    return Check(check=name, status="ok", detail=f"webhook, {info.pending_update_count} updates waiting")


def _delivery(info: WebhookInfo, settings: TelegramSettings) -> list[Check]:
    if settings.webhook_url is None:
        return []
    name = "telegram delivery"
    if not info.last_error_message:
        return [Check(check=name, status="ok", detail="no error reported by Telegram")]
    at = f" at {info.last_error_date:%Y-%m-%d %H:%M} UTC" if info.last_error_date else ""
    return [
        Check(
            check=name,
            status="warn",
            detail=f"Telegram's last delivery failed{at}: {short(info.last_error_message)}",
            fix="Look that TELEGRAM_WEBHOOK_URL leads to POST /telegram/webhook of this bot, with a valid certificate, "
            "and that no proxy drops the secret header.",
        )
    ]


def _privacy(me: User) -> Check:
    if me.can_read_all_group_messages:
        detail = "off: in groups Telegram delivers every message"
    else:
        detail = "on: in groups Telegram delivers commands, mentions and replies to the bot; /ask always works"
    return Check(check="telegram privacy mode", status="ok", detail=detail)


def _groups(groups: Groups) -> Check:
    name = "telegram groups"
    without = groups.without_reactions()
    if without:
        return Check(
            check=name,
            status="warn",
            detail=f"The bot is no administrator in {', '.join(without)}: Telegram delivers no reactions from there.",
            fix="Make the bot an administrator of the group; it needs no right. Until then the buttons do the job.",
        )
    if groups.known == 0:
        detail = "none seen yet; the running bot's log warns of each group where it is no administrator"
        return Check(check=name, status="ok", detail=detail)
    return Check(check=name, status="ok", detail=f"{groups.known} seen since the start, no right is missing")


def _reactions(info: WebhookInfo, settings: TelegramSettings, groups: Groups) -> Check:
    name = "telegram reactions"
    if settings.webhook_url and info.url and not set(ALLOWED_UPDATES) <= set(info.allowed_updates):
        return Check(
            check=name,
            status="warn",
            detail="Telegram is not told to deliver reactions.",
            fix="Start the bot, which asks for them.",
        )
    if groups.reactions:
        return Check(check=name, status="ok", detail=f"{groups.reactions} arrived since the start")
    detail = "asked for; none has arrived here yet (in groups the bot must be an administrator)"
    return Check(check=name, status="ok", detail=detail)
