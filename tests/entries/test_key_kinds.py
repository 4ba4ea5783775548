"""Kinds of keys that applications declare: found by their entry points, and never more trusted than their results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.extractors import declared, forget, install
from tiles.entries import key_kinds
from tiles.entries.key_kinds import Extractor, check_known, failures, keys_of_kind, known_kinds, values_by
from tiles.entries.kind import Key
from tiles.errors import UsageError
from tiles.index.key_text import key_from, text_of
from tiles.index.record import RECORD_SIZE, records_of
from tiles.notes.index_head import MAX_KEYS

KIND = "acme.build/1"
BUILD = b'{"build": "1234", "commit": "ab12"}'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a directory in which distributions are installed."""
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield tmp_path
    forget()


def test_an_application(place: Path) -> None:
    """Its kind is known once it is installed: records, keys as text, hits; what it cannot read is counted."""
    with pytest.raises(
        UsageError, match=r"no entry is found by acme\.build/1 here; kinds of keys are leaf/1, sha256/1"
    ):
        check_known(KIND)
    install(place, declared())
    assert known_kinds()[-1] == KIND
    assert values_by(KIND)(BUILD) == [b"1234", b"ab12"]
    assert keys_of_kind(BUILD, KIND) == [key_from(KIND, "1234"), key_from(KIND, "ab12")]
    assert text_of(Key(KIND, b"1234")) == "1234"
    assert values_by(KIND)(b"no record") == []
    assert failures(KIND) == 0
    assert len(records_of(KIND, [BUILD, b"{", b"{}", b'{"build": 5, "commit": ""}', b"x"], 7)) == 2 * RECORD_SIZE
    assert (failures(KIND), failures(KIND)) == (3, 0)
    assert failures("leaf/1") == 0


@pytest.mark.parametrize(
    "points",
    [
        {"leaf/1": "acme_build:values"},
        {"build/1": "acme_build:values"},
        {"acme.build": "acme_build:values"},
        {"Acme.Build/1": "acme_build:values"},
        {"acme.build/1000": "acme_build:values"},
    ],
)
def test_what_is_no_kind_of_an_application(points: dict[str, str], place: Path) -> None:
    """Our own kinds stay what they are, and other names are passed over."""
    install(place, points)
    assert known_kinds() == key_kinds.OWN_KINDS
    assert values_by("leaf/1")(b"") != values_by("sha256/1")(b"")


def test_two_for_one_kind(place: Path) -> None:
    """Nobody can say which one it is: neither."""
    install(place, {KIND: "acme_build:values"})
    install(place, {KIND: "other:values"}, "other")
    assert known_kinds() == key_kinds.OWN_KINDS


def test_one_that_cannot_be_loaded(place: Path) -> None:
    """It is said, by the call that wants it."""
    install(place, {KIND: "acme_build:nothing"})
    with pytest.raises(
        UsageError, match=r"acme_build:nothing, which computes acme\.build/1, cannot be loaded: Attribute"
    ):
        values_by(KIND)(b"")


def results() -> Iterator[tuple[Callable[[bytes], Any], list[bytes] | None]]:
    """Yield functions, and the values of an entry; None: the function has failed."""

    def late(_: bytes) -> Iterator[bytes]:
        yield b"a"
        raise ValueError

    def endless(_: bytes) -> Iterator[bytes]:
        number = 0
        while True:
            yield b"%d" % number
            number += 1

    yield lambda _: [], []
    yield lambda _: (b"b", b"a", b"b", b""), [b"b", b"a", b""]
    yield lambda _: [bytes(65_535)], [bytes(65_535)]
    yield endless, [b"%d" % number for number in range(MAX_KEYS)]
    yield late, None
    yield lambda _: 1 // 0, None
    yield lambda _: None, None
    yield lambda _: b"ab", None  # numbers
    yield lambda _: ["a"], None
    yield lambda _: [bytearray(b"a")], None
    yield lambda _: [bytes(65_536)], None


@pytest.mark.parametrize("number", range(11))
def test_whatever_a_function_does(number: int) -> None:
    """It yields values, or the entry has none and is counted; never an error, never more than counts."""
    function, expected = list(results())[number]
    made = Extractor(KIND, function)
    assert made.values(b"") == (expected or [])
    assert made.failed == (expected is None)
