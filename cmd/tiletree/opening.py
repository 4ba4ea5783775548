"""What options open: the stores of a log, and what reads or writes it.

What reads or writes a log takes long to import, and is imported where it is used. `verify` opens files only, and does
without this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

from tiles.errors import NotFound, SignatureError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Accepted
from tiles.read.trust import resolve
from tiles.store import Fetcher, StoreFetcher
from tiles.store.address import shown_address
from tiles.tree.layout import CHECKPOINT
from tiles.user.pinned import Pinned
from tiles.user.places import private_store, public_store
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Trust
from tiletree.key_news import explain_by_news, remark_news
from tiletree.options import Writer
from tiletree.pins import memory, read_admission, read_policy, read_vkey
from tiletree.reading import Pins
from tiletree.trusting import explained
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.log import Log
    from tiles.read.client import LogClient
    from tiles.read.log_formats import LogFormat
    from tiletree.keys import LogKey


def open_sequencer(
    log: str, writer: Writer, key: LogKey | None = None, *, look_closer: bool = False, out: Output | None = None
) -> Log:
    """Return what writes to a log. Nothing is made yet.

    key           the log's; None: that of the log that exists, as `find_key` returns it
    look_closer   a log in a bucket is not begun where anyone can read its private part
    out           who is told what the witnesses did; None: the output of the command at work
    """
    from tiles.log import Log
    from tiles.signing.signer import Signer
    from tiles.write.prepare import anonymous_reader
    from tiletree.cosigning import witnessing
    from tiletree.keys import find_anchor, find_key

    key = key or find_key(log, writer)
    return Log(
        public_store(log),
        private_store(log, writer.private),
        Signer(key.signing, find_anchor(log, writer, key.place)),
        anonymous=anonymous_reader(log, writer.private) if look_closer else None,
        policy=read_policy(writer.policy),
        admission=read_admission(writer.admission),
        how=witnessing(writer, out),
    )


class OnlyCompared(Visits):
    """What was seen before, to compare with it and to add nothing to it.

    For a log whose key is not remembered, which could show another key each time, and for copies of a log: what one of
    them shows that is ahead is not to be asked of the log later.
    """

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:
        """Change nothing, and return whether it was compared with what is remembered by now."""
        last = self.last(key, signed.origin)
        return (last and last.data) == (since and since.data)


def pinned_for(log: str, fetcher: Fetcher, pins: Pins, checkpoint: str = CHECKPOINT) -> Pinned:
    """Return whom to trust for a log: as the call says, as remembered, or whoever signed what it shows at first use."""
    return resolve(
        log,
        fetcher,
        memory(Trust),
        read_vkey(pins.vkey),
        read_policy(pins.policy),
        origin=pins.origin,
        checkpoint=checkpoint,
    )


def open_client(out: Output, log: str, pins: Pins) -> tuple[LogClient, Pinned]:
    """Return what reads a log, in whatever format that is, after its first visit; and whom to trust for it."""
    from tiles.read.client import LogClient
    from tiles.read.fetcher import is_local
    from tiles.read.layouts import LAYOUTS, visited
    from tiles.user.tile_cache import TileCache

    fetcher = _open_all(out, log, pins.mirrors)
    trusted: list[Pinned] = []

    def visit(log_format: LogFormat) -> LogClient:
        pinned = pinned_for(log, fetcher, pins, log_format.checkpoint)
        trusted.append(pinned)
        cache = None if is_local(fetcher) else memory(TileCache)
        visits = memory(OnlyCompared if pinned.not_remembered else Visits)
        client = LogClient(fetcher, pinned.policy, visits=visits, cache=cache, log_format=log_format)
        with explained(None, pins):
            try:
                client.visit()
            except SignatureError as error:
                raise explain_by_news(error, log, fetcher, pinned.policy) from error
        if pins.mirrors:
            from tiletree.remarks import remark_elsewhere

            remark_elsewhere(out, client, visits)
        return client

    client = visited(fetcher, visit, LAYOUTS[pins.layout] if pins.layout else None)
    return client, trusted[-1]


def visit(out: Output, log: str, pins: Pins) -> tuple[LogClient, Accepted, Pinned]:
    """Read a log's checkpoint, verify it, and prove it consistent with what was seen before."""
    client, pinned = open_client(out, log, pins)
    accepted = client.accepted
    if pinned.is_first_use:
        out.remark(
            "trust",
            pinned.how,
            f"trust: {pinned.how}; compare the key with its publisher's, then: "
            f"tiletree key trust {quote(shown_address(log))} {quote(accepted.log.vkey)}",
        )
    remark_news(out, log, client.fetcher, accepted, pinned.policy)
    if client.newer is not None:
        newer = client.newer.tree
        out.remark(
            "newer",
            {"size": newer.size, "root": newer.root.hex()},
            f"this is an old copy: size {newer.size} was seen before, and extends it",
        )
    problem = (
        pinned.not_remembered
        or client.not_remembered
        or ("" if client.remembers else "this user has no home directory")
    )
    if problem:
        out.remark("not_remembered", problem, f"this visit is not remembered: {problem}")
    return client, accepted, pinned


