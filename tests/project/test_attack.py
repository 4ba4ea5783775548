"""`make attack` names tests that are there, and says what came of them."""

from __future__ import annotations

import time

import pytest

from tests.support import attack


def test_every_part_is_there() -> None:
    """No part names a file that was moved, and none is empty."""
    named = [path for part in attack.PARTS.values() for path in part]
    assert [path for path in named if not (attack.ROOT / path).is_file()] == []
    assert len(named) == len(set(named))
    assert all(attack.PARTS.values())


@pytest.mark.parametrize(
    ("program", "code"), [("print('said')", 0), ("raise SystemExit(3)", 3), ("import time; time.sleep(60)", None)]
)
def test_what_came_of_it(program: str, code: int | None) -> None:
    """A part that fails is told from one for which the time was not enough."""
    found, said = attack.run([attack.sys.executable, "-c", program], time.monotonic() + 0.5)
    assert (found, said) == (code, "said\n" if code == 0 else "")
