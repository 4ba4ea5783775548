"""The statements of a log about its keys, as a reader or the log's own writer finds them at `keys/<number>`.

They are read in order, from 0, until one is not there. Which of them are the log's, `tiles.notes.key_history` says.
What they say does not make a key trusted: whoever has stolen a key can sign one.
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
from tiles.notes.key_history import KeyHistory, history_of
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.note import Note, claimed
from tiles.read.client import LogClient
from tiles.read.trouble import judged
from tiles.records.paths import key_change_path
from tiles.store import Fetcher, Store, StoreFetcher
from tiles.store.past_caches import fetch_for


def key_history(fetcher: Fetcher, keys: Iterable[VerifierKey]) -> KeyHistory:
    """Return what a log says of its keys, as far as it follows from those that are known.

    Raises AccessError; LogError for what is no statement, has another number, or a wrong signature.
    """
    known = tuple(keys)
    return history_of(known, list(_statements(fetcher, [key for key in known if key.type in SIGNS_TEXT])))


def history_of_client(client: LogClient) -> KeyHistory:
    """Return what the log that a client reads says of its keys. Raises what `key_history` raises."""
    return key_history(client.fetcher, client.policy.keys_of(client.accepted.signed.origin))


def key_changes(fetcher: Fetcher, keys: Iterable[VerifierKey]) -> list[KeyChange]:
    """Return the statements that are by the log, in their order; those signed by no known key are left out.

    keys   that are known. Those that a statement by them names are known for the other statements.
    Raises what `key_history` raises.
    """
    return [each.change for each in key_history(fetcher, keys).said]


def keys_in_use(public: Store, note: Note, keys: Sequence[VerifierKey]) -> list[str]:
    """Return which of these keys of a log are on a checkpoint of it and were not retired, as a head names them."""
    retired = {said.key for said in key_changes(StoreFetcher(public), keys) if said.action == RETIRE}
    there = [key for _, key in claimed(note, keys) if key not in retired]
    return [key.vkey for key in sorted(there, key=lambda key: key.type not in SIGNS_TEXT)]


def _statements(fetcher: Fetcher, known: Sequence[VerifierKey]) -> Iterator[tuple[KeyChange, Note]]:
    """Yield the statements that are there, whoever has signed them; a wrong signature by a known key is refused."""
    for number in range(MAX_KEY_CHANGES):
        try:
            yield fetch_for(
                fetcher,
                key_change_path(number),
                MAX_KEY_CHANGE_SIZE,
                lambda data: _opened(fetcher.url, number, data, known),  # noqa: B023
            )
        except NotFound:
            return


def _opened(url: str, number: int, data: bytes, known: Sequence[VerifierKey]) -> tuple[KeyChange, Note]:
    with judged(data, f"{url}/{key_change_path(number)}"):
        said, note = read_key_change(data)
        if said.number != number:
            raise Malformed("key statement", f"it is number {said.number}")
        if claimed(note, known):
            open_key_change(data, known)
        return said, note
