"""Looking through all entries: what is found is what a plain loop finds, and nothing else is read for a leaf hash."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.support.entry_texts import ENTRIES, keys_of
from tests.support.readers import Objects
from tests.support.signed_text import LOG
from tests.support.web_logs import log_of
from tiles.entries.kind import Key
from tiles.errors import TileError, UsageError
from tiles.index.scan import scan
from tiles.notes.policy import policy_for
from tiles.read import client as client_module
from tiles.read.client import LogClient

EVERY = [*ENTRIES, *(b"%d" % number for number in range(300)), *list(ENTRIES)[:20]]
KEYS = {entry: set(keys_of(entry)) if entry in ENTRIES else set() for entry in EVERY}
LOGGED = log_of(EVERY)


def client(changes: dict[str, bytes] | None = None) -> LogClient:
    """Return what reads the log."""
    return LogClient(Objects({**LOGGED, **(changes or {})}), policy_for(LOG.verifier))


def test_by_each_key_of_each_entry() -> None:
    """All entries that have it, also those that were logged twice, oldest first."""
    one = client()
    for kind, value in sorted(set().union(*KEYS.values()))[::7]:
        expected = [(index, entry) for index, entry in enumerate(EVERY) if (kind, value) in KEYS[entry]]
        assert list(scan(one, [[Key(kind, value)]])) == expected != []


def test_all_of_several() -> None:
    """An entry has to have one of each; any of one will do."""
    one = client()
    named = [entry for entry in ENTRIES if any(kind == "name/1" for kind, _ in KEYS[entry])][:4]
    for first, second in combinations(named, 2):
        names = [Key(*key) for entry in (first, second) for key in KEYS[entry] if key[0] == "name/1"]
        (leaf,) = (Key(*key) for key in KEYS[first] if key[0] == "leaf/1")
        assert {entry for _, entry in scan(one, [names])} == {first, second}
        assert list(scan(one, [[names[0]], [names[1]]])) == []
        assert {entry for _, entry in scan(one, [names, [leaf]])} == {first}


def test_absent() -> None:
    """All entries are counted, and none is a hit."""
    for kind, value in (("leaf/1", bytes(32)), ("name/1", b"nobody"), ("sha512/1", b"\x01" * 64)):
        counted: list[int] = []
        assert list(scan(client(), [[Key(kind, value)]], progress=counted.append)) == []
        assert sum(counted) == len(EVERY)


def test_nothing_is_left_out_in_silence() -> None:
    """A log that hides or changes what is looked for does not verify."""
    path = "tile/entries/000"
    changed = LOGGED[path].replace(b"name -._~", b"name -.__")
    assert changed != LOGGED[path]
    with pytest.raises(TileError, match=path):
        list(scan(client({path: changed}), [[Key("name/1", b"-._~")]]))


def test_a_large_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked through only when told to; nothing to look for is refused."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", len(EVERY) - 1)
    wanted = [[Key("name/1", b"a")]]
    with pytest.raises(UsageError, match=f"among {len(EVERY)} entries") as refused:
        scan(client(), wanted)
    assert "--scan" in refused.value.hint
    assert len(list(scan(client(), wanted, any_size=True))) == 2
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", client_module.SCAN_LIMIT)
    assert len(list(scan(client(), wanted))) == 2
    with pytest.raises(UsageError, match="nothing is looked for"):
        scan(client(), [])
