"""Options that several commands share, and the values they arrive as.

What belongs together reaches a command as one frozen value, such as `Writer`. `tiletree.opening` opens what they name,
and `tiletree.reading` has the options of commands that read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiles.errors import UsageError
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.signing.key_place import KeyPlace

    _ParamType = click.ParamType[KeyPlace]  # which older versions of click do not know at run time
else:
    _ParamType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.ASCII | re.IGNORECASE)  # also as a Path, which has one slash of two

KEY_PLACE = "TILETREE_KEY"  # the variable that says where the log's key is
KEY_TEXT = "TILETREE_PRIVATE_KEY"  # the variable that holds the key itself, for jobs that have no file of their own
ADDRESSES = (KEY_PLACE, "TILETREE_PRIVATE", "TILETREE_ANCHOR", "TILETREE_URL")  # variables that name places


def output(command: Command) -> Command:
    """Give a command the `Output` of its call, as its first argument; with --verbose, say what the call uses."""

    @wraps(command)
    def given(*arguments: Any, **options: Any) -> Any:
        context = click.get_current_context()
        out = context.ensure_object(Output)
        _check_paths(context)
        if not out.verbose:
            return context.invoke(command, out, *arguments, **options)
        from tiletree.environment import in_force

        for event, text in in_force(context):
            out.detail(event, text)
        with ExitStack() as stack:
            with suppress(ImportError):  # verify.pyz reads no logs
                from tiletree.traffic import said

                stack.enter_context(said(out))
            return context.invoke(command, out, *arguments, **options)

    return given  # type: ignore[return-value]


def _check_paths(context: click.Context) -> None:
    """Raise UsageError for an option that takes a path on this machine, and was given an address.

    `--state s3://bucket/x` would make the folder `s3:` here, and a job would lose it with its machine.
    """
    for option in context.command.params:
        value = context.params.get(option.name or "")
        if type(option.type) is not click.Path or not value:
            continue
        for path in map(os.fspath, value if isinstance(value, tuple) else (value,)):
            if _ADDRESS.match(path) and not os.path.lexists(path):
                raise UsageError(
                    f"{option.opts[-1]} is a path on this machine, and was given an address",
                    hint="copy what is there to and from a bucket with the store's own tools",
                )


log_argument = click.argument("log", metavar="LOG")


@dataclass(frozen=True)
class Writer:
    """How a call says where what writes to a log is. None: as at init, or by the log's name.

    key, private, anchor   where the log's key is, its private part, and where its signer keeps what it signed last
    policy, admission      files with what the log's policies have to be; None: whatever they are
    witness_timeout, wait_extra, fail_open   how the witnesses of the policy are asked
    """

    key: KeyPlace | None = None
    private: str | None = None
    anchor: str | None = None
    policy: Path | None = None
    admission: Path | None = None
    witness_timeout: float | None = None
    wait_extra: float | None = None
    fail_open: bool = False


def as_one(name: str, kind: Callable[..., Any], **options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command, and hands their values over as one.

    name      of the parameter that the command gets
    kind      what makes it; its parameters are named as the options are
    options   by the names of their parameters, in the order in which --help lists them
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def gathered(*arguments: Any, **given: Any) -> Any:
            value = kind(**{option: given.pop(option) for option in options})
            return command(*arguments, **{name: value}, **given)

        made: Callable[..., Any] = gathered
        for option in reversed(options.values()):
            made = option(made)
        return made

    return decorate


class _Place(_ParamType):
    """Where a key is kept: a file, or a key management service."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> KeyPlace:  # noqa: ARG002
        """Return the place. Raises UsageError."""
        from tiles.signing.key_place import parse_key_place  # slow to import

        return parse_key_place(value) if isinstance(value, str) else value


def json_option(command: Command) -> Command:
    """Add --json, which `ui.Output` has read already."""
    help_ = "print one JSON document on standard output"
    return click.option("--json", is_flag=True, expose_value=False, help=help_)(command)


PLACE_OF_KEY = _Place()
KEY_FORMS = "a file, awskms:///…, gcpkms://… or pkcs11:…"


def _key_option(name: str, whose: str = "the log's") -> Decorator:
    return click.option(
        name,
        type=PLACE_OF_KEY,
        envvar=KEY_PLACE,
        help=f"{whose} key: {KEY_FORMS}  [$TILETREE_KEY; default: as at init, or a file named by its origin]",
    )


def _private_option(whose: str = "the log's") -> Decorator:
    return click.option(
        "--private",
        metavar="PLACE",
        envvar="TILETREE_PRIVATE",
        help=f"{whose} private part  [$TILETREE_PRIVATE; default: as at init, or <LOG>.private]",
    )


private_option = _private_option()
_WRITER: dict[str, Decorator] = {
    "key": _key_option("--key"),
    "private": private_option,
    "anchor": click.option(
        "--anchor",
        metavar="PLACE",
        envvar="TILETREE_ANCHOR",
        help="where the signer keeps what it signed last  [$TILETREE_ANCHOR; default: as at init, or <KEY>.anchor]",
    ),
    "policy": click.option("--policy", type=click.Path(path_type=Path), help="refuse unless this is the log's policy"),
    "admission": click.option(
        "--admission", type=click.Path(path_type=Path), help="refuse unless this is the log's policy for submissions"
    ),
}


_WITNESSES: dict[str, Decorator] = {
    "witness_timeout": click.option(
        "--witness-timeout",
        type=click.FloatRange(min=0.1),
        metavar="SECONDS",
        envvar="TILETREE_WITNESS_TIMEOUT",
        help="for all witnesses of the log's policy together  [$TILETREE_WITNESS_TIMEOUT; default: 10]",
    ),
    "wait_extra": click.option(
        "--wait-extra",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        envvar="TILETREE_WAIT_EXTRA",
        help="go on for cosignatures that the policy does not need  [$TILETREE_WAIT_EXTRA; default: 0]",
    ),
    "fail_open": click.option(
        "--fail-open",
        is_flag=True,
        envvar="TILETREE_FAIL_OPEN",
        help="publish even if too few witnesses cosign; that is exit code 6  [$TILETREE_FAIL_OPEN]",
    ),
}
_WRITER |= _WITNESSES
WITNESSES = tuple(_WITNESSES)  # the names of these options, for commands that publish


def writer_options(*names: str) -> Decorator:
    """Return a decorator that adds these options of a `Writer`, which the command gets as `writer`."""
    return as_one("writer", Writer, **{name: _WRITER[name] for name in names})


log_option = click.option("--log", metavar="LOG", required=True, help="the log that it is logged in")


def _writer_of(log_key: KeyPlace | None, **others: Any) -> Writer:
    return Writer(log_key, **others)


# where LOG is not the subject, --key is another key than the log's
log_writer_options = as_one(
    "writer",
    _writer_of,
    log_key=_key_option("--log-key"),
    private=private_option,
    anchor=_WRITER["anchor"],
    policy=_WRITER["policy"],
    **_WITNESSES,
)


def _public_writer_of(log_key: KeyPlace | None, private: str | None, anchor: str | None) -> Writer:
    return Writer(log_key, private, anchor)


# where LOG is endorsed, and another log, the public one, is written to
public_writer_options = as_one(
    "writer",
    _public_writer_of,
    log_key=_key_option("--log-key", "the public log's"),
    private=_private_option("the public log's"),
    anchor=_WRITER["anchor"],
)
url_option = click.option(
    "--url",
    metavar="URL",
    envvar="TILETREE_URL",
    help="where the log is served, for links to its page  [$TILETREE_URL; default: https://ORIGIN]",
)
