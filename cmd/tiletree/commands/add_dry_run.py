"""What `tiletree add --dry-run` foresees: what would be recorded, and what of it is in the log already.

Nothing is written, neither to the log nor to what this machine remembers, and the log's key is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tiles.entries.blinding_secret import read_secret
from tiles.entries.file_digest import parse_digest_entry
from tiles.entries.kinds import kind_of
from tiles.errors import AccessError, Malformed, NotFound, TilesError
from tiles.index.known import find_in
from tiles.read.client import LogClient
from tiles.read.trust import resolve
from tiles.records.paths import payload_path
from tiles.store import StoreFetcher
from tiles.tree.merkle import Hash, leaf_hash
from tiles.user.places import public_store
from tiles.user.trusted_keys import Trust
from tiletree.blinding import Blinder, path_beside
from tiletree.inputs import SHOWN_ENTRIES, Input
from tiletree.keys import key_place, no_log, own_places
from tiletree.options import Writer
from tiletree.pins import memory
from tiletree.progress import Progress
from tiletree.proof_files import Asked
from tiletree.remarks import remark_unsure
from tiletree.ui import Output


def foresee(out: Output, log: str, given: Input, asked: Asked, writer: Writer) -> None:
    """Say what `add` would record, if it is called so and nothing changes until then."""
    place = None
    with suppress(TilesError):  # where there is no key, it lies in no folder that is named
        place = key_place(log, writer)
    given = given.picked(out, own_places(log, writer, place) if given.files else ())
    places = asked.of(given.files)
    client, why = _visited(log)
    if places is not None and client is not None:
        places.check(client.accepted.signed.origin, make=False)
    paths = {file: out.plain(str(places.path(file))) for file in given.files} if places is not None else {}
    seen = _Seen(given, paths)
    blinder = _blinder(out, log, writer) if given.blind else None
    with out.progress("reading", len(given.files) or None) as progress:
        for entry in _entries(given, blinder, progress):
            seen.add(entry, is_known=not given.blind or blinder is not None)
    if client is not None and given.once and seen.leaves:
        found = find_in(client, set(seen.leaves))
        seen.find(found.indexes)
        if not found.complete:
            remark_unsure(out)
    if why:
        out.remark("already_unknown", why, f"whether some of it is in the log already cannot be told: {why}")
    seen.finish(out, client)


def _visited(log: str) -> tuple[LogClient | None, str]:
    """Return what reads a log as this user knows it, and remembers nothing; or None, and why it cannot be reached.

    Raises NotFound if there is no log, and LogError for one that cannot be believed.
    """
    fetcher = StoreFetcher(public_store(log))
    trust = memory(Trust)
    try:
        known = trust.lookup(log) if trust is not None else None
        client = LogClient(fetcher, known.policy if known is not None else resolve(log, fetcher, None).policy)
        client.visit()
    except NotFound as error:
        raise no_log(fetcher.url) from error
    except AccessError as error:
        return None, error.message
    return client, ""


def _blinder(out: Output, log: str, writer: Writer) -> Blinder | None:
    """Return what blinds; None where the secret would only be made."""
    path = path_beside(key_place(log, writer))
    try:
        return Blinder(read_secret(path))
    except NotFound:
        out.note(f"the blinding secret {path} would be made, so the entries are not known yet")
        return None


def _entries(given: Input, blinder: Blinder | None, progress: Progress) -> Iterator[bytes]:
    if given.files:
        for chunk in given.entries(progress, blinder=blinder):
            yield from chunk
        return
    with given.open_lines() as found:
        for chunk in found:
            yield from chunk
            progress.advance(len(chunk))


@dataclass
class _Seen:
    """What would be recorded. proofs: where the proof of each file would go, if that is asked for"""

    given: Input
    proofs: Mapping[str, str]
    count: int = 0
    already: int = 0
    leaves: list[Hash] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def add(self, entry: bytes, *, is_known: bool) -> None:
        """Take down the next entry. is_known: it would be recorded as it is here, and not blinded first"""
        if self.count < SHOWN_ENTRIES:
            self.entries.append(self._described(entry, is_known=is_known))
        if self.given.once and is_known:
            self.leaves.append(leaf_hash(entry))
        self.count += 1

    def _described(self, entry: bytes, *, is_known: bool) -> dict[str, Any]:
        said: dict[str, Any] = {
            "name": self.given.name(self.count),
            "kind": kind_of(entry).name if is_known else "blinded",
        }
        try:
            file = parse_digest_entry(entry)
        except Malformed:
            said |= {"sha256": hashlib.sha256(entry).hexdigest(), "size": len(entry)}
        else:
            said |= {"sha256": file.sha256, "size": file.size}
            said |= {"logged_name": file.name} if file.name is not None else {}
            said |= {"payload": payload_path(file.sha256)} if self.given.payload else {}
        said |= {"leaf_hash": leaf_hash(entry).hex()} if is_known else {}
        return said | ({"proof": self.proofs[self.given.files[self.count]]} if self.proofs else {})

    def find(self, indexes: Mapping[Hash, int]) -> None:
        """Take down which of the entries are in the log, or come a second time."""
        first: set[Hash] = set()
        for number, leaf in enumerate(self.leaves):
            if leaf in indexes or leaf in first:
                self.already += 1
                if number < len(self.entries):
                    at = {"index": indexes[leaf]} if leaf in indexes else {}
                    self.entries[number] |= {"already": True, **at}
            first.add(leaf)

    def finish(self, out: Output, client: LogClient | None) -> None:
        """Print it."""
        lines = [self._line(entry) for entry in self.entries]
        if self.count > len(self.entries):
            lines.append(f"and {self.count - len(self.entries)} more")
        tree = client.accepted.signed if client is not None else None
        where = f"{tree.origin}, size {tree.tree.size}" if tree is not None else "the log"
        known = f", {self.already} are there already" if self.already else ""
        new = self.count - self.already
        lines.append(f"would add {new} of {self.count} entries to {where}{known}; nothing was written")
        out.answer(
            {
                "dry_run": True,
                "count": self.count,
                **({"already": self.already} if self.given.once and client is not None else {}),
                "entries": self.entries,
                "origin": tree.origin if tree is not None else None,
                "size": tree.tree.size if tree is not None else None,
                "published": False,
            },
            *lines,
        )

    def _line(self, entry: dict[str, Any]) -> str:
        what = f"{entry['name']}  {entry['kind']}  sha256:{entry['sha256']}  {entry['size']} bytes"
        if "already" in entry:
            what += f", already in the log at {entry['index']}" if "index" in entry else ", named twice"
        return what
