"""Which error decides, where several files of one call have one."""

from __future__ import annotations

import itertools

from tiles.errors import AccessError, ForkError, NotLogged, TileError
from tiletree.several import worst


def test_the_worst_decides() -> None:
    """The first of 7, 1, 8, 3, whatever the order of the files; of two that are as bad, the first file's."""
    made = [("fork", ForkError), ("wrong", TileError), ("never", NotLogged), ("gone", AccessError)]
    for count in range(1, 5):
        for some in itertools.permutations(made[-count:]):
            errors = [(file, kind(file, "x") if kind is TileError else kind(file)) for file, kind in some]
            assert type(worst(errors, "")) is made[-count][1]
    twice = worst([("one", NotLogged("not there")), ("two", NotLogged("neither"))], "2 of 3 files not proven")
    assert twice.message == str(twice) == "2 of 3 files not proven; one: not there"
