"""Kinds of keys that applications declare: found by their entry points, and never more trusted than their results."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tiles.entries import key_kinds
from tiles.entries.key_kinds import Extractor, check_known, extractor, failures, has_key, known_kinds, values_by
from tiles.entries.kinds import Key
from tiles.errors import UsageError
from tiles.index.key_text import key_from, text_of
from tiles.index.record import records_of
from tiles.notes.index_head import MAX_KEYS

EXAMPLE = Path(__file__).parents[2] / "examples" / "keys_of_builds"
KIND = "acme.build/1"
BUILD = b'{"build": "1234", "commit": "ab12"}'

Install = Callable[[dict[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what installs a distribution with entry points; the example's module is in it."""
    monkeypatch.syspath_prepend(tmp_path)
    shutil.copy(EXAMPLE / "acme_build.py", tmp_path)
    forget()

    def distribution(points: dict[str, str], name: str = "acme_build") -> None:
        place = tmp_path / f"{name}-1.0.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{kind} = {value}\n" for kind, value in points.items()]
        (place / "entry_points.txt").write_text("[tiletree.keys]\n" + "".join(lines))

    yield distribution
    forget()


def forget() -> None:
    """Let it be looked for anew what is installed."""
    key_kinds._declared.cache_clear()
    extractor.cache_clear()


def test_an_application(install: Install) -> None:
    """Its kind is known once it is installed: records, keys as text, hits; what it cannot read is counted."""
    with pytest.raises(
        UsageError, match=r"no entry is found by acme\.build/1 here; kinds of keys are leaf/1, sha256/1"
    ):
        check_known(KIND)
    forget()
    install({KIND: "acme_build:values"})
    assert known_kinds()[-1] == KIND
    assert values_by(KIND)(BUILD) == [b"1234", b"ab12"]
    assert has_key(BUILD, key_from(KIND, "1234"))
    assert not has_key(BUILD, key_from(KIND, "12"))
    assert text_of(Key(KIND, b"1234")) == "1234"
    assert values_by(KIND)(b"no record") == []
    assert failures(KIND) == 0
    assert len(records_of(KIND, [BUILD, b"{", b"{}", b'{"build": 5, "commit": ""}', b"x"], 7)) == 2
    assert failures(KIND) == 3
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
def test_what_is_no_kind_of_an_application(points: dict[str, str], install: Install) -> None:
    """Our own kinds stay what they are, and other names are passed over."""
    install(points)
    assert known_kinds() == key_kinds.OWN_KINDS
    assert values_by("leaf/1")(b"") != values_by("sha256/1")(b"")


def test_two_for_one_kind(install: Any) -> None:
    """Nobody can say which one it is: neither."""
    install({KIND: "acme_build:values"})
    install({KIND: "other:values"}, "other")
    assert known_kinds() == key_kinds.OWN_KINDS


def test_one_that_cannot_be_loaded(install: Install) -> None:
    """It is said, by the call that wants it."""
    install({KIND: "acme_build:nothing"})
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
