"""Search proofs: one file that shows, offline, which entries of a log have a key; docs/index-format.md.

Parsing is not verifying: `tiles.index.search_verdict` says what a proof shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiles.entries.kind import LEAF, Key
from tiles.errors import Malformed, UsageError
from tiles.index.lookup import Shown
from tiles.index.run import PAGE_SIZE
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64
from tiles.notes.index_head import MAX_COVERED, MAX_HEAD_SIZE, check_kind
from tiles.notes.tlog_proof import MAX_HASHES
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import HASH_SIZE, Hash, to_hash

MAX_SEARCH_PROOF_SIZE = 64 << 20  # bytes, the whole file

_WHAT = "search proof"
_TITLE = "tiletree/search-proof/v1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry of which a record says that it has the key.

    hashes   the proof that it is at this index of the checkpoint's tree
    """

    index: int
    entry: bytes
    hashes: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class SearchProof:
    """A claim about all entries that have a key; nothing about it is verified.

    index        the index head, signed; b"" if all entries are in the tail
    runs         of the live runs that have records, the pages where the key's records are, or would be
    edge         the roots of the complete subtrees of the tree of the covered size, the largest first
    tail         the entries from the covered size on; for leaf/1 their leaf hashes instead
    candidates   by index
    Raises UsageError for what no file can state.
    """

    key: Key
    index: bytes
    runs: tuple[Shown, ...]
    edge: tuple[Hash, ...]
    tail: tuple[bytes, ...]
    candidates: tuple[Candidate, ...]
    checkpoint: SignedCheckpoint

    def __post_init__(self) -> None:
        check_kind(self.key.kind)
        if len(self.key.value) > MAX_ENTRY_SIZE:
            raise UsageError(f"the value of a key has at most {MAX_ENTRY_SIZE} bytes")
        if len(self.index) > MAX_HEAD_SIZE:
            raise UsageError(f"an index head has at most {MAX_HEAD_SIZE} bytes")
        longest = HASH_SIZE if self.key.kind == LEAF else MAX_ENTRY_SIZE
        if any(len(one) > longest or (self.key.kind == LEAF and len(one) != longest) for one in self.tail):
            raise UsageError(f"what is in the tail has at most {longest} bytes each")
        if any(len(one.entry) > MAX_ENTRY_SIZE for one in self.candidates):
            raise UsageError(f"an entry has at most {MAX_ENTRY_SIZE} bytes")
        if any(not shown.pages or any(len(page) > PAGE_SIZE for page, _ in shown.pages) for shown in self.runs):
            raise UsageError(f"of a run there is at least one page, of at most {PAGE_SIZE} bytes")
        if len(self.data) > MAX_SEARCH_PROOF_SIZE:
            raise UsageError(f"a search proof has at most {MAX_SEARCH_PROOF_SIZE} bytes, not {len(self.data)}")

    @property
    def data(self) -> bytes:
        """The whole file."""
        return "".join(f"{line}\n" for line in [*self._lines(), ""]).encode() + self.checkpoint.data

    def _lines(self) -> Iterator[str]:
        yield _TITLE
        yield f"kind {self.key.kind}"
        yield f"value {encode_base64(self.key.value)}"
        if self.index:
            yield f"index {encode_base64(self.index)}"
        for shown in self.runs:
            yield f"run {shown.first}"
            for page, hashes in shown.pages:
                yield f"page {encode_base64(page)}"
                yield from (f"hash {encode_base64(one)}" for one in hashes)
        yield from (f"edge {encode_base64(one)}" for one in self.edge)
        yield from (f"{_tail_word(self.key.kind)} {encode_base64(one)}" for one in self.tail)
        for candidate in self.candidates:
            yield f"candidate {candidate.index}"
            yield f"entry {encode_base64(candidate.entry)}"
            yield from (f"hash {encode_base64(one)}" for one in candidate.hashes)


def parse_search_proof(data: bytes) -> SearchProof:
    """Return the proof in a file. Verifies nothing. Raises Malformed unless data is exactly `SearchProof.data`."""
    if len(data) > MAX_SEARCH_PROOF_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_SEARCH_PROOF_SIZE} bytes", len(data))
    head, blank, checkpoint = bytes(data).partition(b"\n\n")
    if not blank:
        raise Malformed(_WHAT, "no empty line before the checkpoint")
    lines = _Lines(decode_text(head, _WHAT).split("\n"))
    if lines.take() != _TITLE:
        raise Malformed(_WHAT, f"the first line is not {_TITLE}")
    kind = lines.after("kind")
    value = lines.bytes_after("value")
    index = lines.bytes_after("index") if lines.next_is("index") else b""
    try:
        proof = SearchProof(
            Key(kind, value),
            index,
            tuple(_runs(lines)),
            tuple(lines.hashes("edge")),
            tuple(lines.every(_tail_word(kind))),
            tuple(_candidates(lines)),
            parse_signed_checkpoint(checkpoint),
        )
    except UsageError as error:
        raise Malformed(_WHAT, error.message) from None
    if proof.data != data:
        raise Malformed(_WHAT, "a line that is not one where it stands, or not in canonical form")
    return proof


def _tail_word(kind: str) -> str:
    return "leaf" if kind == LEAF else "entry"


def _runs(lines: _Lines) -> Iterator[Shown]:
    while lines.next_is("run"):
        first = decode_decimal(lines.after("run"), f"{_WHAT} page", maximum=MAX_COVERED)
        pages = []
        while lines.next_is("page"):
            pages.append((lines.bytes_after("page"), lines.proof()))
        yield Shown(first, tuple(pages))


def _candidates(lines: _Lines) -> Iterator[Candidate]:
    while lines.next_is("candidate"):
        index = decode_decimal(lines.after("candidate"), f"{_WHAT} candidate", maximum=MAX_COVERED)
        yield Candidate(index, lines.bytes_after("entry"), lines.proof())


class _Lines:
    """The lines of a file, taken one after the other."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def take(self) -> str:
        """Return the next line, "" at the end."""
        self._at += 1
        return self._lines[self._at - 1] if self._at <= len(self._lines) else ""

    def next_is(self, word: str) -> bool:
        """Whether the next line begins with a word."""
        return self._at < len(self._lines) and self._lines[self._at].startswith(f"{word} ")

    def after(self, word: str) -> str:
        """Return what stands after the word with which the next line has to begin."""
        if not self.next_is(word):
            raise Malformed(_WHAT, f"no {word} line where there must be one", self.take())
        return self.take().removeprefix(f"{word} ")

    def bytes_after(self, word: str) -> bytes:
        """Return the bytes after it."""
        return decode_base64(self.after(word), f"{_WHAT} {word}")

    def every(self, word: str) -> Iterator[bytes]:
        """Yield the bytes after it in each line that follows."""
        while self.next_is(word):
            yield self.bytes_after(word)

    def hashes(self, word: str) -> Iterator[Hash]:
        """Yield the hashes after it in each line that follows."""
        return map(to_hash, self.every(word))

    def proof(self) -> tuple[Hash, ...]:
        """Return the inclusion proof that follows."""
        hashes = tuple(self.hashes("hash"))
        if len(hashes) > MAX_HASHES:
            raise Malformed(_WHAT, f"more than {MAX_HASHES} hashes in a proof", len(hashes))
        return hashes
