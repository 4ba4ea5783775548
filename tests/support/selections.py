"""Inboxes of any content, and what a batch takes of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from hypothesis import strategies as st

from tiles.errors import AccessError
from tiles.inbox.admission import OPEN, Admission
from tiles.inbox.selection import Ask, Found, Limits, Selection, Taken
from tiles.inbox.submission import format_submission
from tiles.inbox.turns import Row, Waiting

NOW = 1_000_000.0
USUAL = Limits()
BROKEN = AccessError("broken on purpose")


@dataclass(frozen=True)
class Item:
    """An object of the inbox: how it is listed, and what reading it comes to."""

    row: Row
    found: Found
    entries: int = 0  # that are admitted

    @property
    def is_good(self) -> bool:
        """Whether it can be taken."""
        return self.entries > 0

    @property
    def is_refused(self) -> bool:
        """Whether it can only be refused."""
        return isinstance(self.found, bytes) and not self.entries


def good(submitter: str, modified: float, number: int, entries: list[bytes] | int = 1) -> Item:
    """Return a submission that is admitted; the number makes its name its own."""
    entries = [b"%d" % number] * entries if isinstance(entries, int) else entries
    data = format_submission(entries)
    name = f"{submitter}/{number:032x}-{sha256(data).hexdigest()}"
    return Item(Row(modified, name, len(data)), data, len(entries))


def changed(item: Item) -> Item:
    """Return an object whose content is not what its name says."""
    assert isinstance(item.found, bytes)
    return Item(item.row, item.found[:-1] + b"!")


def badly_named(item: Item) -> Item:
    """Return an object that is refused unread."""
    return Item(item.row._replace(name=item.row.name + "x"), item.found)


def run(
    items: Iterable[Item],
    limits: Limits = USUAL,
    *,
    size: int = 0,
    now: float = NOW,
    parallel: int = 32,
    seed: str = "seed",
    admission: Admission = OPEN,
) -> tuple[Taken, list[Ask]]:
    """Make a selection, that many questions open at a time; return it, and what was asked."""
    found: dict[str, Found] = {}
    waiting = Waiting(seed, limits.objects)
    for item in items:
        waiting.add(item.row)
        found[item.row.name] = item.found
    selection = Selection(waiting, admission, limits)
    asked: list[Ask] = []
    open_: deque[Ask] = deque()
    while True:
        while len(open_) < parallel and (ask := selection.ask()) is not None:
            open_.append(ask)
            asked.append(ask)
        if not open_:
            return selection.finish(size, now), asked
        first = open_.popleft()
        selection.answer(first, found[first.row.name])


@st.composite
def inboxes(draw: st.DrawFn) -> list[Item]:
    """Draw an inbox: submissions of several people, some of which are gone, broken, changed or badly named."""
    items: list[Item] = []
    for number in range(draw(st.integers(0, 25))):
        entries = [draw(st.sampled_from([b"", b"x" * 10, b"y" * 300]))] * draw(st.integers(1, 12))
        item = good(draw(st.sampled_from("abc")), float(draw(st.integers(0, 4))), number, entries)
        kind = draw(st.sampled_from(["good"] * 4 + ["changed", "badly named", "gone", "unreadable"]))
        if kind == "changed":
            item = changed(item)
        elif kind == "badly named":
            item = badly_named(item)
        elif kind != "good":
            item = Item(item.row, None if kind == "gone" else BROKEN)
        items.append(item)
    return items


def by_name(items: Iterable[Item]) -> Mapping[str, Item]:
    """Return the items by their names."""
    return {item.row.name: item for item in items}


def junk(count: int, submitter: str = "a") -> list[Item]:
    """Return objects that sort first in every way, and are refused."""
    item = badly_named(good(submitter, 0.0, 0))
    return [Item(item.row._replace(name=f"{submitter}/!{n}"), item.found) for n in range(count)]
