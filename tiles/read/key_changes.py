"""The statements of a log about its keys, as a reader or the log's own writer finds them at `keys/<number>`.

They are read in order, from 0, until one is not there. A statement is taken for the log's if a key that is known has
signed it. What it says does not make a key trusted: whoever has stolen a key can sign one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tiles.errors import Malformed, NotFound
from tiles.notes.key_change import (
    MAX_KEY_CHANGE_SIZE,
    MAX_KEY_CHANGES,
    RETIRE,
    KeyChange,
    open_key_change,
    read_key_change,
)
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.note import Note, claimed
from tiles.read.trouble import judged
from tiles.records.paths import key_change_path
from tiles.store import Fetcher, Store, StoreFetcher
from tiles.store.past_caches import fetch_for


def key_changes(fetcher: Fetcher, keys: Iterable[VerifierKey]) -> Iterator[KeyChange]:
    """Yield the statements that are by the log, in their order; those signed by no known key are left out.

    keys   that are known. Those that a statement by them names are known for the statements after it.
    Raises AccessError; LogError for what is no statement, has another number, or a wrong signature.
    """
    known = dict.fromkeys(keys)
    origins = {key.name for key in known}
    for number in range(MAX_KEY_CHANGES):
        path = key_change_path(number)
        try:
            said = fetch_for(fetcher, path, MAX_KEY_CHANGE_SIZE, lambda data: _opened(fetcher.url, number, data, known))  # noqa: B023
        except NotFound:
            return
        if said is not None and said.origin in origins:
            known |= dict.fromkeys((*said.before, said.key))
            yield said


def keys_in_use(public: Store, note: Note, keys: Sequence[VerifierKey]) -> list[str]:
    """Return which of these keys of a log are on a checkpoint of it and were not retired, as a head names them."""
    retired = {said.key for said in key_changes(StoreFetcher(public), keys) if said.action == RETIRE}
    there = [key for _, key in claimed(note, keys) if key not in retired]
    return [key.vkey for key in sorted(there, key=lambda key: key.type not in SIGNS_TEXT)]


def _opened(url: str, number: int, data: bytes, keys: Iterable[VerifierKey]) -> KeyChange | None:
    """Return a statement; None if no known key has signed it."""
    with judged(data, f"{url}/{key_change_path(number)}"):
        said, note = read_key_change(data)
        if said.number != number:
            raise Malformed("key statement", f"it is number {said.number}")
        if not claimed(note, keys):
            return None
        return open_key_change(data, keys)
