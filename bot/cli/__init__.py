"""The command line `uppzy-bot`: one small file per command group, imported only when its command is called."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import bot

if TYPE_CHECKING:
    from cyclopts import App

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("demo", "bot.cli.run:demo", "Try it: a page with a bot, no account and no network needed."),
    ("run", "bot.cli.run:run", "Run the bot with the settings in force, until it is stopped."),
    ("doctor", "bot.cli.doctor:doctor", "Check the API, the database and every channel, and say what to mend."),
    ("ask", "bot.cli.ask:ask", "Ask the assistant one question, without a channel."),
    ("docs", "bot.cli.docs:app", "Load and manage the documents that answers are made from."),
    ("sessions", "bot.cli.sessions:app", "Look at, close and forget conversations."),
    ("access", "bot.cli.access:app", "Invite people, and see who was invited."),
    ("vault", "bot.cli.vault:app", "Tokens that are stored encrypted."),
    ("stats", "bot.cli.figures:stats", "Show the API's statistics of the tenant and the site."),
    ("limits", "bot.cli.figures:limits", "Show the tenant's limits, and how much of them is used."),
    ("feedback", "bot.cli.feedback:app", "See how answers were rated."),
    ("dead", "bot.cli.dead:app", "See what could not go on, try it again or throw it away."),
    ("trace", "bot.cli.trace:trace", "Tell the story of one turn by its reference."),
    ("manifest", "bot.cli.manifest:app", "Make the app's registration at a channel."),
    ("config", "bot.cli.config:app", "See and check the settings."),
    ("migrate", "bot.cli.migrate:migrate", "Bring the database to this version, or move it."),
    ("completion", "bot.cli.run:completion", "Print the completion of commands and options for a shell."),
    ("assistant", "bot.cli.assistant:app", "Run the embedded assistant on its own."),
)
"""Name, where it is, and what `--help` says, so that help needs to import none of them."""


def make_app(called: str = "") -> App:
    """Make the command line; a command whose module is not installed is left out.

    `called` is the command that will be imported: its own words are its help, which say more than a line.
    """
    from cyclopts import App

    app = App(
        name="uppzy-bot",
        help="Brings an assistant behind the M2M chat API to Slack and Telegram.",
        version=bot.__version__,
        help_format="plaintext",
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
    )
    for number, (name, target, text) in enumerate(COMMANDS):
        if importlib.util.find_spec(target.partition(":")[0]) is not None:
            app.command(target, name=name, help=None if name == called else text, sort_key=number)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 wrong usage; an error is one plain sentence on stderr."""
    sys.exit(call(arguments))


def call(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    from cyclopts import CycloptsError

    from bot.cli.output import WrongUsage
    from bot.errors import BotError, ConfigError

    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = make_app(given[0] if given else "")(given)
    except CycloptsError as error:
        from bot.cli.output import usage

        return usage(error, given)
    except WrongUsage as error:
        print(str(error), file=sys.stderr)
        return 2
    except ConfigError as error:
        for name, expected in error.problems:
            print(f"{name}: {expected}", file=sys.stderr)
        print("The settings cannot be used; mend what is listed above.", file=sys.stderr)
        return 1
    except BotError as error:
        print(str(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; nothing is wrong. Python flushes stdout once more at exit.
        sys.stdout = None
        return 0
    except Exception:
        # A mistake of ours, so say where; its words may hold what a caller passed in.
        import traceback

        from bot.telemetry.logging import redacted

        print(redacted(traceback.format_exc()), file=sys.stderr)
        print("Something is wrong inside uppzy-bot; please report the lines above.", file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0
