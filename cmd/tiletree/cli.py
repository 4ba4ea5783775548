"""The command `tiletree`: parses, calls the library, and words what comes back. Errors become exit codes here.

A call imports the module of its own command, and no other: `verify` needs little, and may be called for every file.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

import tiles
from tiles.errors import AccessError, TilesError
from tiletree.options import ADDRESSES
from tiletree.saying import listen, say_options, saying
from tiletree.streams import standard_streams
from tiletree.ui import (
    EXIT_ACCESS,
    EXIT_BELOW_QUORUM,
    EXIT_FAULT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    TRACEBACK,
    Output,
    exit_code,
    own_fault,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_EPILOG = """\b
exit codes
  0  done, or verified
  1  verification failed
  2  the call is wrong
  3  something could not be reached or read
  4  a guard refused; nothing was changed
  5  committed, and not published yet: the next run finishes it
  6  published with fewer cosignatures than the policy needs
  7  another history than was seen before; the evidence is saved
  8  not in the log
  9  an alarm of `status`
 70  our own fault: please report it
130  interrupted, or not confirmed
"""


# who uses a command: docs/commands.md and docs/cli.md have the same groups, in the same order
GROUPS = {
    "publish": (
        "init",
        "add",
        "submit",
        "sequence",
        "sign",
        "attest",
        "upload",
        "staple",
        "revoke",
        "endorse",
        "disclose",
        "shim",
    ),
    "verify": (
        "verify",
        "search",
        "prove",
        "get",
        "info",
        "loginfo",
        "logproof",
        "audit",
        "monitor",
    ),
    "look after": (
        "status",
        "refresh",
        "admission",
        "index",
        "page",
        "serve",
        "import",
        "mirror",
        "move",
        "repair",
        "gc",
        "withhold",
        "freeze",
        "cost",
        "witness",
    ),
    "keys, and whom to trust": ("key", "policy", "trust-root"),
    "this program": ("completion",),
}

# commands that are not in the module of their name, or are called otherwise there
_ELSEWHERE = {
    "import": ("import_", "import_"),
    "loginfo": ("info", "loginfo"),
    "trust-root": ("trust_root", "trust_root"),
}
# the name of each command, the module of `tiletree.commands` that has it, and what it is called there
COMMANDS = {name: _ELSEWHERE.get(name, (name, name)) for group in GROUPS.values() for name in group}


_WHOLE = 1000  # characters, so that the first sentence of a command's help is not cut; the formatter wraps it


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands, group by group."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and what each does, group by group."""
        widest = max(map(len, COMMANDS))
        for group, names in GROUPS.items():
            found = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(group[0].upper() + group[1:]):
                lines = [(name.ljust(widest), one.get_short_help_str(_WHOLE)) for name, one in found if one is not None]
                formatter.write_dl(lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, whose module is imported now; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"tiletree.commands.{module}"), name)
        if ctx.resilient_parsing:  # a shell asks what could follow
            from tiletree.completing import complete_places

            complete_places(command)
        return saying(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a call. An error names those that are spelled alike."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # for calls that fail

            if not (alike := get_close_matches(args[0], COMMANDS)):
                raise
            text = f"{error.message.rstrip('.')}; did you mean {' or '.join(alike)}?"
            raise click.UsageError(text, ctx) from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what could follow: names of commands, none of which is imported, or options."""
        from tiletree.completing import names

        return [*names(GROUPS, incomplete), *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. click would exit 1 at a broken pipe; as output never breaks, it is some connection's."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise AccessError(f"{error.filename or 'a connection'}: {error.strerror}") from error


@click.group(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(tiles.__version__, prog_name="tiletree")
@say_options
def cli() -> None:
    """A transparency log that is nothing but files.

    \b
    A first log, with a file in it that anyone can verify:
      tiletree init ./log --origin log.example.com
      tiletree add ./log app-1.0.whl --proofs
      tiletree verify app-1.0.whl --vkey "$(tiletree key show ./log)"
      tiletree serve ./log

    LOG is a directory or a part of a bucket: s3://…, gs://…, az://…; for reading also https://…, or any URL of fsspec.

    --verbose, --quiet, --log-format and --color can stand before or after the command.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; nothing leaves as an exception."""
    arguments = sys.argv[1:] if arguments is None else arguments
    output = Output()
    listen(output, arguments)  # before click parses: a wrong call is answered as it asks for, too
    output.hidden.hide([*arguments, *(os.environ.get(name, "") for name in ADDRESSES)])
    began = time.monotonic()
    with standard_streams() as (standard_output, _):
        code = _run(arguments, output)
        output.finish(code, round(time.monotonic() - began, 3))
        lost = standard_output.trouble
        if code != EXIT_OK or lost is None or isinstance(lost, BrokenPipeError):
            return code  # a reader who closes the pipe has seen enough
        if output.is_answer:
            output.error("AccessError", f"standard output cannot be written: {lost.strerror}")
            return EXIT_ACCESS
        output.note(f"standard output cannot be written: {lost.strerror}; what was to be done is done")
        return code


def _run(arguments: list[str], output: Output) -> int:
    return guarded(lambda: cli.main(arguments, prog_name="tiletree", standalone_mode=False, obj=output), output)


def guarded(call: Callable[[], object], output: Output) -> int:
    """Make a call and return its exit code; an error is said, and does not leave as an exception."""
    try:
        code = call()
    except TilesError as error:
        output.error(type(error).__name__, error.message, error.hint)
        return exit_code(error)
    except click.exceptions.NoArgsIsHelpError as error:
        if output.log_lines:
            output.error("UsageError", "no command is named", "tiletree --help")
        else:
            click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path} --help" if context else "tiletree --help"
        output.error("UsageError", " ".join(error.format_message().split()).rstrip(".,"), hint)
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(error, output)
    except ModuleNotFoundError as error:  # of verify.pyz, which holds no compiled code, or of a broken installation
        output.error("UsageError", *_missing(str(error.name)))
        return EXIT_USAGE
    except OSError as error:
        output.error("AccessError", f"{error.filename or 'input or output'}: {error.strerror or error}")
        return EXIT_ACCESS
    except Exception as error:  # noqa: BLE001  whatever it is, nobody expected it, and it is not the user's trouble
        return _unexpected(error, output)
    if isinstance(code, int) and code != EXIT_OK:
        return code
    return EXIT_BELOW_QUORUM if output.below_quorum else EXIT_OK


def _missing(module: str) -> tuple[str, str]:
    """Return what to say of a module that is not there, and what to do."""
    if module.partition(".")[0] in ("tiles", "tiletree"):
        where = "verify.pyz asks no server, so it takes no URL and no --log"
        hint = "fetch the file and its proof first; or install the command: docs/start-here.md#install"
        return f"this needs {module}, which is not here: {where}", hint
    return f"this needs {module}, which is not installed here", f"pip install {module}"


def _interrupted(error: BaseException, output: Output) -> int:
    if isinstance(error, click.Abort) and not isinstance(error.__cause__, KeyboardInterrupt):
        if not output.log_lines:
            output.note("")  # the question stands there without an answer, or without a yes
        output.error("NotConfirmed", "not confirmed; nothing was done", "--yes answers without being asked")
    else:
        notes = getattr(error.__cause__ or error, "__notes__", [])  # of a command that knows how to go on
        output.error("Interrupted", "interrupted; what was committed stays, the next run finishes it", "; ".join(notes))
    return EXIT_INTERRUPTED


def _unexpected(error: Exception, output: Output) -> int:
    output.error("Unexpected", *own_fault(error))
    if os.environ.get(TRACEBACK):
        import traceback  # needed by calls that fail

        for line in "".join(traceback.format_exception(error)).splitlines():
            output.note(line)
    return EXIT_FAULT
