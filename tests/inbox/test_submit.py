"""Submitting: one object, created by somebody who may do nothing else, and what is known when storage fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiles.errors import AccessError, Denied, NotFound, OutcomeUnknown, UsageError
from tiles.inbox.admission import OPEN, Admission, admit
from tiles.inbox.submission import Name, format_submission, parse_submission
from tiles.inbox.submit import SubmissionUnknown, pack, submit
from tiles.store import Differs, Listed, Object, Version
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import leaf_hash

LOG = "https://log.example.com"
NONCE = bytes(range(16))
LEAVES = (leaf_hash(b"one"), leaf_hash(b""))


# ---- as few objects as possible


@given(
    st.lists(st.lists(st.binary(max_size=40), max_size=8), max_size=8),
    st.integers(1, 6),
    st.integers(64 + 42, 64 + 200),
)
@example([[bytes(40)] * 2], 6, 64 + 42)  # which two of them are not within, for their header
def test_packing(chunks: list[list[bytes]], most: int, size: int) -> None:
    """Nothing is lost or moved, each object is admitted, and no two neighbours would do as one."""
    admission = Admission(max_submission_bytes=size, max_entries=most)
    packed = list(pack(chunks, admission))
    assert [entry for entries in packed for entry in entries] == [entry for chunk in chunks for entry in chunk]
    for entries in packed:
        data = format_submission(entries)
        assert admit(Name("a", NONCE.hex(), sha256(data).hexdigest()).text, data, admission).entries == entries
    for entries, following in pairwise(packed):
        assert len(entries) == most or len(format_submission([*entries, following[0]])) > size - 64


def test_usual_entries_go_into_one_object() -> None:
    """65,536 entries are one object of the policy that logs have; one more makes it two."""
    assert [len(entries) for entries in pack([[b"x" * 200] * 65_537])] == [65_536, 1]
    assert [len(entries) for entries in pack([[bytes(65_535)] * 257])] == [255, 2]


# ---- submitting


class CreateOnly(MemoryStore):
    """A store that lets one create, and nothing else."""

    def read(self, path: str, limit: int | None = None) -> Object:
        raise AccessError(f"{path}: not allowed to read it, nor {limit} bytes")

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        raise AccessError(f"{path}: not allowed to replace {expected} by {data!r}")

    def list(self, prefix: str) -> Iterator[Listed]:
        raise AccessError(f"{prefix}: not allowed to list it")

    def delete(self, paths: Iterable[str]) -> None:
        raise AccessError(f"{paths}: not allowed to delete them")


def test_one_object_is_created_and_nothing_else_done() -> None:
    """Permission to create is enough; the receipt names the object and its entries."""
    private = CreateOnly()
    receipt = submit(private, "ann", [b"one", b""], NONCE, log=LOG)
    assert (receipt.log, receipt.leaves) == (LOG, LEAVES)
    data = MemoryStore.read(private, receipt.name.path).data
    assert parse_submission(data) == [b"one", b""]
    assert receipt.name == Name("ann", NONCE.hex(), sha256(data).hexdigest())
    assert [listed.path for listed in MemoryStore.list(private, "")] == [receipt.name.path]
    assert admit(receipt.name.text, data, OPEN).entries == [b"one", b""]
    assert submit(private, "ann", [b"one", b""], NONCE, log=LOG) == receipt  # the very same object


def test_it_is_made_to_last() -> None:
    """A submission that was answered outlives a power cut."""
    order = []

    class Recording(MemoryStore):
        def create(self, objects: Mapping[str, bytes]) -> None:
            order.append("create")
            super().create(objects)

        def barrier(self) -> None:
            order.append("barrier")

    submit(Recording(), "ann", [b"one"], NONCE, log=LOG)
    assert order == ["create", "barrier"]


@pytest.mark.parametrize(
    ("submitter", "entries", "nonce"),
    [("Ann", [b""], NONCE), ("", [b""], NONCE), ("a/b", [b""], NONCE), ("ann", [], NONCE), ("ann", [b""], b"short")],
)
def test_wrong_calls_create_nothing(submitter: str, entries: list[bytes], nonce: bytes) -> None:
    """A name, entries or a nonce that cannot be are a wrong call, before anything is created."""
    private = MemoryStore()
    with pytest.raises(UsageError):
        submit(private, submitter, entries, nonce, log=LOG)
    assert not list(private.list(""))


class Failing(MemoryStore):
    """A store whose create, or barrier, fails, whether or not the object is there then."""

    def __init__(self, error: Exception, at: str) -> None:
        super().__init__()
        self.error = error
        self.at = at

    def create(self, objects: Mapping[str, bytes]) -> None:
        super().create(objects)
        if self.at == "create":
            raise self.error

    def barrier(self) -> None:
        raise self.error


@pytest.mark.parametrize("at", ["create", "barrier"])
@pytest.mark.parametrize(
    "error", [AccessError("not allowed to read it", hint="look at what is allowed"), OutcomeUnknown("no answer")]
)
def test_what_is_not_known_is_neither_success_nor_loss(error: AccessError, at: str) -> None:
    """An answer that does not say what happened is told as that, with what to look for before trying again."""
    private = Failing(error, at)
    with pytest.raises(SubmissionUnknown, match=r"^it is not known whether inbox/ann/.* was created: ") as unknown:
        submit(private, "ann", [b"one"], NONCE, log=LOG)
    receipt = unknown.value.receipt
    assert receipt.leaves == LEAVES[:1]
    assert [listed.path for listed in private.list("inbox/")] == [receipt.name.path]
    assert error.message in unknown.value.message
    assert error.hint in unknown.value.hint
    assert "look for the entries in the log before you submit them again" in unknown.value.hint
    with pytest.raises(SubmissionUnknown) as unknown:
        submit(Failing(error, at), "ann", [b"one"], NONCE, log=LOG, once=True)
    assert "submit them again: what is in the log by then is not logged a second time" in unknown.value.hint


def test_a_folder_that_is_not_ones_own() -> None:
    """A store that denies it is asked for the folder of a submitter: which one that is, is said."""
    with pytest.raises(Denied, match="not allowed") as denied:
        submit(Failing(Denied("not allowed", hint="look"), "create"), "runner", [b"one"], NONCE, log=LOG)
    assert denied.value.hint == (
        "this call submits as 'runner', into its folder of the inbox; --submitter names another one; look"
    )


@pytest.mark.parametrize("error", [NotFound("no such bucket"), Differs("inbox/x", b"", b"")])
def test_what_is_known_is_said_as_it_is(error: Exception) -> None:
    """Where there is no bucket nothing was created; another content under that name is corruption."""
    with pytest.raises(type(error)) as raised:
        submit(Failing(error, "create"), "ann", [b"one"], NONCE, log=LOG)
    assert raised.value is error
