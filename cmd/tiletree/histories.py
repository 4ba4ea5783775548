"""Whether a checkpoint that a call was given is of the history that a log shows, with evidence kept where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiles.errors import ForkError, placed
from tiletree.pins import memory

if TYPE_CHECKING:
    from tiles.notes.checkpoint import SignedCheckpoint
    from tiles.read.client import LogClient


def check_same_history(client: LogClient, signed: SignedCheckpoint) -> None:
    """Show that the log that is read, and a checkpoint that it has signed, begin with the same.

    Raises ForkError, its evidence saved, where they do not; AccessError if what would show it cannot be read.
    """
    from tiles.read.histories import forked  # not in verify.pyz, which reads no log
    from tiles.read.same_history import check_history
    from tiles.user.seen_checkpoints import Visits

    try:
        check_history(client, signed)
    except ForkError as fork:
        visits = memory(Visits)
        error = fork if visits is None else forked(fork, client.policy, visits)
        raise placed(error, client.fetcher.url) from None
