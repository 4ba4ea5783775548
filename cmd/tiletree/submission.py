"""Who submits, to which inbox, and for how long that is waited for: what commands that submit share."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiles.errors import NotFound, UsageError
from tiles.inbox.submission import check_submitter, is_submitter
from tiles.store.address import normal_url
from tiles.user.places import inbox_store
from tiletree.keys import no_log
from tiletree.options import Decorator

if TYPE_CHECKING:
    from tiles.store import Store

TIMEOUT = 600.0  # seconds

submitter_option = click.option(
    "--submitter", metavar="NAME", help="whose inbox to submit to  [default: the login name]"
)


def timeout_option(what: str = "how long to wait") -> Decorator:
    """Return the option that says how long it is waited until what was submitted is in the log."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=TIMEOUT,
        show_default=True,
        metavar="SECONDS",
        help=what,
    )


def submitter_name(given: str | None) -> str:
    """Return whose inbox is meant: the one that is named, or that of the login name. Raises UsageError."""
    if given:
        return check_submitter(given)
    try:
        name = getuser()
    except (KeyError, OSError):  # no such user, and no variable that says one
        name = ""
    if not is_submitter(name):
        raise UsageError("the login name cannot be the name of a submitter", hint="choose one with --submitter")
    return name


def inbox_of(log: str, private: str | None) -> Store:
    """Return where to submit; it has to be named for a log that is read from a server, which says nothing of it.

    Raises NotFound for a directory that is not there: a submission would make one, and no run would ever look into it.
    """
    if private is None and log.lower().startswith(("http://", "https://")):
        raise UsageError(f"the private part of {normal_url(log)} is not known", hint="name it with --private")
    inbox = inbox_store(log, private)
    if "://" not in inbox.url and not Path(inbox.url).is_dir():
        if private is None:
            raise no_log(log)
        hint = "`tiletree init` makes one; --private names that of the log"
        raise NotFound(f"there is no private part of a log at {inbox.url}", hint=hint)
    return inbox
