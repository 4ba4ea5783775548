"""What terraform/gcp lets the sequencer do, against the names of objects and against what runs really write.

That the policies say what the table says is checked by `make terraform`, which needs Terraform.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from tests.support.faults import Passing
from tests.support.submissions import with_inbox
from tests.support.world import ROLES
from tests.terraform.gcp_iam import BucketPolicy, holds
from tests.terraform.gcp_rights import TABLE, granted, matches
from tests.terraform.log_objects import ROWS, Row, names_without_a_row
from tiles.entries.kind import LEAF
from tiles.log import Log
from tiles.notes.index_head import RUN_ENTRIES
from tiles.signing.signer import Signer
from tiles.store import Version


def test_every_name_has_a_row() -> None:
    """Each kind of object that `tiles.records.paths` names has a row."""
    assert names_without_a_row() == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.part} {row.path}")
def test_the_table(row: Row) -> None:
    """The sequencer may do what it has to do with an object, and nothing else."""
    assert granted(row.part, row.path) == row.may


def test_every_pattern_is_needed() -> None:
    """No right is given for objects that there are not."""
    for part, rights in TABLE.items():
        for pattern in (each for patterns in rights.values() for each in patterns):
            assert any(matches(pattern, row.path) for row in ROWS if row.part == part and row.may), (part, pattern)


class Rights(Passing):
    """A store that refuses what the table does not allow."""

    def _check(self, what: str, paths: Iterable[str]) -> None:
        for path in paths:
            folder = path[: path.rfind("/") + 1]
            there = any(listed.path == path for listed in self.inner.list(folder))
            needed = "overwrite" if what == "swap" and there else "create" if what == "swap" else what
            assert needed in granted(self.role, path), f"{needed} {self.role} {path}"

    def create(self, objects: Mapping[str, bytes]) -> None:
        self._check("create", objects)
        super().create(objects)

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        self._check("swap", [path])
        return super().swap(path, data, expected)

    def delete(self, paths: Iterable[str]) -> None:
        paths = list(paths)
        self._check("delete", paths)
        super().delete(paths)


def test_runs_need_no_more() -> None:
    """A log is begun, grows, decides submissions, indexes its entries and is frozen with these rights."""
    world = with_inbox(0)
    public, private, anchor = (Rights(world.stores[role], role) for role in ROLES)
    log = Log(public, private, Signer(world.key, anchor))
    log.create()
    log.build_index(LEAF)
    log.append([b"%d" % number for number in range(RUN_ENTRIES)])
    done = log.sequence()
    assert (len(done.took), len(done.refused)) == (3, 1)
    assert log.build_index(LEAF).tree.size == RUN_ENTRIES
    log.freeze()
    written = {listed.path.partition("/")[0] for listed in public.list("")}
    assert written == {"checkpoint", "checkpoints", "index", "policy.txt", "tile"}


def test_conditions() -> None:
    """A condition is judged as Google Cloud judges it, or not at all."""
    name = "projects/_/buckets/b/objects/index/leaf/1/head"
    assert holds('resource.name == "x" || resource.name.startsWith("projects/_/buckets/b/objects/index/")', name)
    assert not holds('resource.name.startsWith("projects/") && resource.name.endsWith("/heads")', name)
    for unknown in ("resource.name.matches('.*')", 'resource.name.startsWith("a"', 'resource.name == "a")', "true"):
        with pytest.raises(ValueError, match="no condition"):
            holds(unknown, name)


def test_limits() -> None:
    """A condition with too many operators is found, and one on what everyone may do, and too many bindings."""
    long = " || ".join(['resource.name == "a"'] * 14)
    bindings = [{"role": "r", "members": ["allUsers"], "condition": {"title": "t", "expression": long}}] * 21
    assert len(BucketPolicy("b", bindings).problems()) == 43
