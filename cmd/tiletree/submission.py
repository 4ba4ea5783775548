"""Who submits, to which inbox, and how it is waited for: what commands that submit share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiles.errors import NotFound, TilesError, UsageError
from tiles.inbox.submission import check_submitter, is_submitter
from tiles.store.address import normal_url, shown_address
from tiles.user.places import inbox_store
from tiletree.keys import no_log
from tiletree.options import Decorator

if TYPE_CHECKING:
    from tiles.store import Store
    from tiletree.ui import Output

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


def check_inbox(inbox: Store, log: str, origin: str) -> None:
    """Raise UsageError if an inbox is that of another log, as far as this user may know.

    Who may only submit cannot read the head, and no error of theirs says anything about the log.

    log      the log as the call names it, and its origin
    """
    from tiles.write.load import read_head  # `submit` without --wait does without

    found = ""
    with suppress(TilesError):
        found = read_head(inbox)[0].origin
    if found and found != origin:
        raise UsageError(
            f"{shown_address(log)} is the log {origin}, and {inbox.url} is the private part of {found}; nothing was "
            "submitted",
            hint=f"name the private part of {origin} with --private",
        )


@contextmanager
def waiting(out: Output, timeout: float) -> Iterator[Callable[[float], None]]:
    """Show on a terminal that a log is waited for, and for how long so far: tell what is given how long each pause was.

    timeout   seconds after which that ends
    """
    total = 0.0
    with out.progress(f"waiting until the log has published it, {timeout:g} seconds at most") as progress:

        def paused(seconds: float) -> None:
            nonlocal total
            progress.advance(int(total + seconds) - int(total))
            total += seconds

        yield paused
