"""What is written next, prepared together with what is written now, so that one sync makes the contents of both last.

A store to which that makes no difference only creates the objects. A directory writes temporary files (*drafts*), which
nobody reads; `create` and `swap` of the same store give them their names later. Nothing holds if that does not come, or
comes with another content: then that is written as ever, and the draft is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from tiles.store import Store

Contents = Mapping[str, bytes]  # by path
Beside = Sequence[tuple[Store, Contents]]  # what is written next in other stores


@runtime_checkable
class Drafting(Protocol):
    """A store that can prepare contents."""

    def create_before_swap(self, objects: Contents, path: str, data: bytes) -> None:
        """Create objects, and prepare what is swapped in at a path next."""
        ...

    def stage(self, objects: Contents, drafts: Contents, beside: Beside) -> None:
        """Create objects as `stage` below does."""
        ...

    def forget_drafts(self) -> None:
        """Remove what was prepared, and not used."""
        ...


def create_before_swap(store: Store, objects: Contents, path: str, data: bytes) -> None:
    """Create all objects in a store, in which the next swap is of `path` to `data`, as far as is known."""
    if isinstance(store, Drafting):
        store.create_before_swap(objects, path, data)
    else:
        store.create(objects)


def stage(store: Store, objects: Contents, drafts: Contents | None = None, beside: Beside = ()) -> None:
    """Create objects, which last on return. Each path names its content, and nothing refers to it before that.

    So another content at such a path is damage that nobody needs, and a directory replaces it: it names the objects
    before their contents last, and a power cut may leave a name without its content.

    drafts   what is swapped in next, or created, in this store
    beside   the same of other stores; only what is on the same file system is prepared
    """
    if isinstance(store, Drafting):
        store.stage(objects, drafts or {}, beside)
    else:
        store.create(objects)
        store.barrier()


def forget_drafts(stores: Iterable[Store]) -> None:
    """Remove what was prepared in stores, and is not written any more."""
    for store in stores:
        if isinstance(store, Drafting):
            store.forget_drafts()
