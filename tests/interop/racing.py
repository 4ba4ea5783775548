"""Writers of one log in object stores, for processes of their own: nothing here takes long to import."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from itertools import count

from tiles.errors import AccessError
from tiles.inbox.submit import submit
from tiles.notes.keys import signing_key
from tiles.signing.signer import Signer
from tiles.store.open_bucket import open_object_store
from tiles.write.sequencer import Sequencer

KEY = signing_key("example.com/log", b"\x07" * 32)

_PER_BATCH = 5
_AT_LEAST = 3  # batches, however long a process takes to begin


def sequencer(urls: dict[str, str]) -> Sequencer:
    """Open a log for writing."""
    stores = {role: open_object_store(url) for role, url in urls.items()}
    return Sequencer(stores["public"], stores["private"], Signer(KEY, stores["anchor"]))


def append_until(urls: dict[str, str], name: str, until: float) -> list[tuple[int, Sequence[bytes]]]:
    """Append batches of a few entries until then, some in any case; return where they were said to be."""
    writer = sequencer(urls)
    said = []
    for number in count():
        if time.time() > until and number >= _AT_LEAST:
            return said
        entries = [f"{name}, batch {number}, entry {i}".encode() for i in range(_PER_BATCH)]
        said.append((writer.append(entries).first_index, entries))
    raise AssertionError


def sequence_until(urls: dict[str, str], name: str, until: float) -> list[bytes]:
    """Submit a few entries, and decide what is in the inbox, again and again until then; return what was submitted."""
    writer = sequencer(urls)
    private = open_object_store(urls["private"], retry=False)
    submitted = []
    for number in count():
        entries = [f"submitted by {name}, {number}, entry {i}".encode() for i in range(2)]
        submit(private, name, entries, secrets.token_bytes(16), log="log")
        submitted += entries
        # to read the inbox takes longer than to append, so this one may always be second while others append without a
        # pause; it says so, and what was submitted waits for the next run
        try:
            writer.sequence()
        except AccessError as error:
            if "other writers were first" not in error.message:
                raise
        if time.time() > until and number >= _AT_LEAST:
            return submitted
    raise AssertionError
