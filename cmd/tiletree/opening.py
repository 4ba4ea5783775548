"""What options open: policies, files, the stores of a log, and what reads or writes it.

What reads or writes a log takes long to import, and is imported where it is used: `verify` opens files only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from tiles.entries.content import Content, read_content
from tiles.errors import AccessError, Malformed, NotFound, SignatureError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import MAX_POLICY_SIZE, Accepted, Policy, parse_policy
from tiles.read.trust import Pinned, resolve
from tiles.store import Fetcher, StoreFetcher
from tiles.store.address import shown_address
from tiles.user.places import private_store, public_store
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Trust
from tiletree.key_news import explain_by_news, remark_news
from tiletree.keys import LogKey, find_anchor, find_key
from tiletree.options import Pins, Writer
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.inbox.admission import Admission
    from tiles.log import Log
    from tiles.read.client import LogClient

Parsed = TypeVar("Parsed")
Kept = TypeVar("Kept")


def read_policy(path: Path | None) -> Policy | None:
    """Return the policy in a file the user named. Raises UsageError if there is none."""
    return None if path is None else read_named(path, "--policy", MAX_POLICY_SIZE, parse_policy)


def read_admission(path: Path | None) -> Admission | None:
    """Return the admission policy in a file the user named. Raises UsageError if there is none."""
    from tiles.inbox.admission import MAX_ADMISSION_SIZE, parse_admission

    return None if path is None else read_named(path, "--admission", MAX_ADMISSION_SIZE, parse_admission)


def read_named(path: Path, option: str, limit: int, parse: Callable[[bytes], Parsed]) -> Parsed:
    """Return what is in a file the user named. Raises UsageError, which shows nothing of the file."""
    try:
        with path.open("rb") as file:
            return parse(file.read(limit + 1))
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be read: {error.strerror}") from error
    except Malformed as error:
        raise UsageError(f"{option} {path}: {error.plain}") from error


def read_vkey(text: str | None) -> VerifierKey | None:
    """Return the key the user named with --vkey, if any. Raises UsageError if it is none."""
    return None if text is None else to_verifier(text, "--vkey")


def to_verifier(text: str, what: str) -> VerifierKey:
    """Return the key that an argument of that name spells. Raises UsageError if it is none."""
    try:
        return parse_vkey(text)
    except Malformed as error:
        hint = "`tiletree init` and `tiletree key show` print it"
        raise UsageError(f"{what}: {error.plain}", hint=hint) from error


def open_binary(name: str) -> BinaryIO:
    """Open a file that the user named, or standard input for "-"."""
    if name != "-":
        return Path(name).open("rb")
    # without a buffer: a thread that still waits for input when the program ends would hold the buffer's lock
    return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)


def read_file(name: str, secrets: Callable[[], Iterable[bytes]] = tuple) -> Content:
    """Read a file that the user named, or standard input, to look for the entry as which it was logged."""
    with open_binary(name) as stream:
        return replace(read_content(stream, None if name == "-" else Path(name).name), secrets=secrets)


def open_sequencer(log: str, writer: Writer, key: LogKey | None = None, *, look_closer: bool = False) -> Log:
    """Return what writes to a log. Nothing is made yet.

    key           the log's; None: that of the log that exists, as `find_key` returns it
    look_closer   a log in a bucket is not begun where anyone can read its private part
    """
    from tiles.log import Log
    from tiles.signing.signer import Signer
    from tiles.write.prepare import anonymous_reader

    key = key or find_key(log, writer)
    return Log(
        public_store(log),
        private_store(log, writer.private),
        Signer(key.signing, find_anchor(log, writer, key.place)),
        anonymous=anonymous_reader(log, writer.private) if look_closer else None,
        policy=read_policy(writer.policy),
        admission=read_admission(writer.admission),
    )


class _OnlyCompared(Visits):
    """What was seen before, for a log whose key is not remembered: it could show another key each time."""

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:  # noqa: ARG002
        """Change nothing, and return whether it was compared with what is remembered by now."""
        last = self.last(key)
        return (last and last.data) == (since and since.data)


def memory(kind: Callable[[], Kept]) -> Kept | None:
    """Return one of this user's memories; None for a user who has no home directory."""
    try:
        return kind()
    except AccessError:
        return None


def pinned_for(log: str, fetcher: Fetcher, pins: Pins) -> Pinned:
    """Return whom to trust for a log: as the call says, as remembered, or whoever signed what it shows at first use."""
    return resolve(log, fetcher, memory(Trust), read_vkey(pins.vkey), read_policy(pins.policy))


def visit(out: Output, log: str, pins: Pins) -> tuple[LogClient, Accepted, Pinned]:
    """Read a log's checkpoint, verify it, and prove it consistent with what was seen before."""
    from tiles.read.client import LogClient
    from tiles.read.fetcher import is_local
    from tiles.read.other_layouts import explained
    from tiles.user.tile_cache import TileCache

    fetcher = _open(log)
    try:
        pinned = pinned_for(log, fetcher, pins)
        cache = None if is_local(fetcher) else memory(TileCache)
        visits = memory(_OnlyCompared if pinned.not_remembered else Visits)
        client = LogClient(fetcher, pinned.policy, visits=visits, cache=cache)
        try:
            accepted = client.visit()
        except SignatureError as error:
            raise explain_by_news(error, log, fetcher, pinned.policy) from error
    except NotFound as error:
        raise explained(fetcher, error) from error
    if pinned.is_first_use:
        out.remark(
            "trust",
            pinned.how,
            f"trust: {pinned.how}; compare the key with its publisher's, then: "
            f"tiletree key trust {quote(shown_address(log))} {quote(accepted.log.vkey)}",
        )
    remark_news(out, log, fetcher, accepted, pinned.policy)
    if client.newer is not None:
        newer = client.newer.tree
        out.remark(
            "newer",
            {"size": newer.size, "root": newer.root.hex()},
            f"this is an old copy: size {newer.size} was seen before, and extends it",
        )
    problem = pinned.not_remembered or client.not_remembered or ("" if visits else "this user has no home directory")
    if problem:
        out.remark("not_remembered", problem, f"this visit is not remembered: {problem}")
    return client, accepted, pinned


def _open(log: str) -> Fetcher:
    from tiles.read.fetcher import open_log
    from tiles.read.other_layouts import explained

    try:
        return open_log(log)
    except NotFound as error:  # of a directory; of anything else it is known once it is asked
        raise explained(StoreFetcher(public_store(log)), error) from error


@contextmanager
def tiles_of(log: str, client: LogClient) -> Iterator[None]:
    """Let tiles and entries be read; if one is not there, say whether the log looks like one of another layout."""
    from tiles.read.fetcher import open_log
    from tiles.read.other_layouts import check_layout
    from tiles.read.withheld import WithheldEntries

    try:
        yield
    except NotFound as error:
        check_layout(open_log(log), client.tree.size)
        raise WithheldEntries.of(client).explained(error) from error


def write_file(path: Path, data: bytes, *, new: bool = False) -> None:
    """Write a file that the user named. Raises AccessError if that cannot be done.

    new   the file must not be there yet
    """
    try:
        with path.open("xb" if new else "wb") as file:
            file.write(data)
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error


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
