"""What an audit and a repair read past every cache: what is missing, malformed, or does not hash to what it should."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.support.audits import LARGE, SMALL, changed, gone, last_bit, log
from tests.support.caches import HUGE_PAGE, PAGE, WRONG, Caching
from tests.support.readers import Objects
from tests.support.repairs import check_repaired, damaged, public, run
from tests.support.repairs import log as grown
from tests.support.sampling import quickly
from tiles.tree.layout import CHECKPOINT
from tiles.upkeep.audit import audit
from tiles.upkeep.objects import MISSING

KEPT: dict[str, Callable[[bytes], bytes | None]] = {
    **WRONG,
    "a huge page": lambda _data: HUGE_PAGE,
    "another bit": last_bit,
    "too long": lambda data: data + b"\0",
}
LOST = ("tile/entries/001", "tile/0/001", "tile/entries/002.p/88", "tile/0/002.p/88", "tile/1/000.p/2")


def kept(objects: Mapping[str, bytes], *paths: str, change: Callable[[bytes], bytes | None]) -> dict[str, bytes | None]:
    """Return what a cache has of some objects."""
    return {path: change(objects[path]) for path in paths}


# ---- audits


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT.keys())
@pytest.mark.parametrize("path", log(SMALL)[1])
def test_an_audit_past_a_cache(path: str, change: Callable[[bytes], bytes | None]) -> None:
    """What is wrong in a cache only is no finding; nothing else is asked for past it but what is judged with it."""
    tree, objects = log(SMALL)
    fetcher = Caching(objects, kept(objects, path, change=change), parallel=2)
    assert audit(fetcher, tree).findings == ()
    place = path.partition(".")[0]
    edge = {one for one in objects if ".p/" in one and "entries" not in one} if ".p/" in path else set()
    assert path in fetcher.anew
    assert set(fetcher.anew) <= edge | {path, place, place.replace("entries", "0"), place.replace("/0/", "/entries/")}


@pytest.mark.parametrize("change", quickly([KEPT["gone"], last_bit, KEPT["a page"]], [last_bit]))
@pytest.mark.parametrize(
    "paths",
    quickly(
        [["1/000"], ["0/257"], ["entries/255"], ["2/000.p/1"], ["2/000.p/1", "1/000", "1/001.p/2", "0/003"]],
        [["2/000.p/1", "1/000", "1/001.p/2", "0/003"]],
    ),
)
def test_an_audit_of_a_large_log(paths: list[str], change: Callable[[bytes], bytes | None]) -> None:
    """The same where there is a full tile above level 0, and where a parent and what is below it are kept wrong."""
    tree, objects = log(LARGE)
    fetcher = Caching(objects, kept(objects, *(f"tile/{path}" for path in paths), change=change))
    assert audit(fetcher, tree).findings == ()


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT.keys())
def test_a_cache_in_which_nothing_is_right(change: Callable[[bytes], bytes | None]) -> None:
    """All of a log is read past its cache if need be."""
    tree, objects = log(SMALL)
    assert audit(Caching(objects, kept(objects, *objects, change=change)), tree).findings == ()


@pytest.mark.parametrize("change", [gone, last_bit, KEPT["cut short"]], ids=["gone", "a bit", "cut short"])
@pytest.mark.parametrize("path", log(SMALL)[1])
def test_then_it_is_the_logs_fault(path: str, change: Callable[[bytes], bytes | None]) -> None:
    """What the log's own server has wrong is found, once, in the words of an audit that no cache stands before."""
    tree, objects = log(SMALL)
    wrong = changed(objects, (path, change))
    found = audit(Objects(wrong), tree).findings
    assert [finding.path for finding in found] == [path]
    for data in (wrong.get(path), PAGE, None):
        assert audit(Caching(wrong, {path: data}), tree).findings == found


@pytest.mark.parametrize("path", ["tile/0/001", "tile/entries/001", "tile/0/002.p/88", "tile/1/000.p/2"])
def test_what_a_cache_has_and_the_log_has_not(path: str) -> None:
    """What only a cache has, and wrong, is not there."""
    tree, objects = log(SMALL)
    found = audit(Caching(changed(objects, (path, gone)), kept(objects, path, change=last_bit)), tree).findings
    assert [(finding.path, finding.problem) for finding in found] == [(path, MISSING)]


def test_a_partial_tile_that_was_collected() -> None:
    """A partial tile that is gone is cut from the full one, which a cache may have wrong."""
    tree, objects = log(300, 600)
    before = log(300)[0]
    partial = changed(objects, ("tile/0/001.p/44", gone), ("tile/entries/001.p/44", gone))
    for change in (KEPT["damaged"], KEPT["a page"], KEPT["gone"]):
        fetcher = Caching(partial, kept(objects, "tile/0/001", "tile/entries/001", change=change))
        assert audit(fetcher, before).findings == ()
    assert tree.size == 600


# ---- repairs from a mirror


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT.keys())
def test_a_repair_past_a_cache(change: Callable[[bytes], bytes | None]) -> None:
    """What a cache before a mirror has wrong is read from the mirror itself, its checkpoint too."""
    original = grown(600)
    world = damaged(original, *((path, gone) for path in LOST))
    objects = public(original)
    mirror = Caching(objects, kept(objects, *LOST, CHECKPOINT, change=change))
    assert run(world, mirror).findings == ()
    check_repaired(world, original)


@pytest.mark.parametrize("change", quickly(KEPT.values(), [KEPT["gone"], last_bit]))
def test_a_mirror_that_has_grown(change: Callable[[bytes], bytes | None]) -> None:
    """What is cut from a larger tree's tiles is read past a cache, too."""
    original = grown(600)
    objects = public(grown(600, 100))
    for path in LOST[2:4]:
        del objects[path]
    world = damaged(original, *((path, gone) for path in LOST))
    larger = ["tile/entries/002.p/188", "tile/0/002.p/188"]
    assert run(world, Caching(objects, kept(objects, *larger, change=change))).findings == ()
    check_repaired(world, original)


def test_a_mirror_that_has_nothing() -> None:
    """What a mirror has wrong, or not at all, past every cache is not written."""
    original = grown(600)
    world = damaged(original, *((path, gone) for path in LOST[:2]))
    before = public(world)
    objects = changed(public(original), (LOST[0], last_bit), (LOST[1], gone))
    for have in ({}, dict.fromkeys(LOST[:2], PAGE), dict.fromkeys(LOST[:2], None)):
        done = run(world, Caching(objects, have))
        assert {finding.path for finding in done.findings} == set(LOST[:2])
        assert public(world) == before
