"""Names of objects: each is parsed as it is built, and no other text is taken for one."""

from __future__ import annotations

from datetime import date

import pytest

from tiles.records import paths
from tiles.tree.layout import Tile


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1_234_067, 2**63 - 1])
def test_kept_checkpoints(size: int) -> None:
    """The path of a kept checkpoint says its size."""
    assert paths.kept_size(paths.checkpoint_path(size)) == size


@pytest.mark.parametrize(
    "path",
    [
        "",
        "010",
        "x001/234",
        "days/2026-11-28",
        "checkpoints/",
        "checkpoints/1",
        "checkpoints/001.p/4",
        "checkpoints/x001",
        "checkpoints/days/2026-11-28",
    ],
)
def test_not_a_kept_checkpoint(path: str) -> None:
    """Anything else has no size."""
    assert paths.kept_size(path) is None


@pytest.mark.parametrize("kind", ["leaf/1", "acme.build/999"])
@pytest.mark.parametrize(("level", "number"), [(0, 0), (18, 1_234_066)])
def test_runs(kind: str, level: int, number: int) -> None:
    """The path of an object of a run says which run it is."""
    for path in (
        paths.run_file_path(kind, level, number, 3001),
        paths.run_tile_path(kind, level, number, Tile(0, 12)),
        paths.run_tile_path(kind, level, number, Tile(1, 0, 3)),
    ):
        assert paths.run_of(path) == (kind, level, number)
        assert paths.head_kind(path) is None
    assert paths.head_kind(paths.index_head_path(kind)) == kind
    assert paths.run_of(paths.index_head_path(kind)) is None


@pytest.mark.parametrize(
    "path",
    [
        "index/leaf/1",
        "index/leaf/1/0/000",
        "index/leaf/0/0/000/000",
        "index/Leaf/1/0/000/000",
        "index/leaf/1/00/000/000",
        "index/leaf/1/19/000/000",
        "index/leaf/1/0/003/000",
        "index/leaf/1/0/0/000",
        "index/leaf/1/0/x000/000/000",
        "index/leaf/1/0/000/x000/000",
        "index/leaf/1/0/000/000.p/1",
        "index/leaf/1/0/000/tile/entries/000",
        "index/leaf/1/0/000/tile/0/000.p/256",
        "index/leaf/1/head/head",
        "tile/0/000",
    ],
)
def test_not_of_a_run(path: str) -> None:
    """Anything else is of no run, and no head."""
    assert paths.run_of(path) is None
    assert paths.head_kind(path) is None


@pytest.mark.parametrize("day", ["2026-11-28", "0001-01-01", "9999-12-31", "2028-02-29"])
def test_days(day: str) -> None:
    """The path of a day is known as one."""
    assert paths.day_path(date.fromisoformat(day)) == f"checkpoints/days/{day}"
    assert paths.is_day_path(f"checkpoints/days/{day}")


@pytest.mark.parametrize("day", ["2027-02-29", "2026-1-1", "20261128", "2026-11-28/x", "٢٠٢٦-11-28", ""])
def test_not_a_day(day: str) -> None:
    """Anything else is not."""
    assert not paths.is_day_path(f"checkpoints/days/{day}")


@pytest.mark.parametrize("size", [0, 7, 2**63 - 1])
def test_staged_batches(size: int) -> None:
    """The path of a staged batch says the size it leads to."""
    assert paths.staged_size(paths.staged_path(size, "ab" * 32)) == size


@pytest.mark.parametrize(
    "path", ["staging/", f"staging/7-{'AB' * 32}", f"staging/07-{'ab' * 32}", f"staging/{2**63}-{'ab' * 32}", "head"]
)
def test_not_a_staged_batch(path: str) -> None:
    """Anything else has no size."""
    assert paths.staged_size(path) is None
