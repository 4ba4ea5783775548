"""Opening the index of one kind of keys that a log has: how far its head can be believed; docs/index-format.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiles.errors import AccessError, Malformed, NotFound, SignatureError, TooLong, UsageError, VerificationError
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import MAX_HEAD_SIZE, IndexHead, is_local, parse_index_head
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.note import Note, parse_note, verify_note
from tiles.notes.policy import Policy
from tiles.read.client import LogClient
from tiles.read.trouble import judged
from tiles.records.paths import index_head_path
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for


@dataclass(frozen=True, slots=True)
class Index:
    """An index of one kind of keys.

    fetcher   where it is
    head      what it says of itself
    data      the signed note that the head is from
    doubt     why it proves no absence; "" if it does. What it leads to is verified in the log anyway.
    """

    fetcher: Fetcher
    head: IndexHead
    data: bytes
    doubt: str = ""

    @property
    def covered(self) -> int:
        """How many entries it covers, from the first on."""
        return self.head.tree.size

    def readers(self) -> list[RunReader]:
        """Return what reads its live runs, left to right."""
        return [RunReader(self.fetcher, self.head.kind, run) for run in self.head.runs]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where somebody else keeps an index of the log.

    fetcher   reads it there
    key       whose signature of its head is believed; None: nobody's, and it only leads to hits
    Raises UsageError for a key whose signatures are of checkpoints only.
    """

    fetcher: Fetcher
    key: VerifierKey | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.key.type not in SIGNS_TEXT:
            raise UsageError(f"{self.key} signs checkpoints only, no index head")


def note_keys(policy: Policy, origin: str) -> list[VerifierKey]:
    """Return the keys whose signature of an index head is the log's own: those that sign notes."""
    return [key for key in policy.keys_of(origin) if key.type in SIGNS_TEXT]


def open_index(
    client: LogClient,
    kind: str,
    remark: Callable[[str], None] = lambda _text: None,
    elsewhere: Elsewhere | None = None,
) -> Index | None:
    """Return the index of a kind of keys of a log, None if there is none that can be used.

    remark      is called with what somebody should know of an index that is there and not believed
    elsewhere   where to look instead of in the log
    Raises VerificationError if a key that is believed has signed a head that is not of this log, or of its tree; then
    both texts are the evidence. Raises AccessError if it cannot be read.
    """
    path = index_head_path(kind)
    fetcher = client.fetcher if elsewhere is None else elsewhere.fetcher
    where = f"{fetcher.url}/{path}"
    try:
        note, head = fetch_for(fetcher, path, MAX_HEAD_SIZE, lambda data: _parsed(data, where))
    except NotFound:
        return None
    except (Malformed, TooLong) as error:
        remark(f"the index {kind} is not used: {error.message}")
        return None
    accepted = client.accepted
    if elsewhere is None:
        keys, whose = note_keys(client.policy, accepted.signed.origin), "the log's own key"
    else:
        keys, whose = [elsewhere.key] if elsewhere.key is not None else [], "the key that is believed"
    nobody = elsewhere is not None and not keys
    doubt = "nobody is named whose index of this log is believed" if nobody else _doubt(note, keys)
    if head.tree.size > client.tree.size and not doubt:
        accepted = client.visit()  # the log may have grown between the two requests
    evidence = {"index head": note.data, "checkpoint": accepted.signed.data}
    problem = _contradiction(client, head, kind)
    if problem and not doubt:
        raise VerificationError(f"{where} {problem}, and {whose} has signed it", evidence=evidence)
    if problem:
        remark(f"the index {kind} is not used: {where} {problem}")
        return None
    if head.tree.size > client.tree.size:
        doubt = doubt or f"{where} covers {head.tree.size} entries, and the checkpoint has {client.tree.size} only"
    if is_local(kind):
        doubt = doubt or f"keys of the kind {kind} are an application's own, and nobody else can recompute them"
    elif doubt:
        remark(f"the index {kind} proves no absence: {doubt}")
    return Index(fetcher, head, note.data, doubt)


def _parsed(data: bytes, where: str) -> tuple[Note, IndexHead]:
    try:
        with judged(data, where):
            note = parse_note(data)
            return note, parse_index_head(note.text)
    except AccessError as error:  # the page of a server that answers every address, for one
        raise Malformed("index head", error.message) from error


def _doubt(note: Note, keys: list[VerifierKey]) -> str:
    """Return why the log's keys do not vouch for a head, "" if one of them does and no other's signature is wrong."""
    if not keys:
        return "no key that is trusted for this log signs anything but checkpoints"
    try:
        verify_note(note, keys)
    except SignatureError as error:
        return error.message
    return ""


def _contradiction(client: LogClient, head: IndexHead, kind: str) -> str:
    """Return what in a head contradicts the log's checkpoint, "" if nothing does."""
    origin = client.accepted.signed.origin
    if (head.origin, head.kind) != (origin, kind):
        return f"is of {head.origin} and {head.kind}, not of {origin} and {kind}"
    if head.tree.size > client.tree.size:
        return ""
    tree = client.tree_at(head.tree.size)
    return f"says {head.tree}, and the log has {tree}" if tree != head.tree else ""
