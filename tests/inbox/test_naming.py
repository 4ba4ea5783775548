"""How a batch names what it decides: every object has a name of its own that a batch can hold."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tiles.inbox.naming import folder, is_by_digest, is_rejection_path, listed_digest, name_digest, name_in_batch
from tiles.inbox.naming import rejection_path as path_of
from tiles.records.staged_batch import Batch, parse_batch

ZEROS = "0" * 64
ODD = ["eve/a b", "eve/ä", "eve/a\nb", "ä/x", "x" * 513, f"eve/{'y' * 600}", f".odd/{ZEROS}", f"eve/.odd/{ZEROS}"]
PLAIN = ["eve/x", "eve/a/b", "x", f"eve/{'0' * 32}-{ZEROS}", ".odd/x", f"a/b/.odd/{ZEROS}"]


@pytest.mark.parametrize("name", [*ODD, *PLAIN])
def test_names(name: str) -> None:
    """A batch can hold it; its digest is that of the object's own name; its refusal has a path of its own."""
    named = name_in_batch(name)
    assert parse_batch(Batch(0, 0, b"", (), ((named, "why"),)).data).refused == ((named, "why"),)
    assert name_digest(named) == listed_digest(name) == sha256(name.encode()).hexdigest()
    assert is_by_digest(named) == (name in ODD)
    assert not is_by_digest(named) or f"inbox/{name}".startswith(folder(named))
    assert is_rejection_path(path_of(named))


def test_no_two_have_one_name() -> None:
    """Names, digests and paths of refusals are all different."""
    named = [name_in_batch(name) for name in [*ODD, *PLAIN]]
    assert len({*named}) == len({*map(path_of, named)}) == len({*map(name_digest, named)}) == len(named)


@pytest.mark.parametrize("path", ["rejected/", "rejected/x", f"rejected/.odd/{ZEROS}/x", f"rejected/.odd/{'A' * 64}"])
def test_not_the_path_of_a_refusal(path: str) -> None:
    """Anything else below `rejected/` is not known."""
    assert not is_rejection_path(path)
