"""What is written next, prepared together with what is written now, so that one sync makes the contents of both last.

A store to which that makes no difference only creates the objects; another one has methods of these names. A directory
writes temporary files (*drafts*), which nobody reads; `create` and `swap` of the same store name them later.
Nothing holds if that does not come, or comes with another content: then that is written as ever, and the draft goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tiles.store import Store

Contents = Mapping[str, bytes]  # by path
Beside = Sequence[tuple[Store, Contents]]  # what is written next in other stores


def create_before_swap(store: Store, objects: Contents, path: str, data: bytes) -> None:
    """Create all objects in a store, in which the next swap is of `path` to `data`, as far as is known."""
    create: Callable[[Contents, str, bytes], None] | None = getattr(store, "create_before_swap", None)
    if create is not None:
        create(objects, path, data)
    else:
        store.create(objects)


def stage(store: Store, objects: Contents, drafts: Contents | None = None, beside: Beside = ()) -> None:
    """Create objects, which last on return. Each path names its content, and nothing refers to it before that.

    So another content at such a path is damage that nobody needs, and a directory replaces it: it names the objects
    before their contents last, and a power cut may leave a name without its content.

    drafts   what is swapped in next, or created, in this store
    beside   the same of other stores; only what is on the same file system is prepared
    """
    create: Callable[[Contents, Contents, Beside], None] | None = getattr(store, "stage", None)
    if create is not None:
        create(objects, drafts or {}, beside)
    else:
        store.create(objects)
        store.barrier()


def forget_drafts(stores: Iterable[Store]) -> None:
    """Remove what was prepared in stores, and is not written any more."""
    for store in stores:
        forget: Callable[[], None] | None = getattr(store, "forget_drafts", None)
        if forget is not None:
            forget()
