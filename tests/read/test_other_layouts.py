"""Logs that are none of tlog-tiles: named as what they look like, never called damaged."""

from __future__ import annotations

import json

import pytest

from tests.support.readers import Objects, make_log
from tiles.errors import AccessError, NotFound
from tiles.read.other_layouts import check_layout, explained
from tiles.tree.layout import CHECKPOINT

SIZE = 300
SOUND = make_log(SIZE)
MISSING = NotFound("test://log/checkpoint: not found")
PAGE = b"<!DOCTYPE html>\n<html></html>\n"


def moved(old: str, new: str) -> dict[str, bytes]:
    """Return a log in which all that is below one path is below another one."""
    return {new + path.removeprefix(old) if path.startswith(old) else path: data for path, data in SOUND.items()}


def without(prefix: str) -> dict[str, bytes]:
    """Return a log in which all that is below a path is missing."""
    return {path: data for path, data in SOUND.items() if not path.startswith(prefix)}


ELSEWHERE = {
    "certificates": (moved("tile/entries/", "tile/data/"), "static-ct-api"),
    "full tiles only": (moved("tile/entries/001.p/44", "tile/data/001.p/44"), "static-ct-api"),
    "tiles of Go": (moved("tile/0/", "tile/8/0/"), "checksum database of Go"),
    "serverless": (without("tile/") | {"seq/00/00/00/00/00": b"an entry"}, "serverless-log"),
}


@pytest.mark.parametrize(("objects", "name"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_tiles_of_another_layout(objects: dict[str, bytes], name: str) -> None:
    """What is missing is said, and what is there instead."""
    with pytest.raises(NotFound, match=name) as caught:
        check_layout(Objects(objects), SIZE)
    assert "tlog-tiles" in caught.value.hint


NOT_ELSEWHERE = {
    "sound": SOUND,
    "nothing there": {},
    "damaged": without("tile/entries/001"),
    "a host that answers everything": without("tile/") | dict.fromkeys(
        ["tile/data/001.p/44", "tile/8/0/001.p/44", "seq/00/00/00/00/00"], PAGE
    ),
    "no tile of that size": without("tile/0/") | {"tile/8/0/001.p/44": b"33 bytes of something, or so it is"},
}  # fmt: skip


@pytest.mark.parametrize("objects", NOT_ELSEWHERE.values(), ids=NOT_ELSEWHERE.keys())
def test_what_is_no_other_layout(objects: dict[str, bytes]) -> None:
    """A log of ours is left to whoever finds out what is wrong with it."""
    check_layout(Objects(objects), SIZE)
    check_layout(Objects(objects), 0)


CHECKPOINTS = {
    "a checksum database": ({"latest": SOUND[CHECKPOINT]}, "a checksum database of Go"),
    "RFC 6962": ({"ct/v1/get-sth": json.dumps({"tree_size": 5, "timestamp": 1}).encode()}, "RFC 6962"),
    "Rekor, version 1": ({"api/v1/log": json.dumps({"treeSize": 5, "rootHash": ""}).encode()}, "version 1"),
    "Rekor, version 2": ({"api/v2/checkpoint": SOUND[CHECKPOINT]}, "below api/v2"),
}


@pytest.mark.parametrize(("objects", "name"), CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_instead_of_a_checkpoint(objects: dict[str, bytes], name: str) -> None:
    """A log without a checkpoint may be one of another kind."""
    error = explained(Objects(objects), MISSING)
    assert name in error.message
    assert MISSING.message in error.message
    assert "tlog-tiles" in error.hint


@pytest.mark.parametrize("data", [b"", PAGE, b"{}", b"[]", b"[" * 100_000, b"null", b"\xff", b"{" * 2_000_000])
def test_what_is_nothing_known(data: bytes) -> None:
    """Whatever else is there, the error stays as it was."""
    everything = dict.fromkeys(["latest", "ct/v1/get-sth", "api/v1/log", "api/v2/checkpoint"], data)
    assert explained(Objects(everything), MISSING) is MISSING


def test_a_way_that_breaks() -> None:
    """That the others cannot be asked for does not hide what was missing."""

    def broken(_path: str) -> None:
        raise AccessError("no answer")

    objects = Objects({})
    objects.before = broken
    assert explained(objects, MISSING) is MISSING
    check_layout(objects, SIZE)