def _open_all(out: Output, log: str, mirrors: Sequence[str]) -> Fetcher:
    """Return what reads a log at all its addresses; what was read at which of them is said with the answer."""
    if not mirrors:
        return _open(log)
    from tiles.read.addresses import MAX_ADDRESSES, Addresses
    from tiletree.remarks import say_addresses

    if len(mirrors) >= MAX_ADDRESSES:
        raise UsageError(f"a log is read at no more than {MAX_ADDRESSES} addresses")
    # a directory that is not there is no reason to give up: that is what the other addresses are for
    addresses = Addresses([open_either(each) for each in dict.fromkeys((log, *mirrors))])
    out.late.append(lambda: say_addresses(out, addresses.report()))
    return addresses


def open_either(log: str) -> Fetcher:
    """Return what reads a log at an address; of a directory that is not there, what finds nothing."""
    from tiles.read.fetcher import open_place

    try:
        return open_place(log)
    except NotFound:
        return StoreFetcher(public_store(log))


def _open(log: str) -> Fetcher:
    from tiles.read.fetcher import open_log
    from tiles.read.other_layouts import explained

    try:
        return open_log(log)
    except NotFound as error:  # of a directory; of anything else it is known once it is asked
        raise explained(StoreFetcher(public_store(log)), error) from error


@contextmanager
def tiles_of(log: str, client: LogClient, minimum: int = 0) -> Iterator[None]:
    """Let tiles and entries be read; if one is not there, say whether the log looks like one of another layout.

    minimum   what is below this index the log has pruned, as the call says
    """
    from tiles.read.addresses import Addresses
    from tiles.read.fetcher import open_log
    from tiles.read.log_formats import TLOG_TILES
    from tiles.read.other_layouts import check_layout
    from tiles.read.pruned import check_minimum
    from tiles.read.pruned import explained as explain_pruned
    from tiles.read.withheld import WithheldEntries

    if minimum:
        check_minimum(minimum, client.tree.size)
    try:
        yield
    except NotFound as error:
        if (pruned := explain_pruned(error, minimum, client.fetcher.url)) is not error:
            raise pruned from error
        if client.log_format is not TLOG_TILES:
            raise
        check_layout(client.fetcher if isinstance(client.fetcher, Addresses) else open_log(log), client.tree.size)
        raise WithheldEntries.of(client).explained(error) from error


def remark_readable(out: Output, paths: Sequence[str]) -> None:
    """Warn of private things that others on this machine may read."""
    if paths:
        out.remark(
            "readable",
            list(paths),
            f"warning: others on this machine may read what is private: {', '.join(paths)}",
        )
        out.note(f"hint: chmod go-r {' '.join(map(quote, paths))}")


def remark_undeleted(out: Output, names: Sequence[str], before: int = 0) -> None:
    """Say which decided submissions stay in the inbox: those of this run, and how many of earlier ones."""
    if names or before:
        such = f", such as {names[0]}" if names else ""
        out.remark(
            "undeletable",
            before + len(names),
            f"{before + len(names)} decided submissions stay in the inbox, because they could not be deleted{such}; "
            "they are not taken again, and gc tries to delete them",
        )
