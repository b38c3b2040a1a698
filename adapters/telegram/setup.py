"""Telling Telegram how it shall deliver: over a webhook or by polling, one of the two."""

from __future__ import annotations

import hashlib
import logging
from typing import Final

from telegram import WebhookInfo

from adapters.telegram.client import ALLOWED_UPDATES, Client
from adapters.telegram.config import TelegramSettings
from adapters.telegram.ids import CHANNEL_NAME
from bot.adapter import Host
from bot.errors import BotError, Misconfigured, Rejected

log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 40
"""Calls of the webhook at once: Telegram's default, of 1 to 100. This, the ports and the addresses that are allowed:
https://core.telegram.org/bots/api#setwebhook"""


async def webhook_info(client: Client) -> WebhookInfo:
    """Ask what Telegram knows of our webhook."""
    async with client.call("getWebhookInfo") as bot:
        return await bot.get_webhook_info()


async def prepare_polling(client: Client) -> None:
    """Remove a webhook if there is one; what waits at Telegram stays there for us."""
    if (await webhook_info(client)).url:
        async with client.call("deleteWebhook") as bot:
            await bot.delete_webhook(drop_pending_updates=False)


async def prepare_webhook(client: Client, host: Host, settings: TelegramSettings) -> None:
    """Set the webhook if its address, its updates or its secret differ.

    One process at a time: Telegram takes one setWebhook a second (telegram-bot-api, Client.cpp), and replicas start
    together.

    Raises:
        Misconfigured: Telegram refuses the address.
    """
    url = settings.webhook_url or ""
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    # Telegram does not tell the secret it has. A hash of the one we set last says whether it is still the same.
    digest = hashlib.sha256(f"{url}\n{secret}".encode()).hexdigest()
    name = f"{CHANNEL_NAME}:{client.account_id}:webhook"
    async with host.lease(f"{name}:set"):
        info = await webhook_info(client)
        same = info.url == url and set(info.allowed_updates) == set(ALLOWED_UPDATES)
        if same and await _last(host, name) == digest:
            return
        try:
            async with client.call("setWebhook") as bot:
                await bot.set_webhook(
                    url=url,
                    secret_token=secret,
                    allowed_updates=ALLOWED_UPDATES,
                    max_connections=MAX_CONNECTIONS,
                    drop_pending_updates=False,
                )
        except Rejected as error:
            raise Misconfigured(
                "Telegram refused the address in TELEGRAM_WEBHOOK_URL; put an https address there whose name is "
                "public, on port 443, 80, 88 or 8443.",
                status=error.status,
                reason="webhook",
            ) from error
        try:
            await host.vault.put(name, digest)
        except Misconfigured:
            log.debug("without BOT_ENCRYPTION_KEY the webhook is set anew at each start")


async def _last(host: Host, name: str) -> str | None:
    try:
        return await host.vault.get(name)
    except BotError:
        return None
