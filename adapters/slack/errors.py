"""What an error of a call means for us: one table of Slack's codes, one function.

Codes are those that docs.slack.dev lists under "Errors" on the page of each method we call. A code that is not in the
table is a refusal: Slack answered, so nothing was done, and asking again in the same words will not help.
"""

from __future__ import annotations

import ssl
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.shared import not_connected, seconds_asked

LATER: Final = frozenset(
    {"ratelimited", "rate_limited", "message_limit_exceeded", "service_unavailable", "request_timeout"}
    | {"team_added_to_org", "external_channel_migrating"}
)
"""Certainly not done; the same call may succeed later."""

UNKNOWN: Final = frozenset({"internal_error", "fatal_error", "duplicate_message"})
"""Slack says itself that part of the work may have been done; `duplicate_message`, that all of it was."""

GONE: Final = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "user_not_found", "user_disabled", "cannot_dm_bot"}
    | {"messages_tab_disabled", "restricted_action_read_only_channel", "restricted_action"}
    | {"user_not_visible", "users_not_found"}
)
"""The conversation is out of reach until something there changes."""

SETTINGS: Final = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
    | {"not_allowed_token_type", "no_permission", "org_login_required", "enterprise_is_restricted"}
    | {"ekm_access_denied", "access_denied", "accesslimited", "two_factor_setup_required", "team_not_found"}
    | {"team_access_not_granted", "app_not_installed", "invalid_app", "metadata_must_be_sent_from_app"}
    | {"deprecated_endpoint", "method_deprecated", "socket_mode_not_enabled", "forbidden_team"}
)
"""Only an operator can mend it."""

REFUSED: Final = frozenset(
    {"as_user_not_supported", "cannot_reply_to_message", "duplicate_channel_not_found", "metadata_too_large"}
    | {"duplicate_message_not_found", "invalid_metadata_format", "invalid_metadata_schema"}
    | {"restricted_action_non_threadable_channel", "restricted_action_thread_only_channel"}
    | {"slack_connect_canvas_sharing_blocked", "slack_connect_file_link_sharing_blocked"}
    | {"slack_connect_lists_sharing_blocked", "too_many_contact_cards"}
    | {"invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data"}
    | {"invalid_post_type", "missing_post_type", "invalid_json", "json_not_object", "missing_argument"}
    | {"message_not_found", "thread_not_found", "invalid_thread_ts", "cant_delete_message", "bad_timestamp"}
    | {"already_reacted", "no_reaction", "too_many_reactions", "too_many_emoji", "not_reactable", "invalid_name"}
    | {"no_item_specified", "invalid_trigger_id", "expired_trigger_id", "trigger_expired", "exchanged_trigger_id"}
    | {"view_too_large", "hash_conflict", "not_found", "duplicate_external_id", "push_limit_reached", "invalid_ts"}
    | {"invalid_cursor", "invalid_limit", "invalid_ts_latest", "invalid_ts_oldest", "invalid_manifest"}
    | {"unknown_method", "method_not_supported_for_channel_type", "channel_type_not_supported", "not_enabled"}
    | {
        "restricted_action_thread_locked",
        "invalid_users",
        "not_an_agent",
        "invalid_app_id",
        "compliance_exports_prevent_deletion",
        "file_not_found",
        "file_deleted",
    }
)
"""Slack understood and will refuse the same again."""

FORM: Final = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch", "msg_too_long", "no_text"}
    | {"invalid_attachments", "too_many_attachments", "attachment_payload_limit_exceeded", "markdown_text_conflict"}
    | {"invalid_arguments"}
)
"""Refusals of a message's form alone. `invalid_arguments` too: Slack names blocks it cannot read so, with a pointer
into them."""

RETRY_AFTER: Final = 30.0
"""Seconds to wait when Slack limits without saying for how long; it always says (docs.slack.dev, "Rate limits"), so
this is for an answer that lost its headers on the way, and our choice."""

NOT_TOLD: Final = frozenset({"missing_scope", "no_permission", "access_denied"})
"""Reasons why a token may not ask about people; a wrong token has others."""


def translate(error: Exception, *, method: str) -> BotError:
    """Make our error of anything that a call of a method raised, through the SDK or below it."""
    if isinstance(error, SlackApiError):
        return _from_answer(error, method)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | ssl.SSLError):
        # Refused, no such name, bad certificate, no connection in time: nothing has been written.
        why = not_connected(error)
        return Unavailable(f"Slack could not be reached for {method} ({why}); it is tried again.", reason="connection")
    if isinstance(error, TimeoutError):
        return OutcomeUnknown(f"Slack did not answer {method} in time.", reason="timeout")
    if isinstance(error, aiohttp.InvalidURL):
        return Misconfigured("SLACK_API_URL is not an address that can be called; correct it.", reason="url")
    if isinstance(error, aiohttp.ClientError | OSError):
        return OutcomeUnknown(f"The connection to Slack was cut during {method}.", reason="connection")
    if isinstance(error, SlackClientError):
        return Rejected(f"Slack's library refused {method} ({type(error).__name__}).", reason="sdk")
    return OutcomeUnknown(f"Slack answered {method} in a way that cannot be read.", reason="garbage")


def _from_answer(error: SlackApiError, method: str) -> BotError:
    response = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    headers = getattr(response, "headers", None) or {}
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code:
        return _from_code(code or "ratelimited", method, status, retry_after_of(headers))
    if status is not None and 300 <= status < 400:
        return Misconfigured(
            f"Slack's address redirects {method}; correct SLACK_API_URL.", status=status, reason="redirect"
        )
    if status == 503:
        return Unavailable(
            f"Slack is not available for {method}; it is tried again.", status=503, reason="server_error"
        )
    return OutcomeUnknown(f"Slack answered {method} in a way that cannot be read.", status=status, reason="garbage")


def _from_code(code: str, method: str, status: int | None, retry_after: float | None) -> BotError:
    """Make our error of what Slack answered."""
    if code in LATER or status == 429:
        limited = status == 429 or "limit" in code
        wait = retry_after if retry_after is not None else RETRY_AFTER if limited else None
        reason = "rate_limited" if limited else "server_error"
        return Unavailable(
            f"Slack did not take {method} now ({code}); it is tried again.",
            status=status,
            reason=reason,
            retry_after=wait,
        )
    if code in UNKNOWN:
        return OutcomeUnknown(f"Slack did not say whether {method} was done ({code}).", status=status, reason=code)
    if code in SETTINGS:
        return Misconfigured(
            f"Slack refused {method} ({code}); check {_token_of(method)}, its scopes and the app's installation.",
            status=status,
            reason=code,
        )
    return Rejected(
        f"Slack refused {method} ({code}).",
        status=status,
        reason=code or "rejected",
        gone=code in GONE,
        form=code in FORM,
    )


def _token_of(method: str) -> str:
    """Name the setting whose token the method is called with."""
    if method == "apps.connections.open":
        return "SLACK_APP_TOKEN"
    return "SLACK_CONFIG_TOKEN" if method.startswith("apps.manifest.") else "SLACK_BOT_TOKEN"


def retry_after_of(headers: object) -> float | None:
    """Read Retry-After; Slack writes whole seconds."""
    get = getattr(headers, "get", lambda _name: None)
    return seconds_asked(get("Retry-After") or get("retry-after"))
