"""Submitting entries to a log that one may not write: an object in its inbox, then watching the public log for them.

    receipt = submit(private, "ann", entries, secrets.token_bytes(16), log=url)
    indexes = wait_until_logged(client, receipt, since_size, 600.0)

The submitter needs permission to create below `inbox/<submitter>/` of the private part, and no other there.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from tiles.errors import AccessError, Denied, HistoryUnknown, NotFound, NotLogged, OutcomeUnknown, UsageError
from tiles.inbox.admission import OPEN, Admission
from tiles.inbox.attachments import Attachments
from tiles.inbox.receipt import Receipt
from tiles.inbox.submission import NONCE_SIZE, Name, check_submitter, format_submission
from tiles.read.client import LogClient
from tiles.store import Store
from tiles.store.address import shown_address
from tiles.tree.merkle import Hash, leaf_hashes

FIRST_LOOK = 5.0  # seconds that a look at the log may take, even where the time to wait is over sooner
PAUSE = (2.0, 4.0)  # seconds between looks at the log: a random number between these, so that not all look at once

_HEADER_SIZE = 64  # bytes, at most, of a submission before its entries


class SubmissionUnknown(OutcomeUnknown):
    """It is not known whether a submission was created; `receipt` says what to look for if it was."""

    def __init__(self, message: str, receipt: Receipt, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.receipt = receipt


def pack(chunks: Iterable[Sequence[bytes]], admission: Admission = OPEN) -> Iterator[list[bytes]]:
    """Yield the entries, in order, in as few submissions as a policy admits."""
    held: list[bytes] = []
    size = _HEADER_SIZE
    for chunk in chunks:
        for entry in chunk:
            needed = 2 + len(entry)
            if held and (size + needed > admission.max_submission_bytes or len(held) == admission.max_entries):
                yield held
                held, size = [], _HEADER_SIZE
            held.append(entry)
            size += needed
    if held:
        yield held


def submit(
    private: Store,
    submitter: str,
    entries: Sequence[bytes],
    nonce: bytes,
    *,
    log: str,
    once: bool = False,
    attached: Mapping[int, Attachments] | None = None,
) -> Receipt:
    """Put entries into the inbox of a log, as one object, and return what to keep of it.

    nonce      16 random bytes, never used before. With the hash of the content they make a name that nobody else can
               have used: an object that has it already is this one
    log        the log's address; the receipt has its shown form, without credentials
    once       ask that what is in the log already is not logged again
    attached   by what entries are judged, and files to be published with them, by their positions from 0
    Whether the log admits them is decided later. Raises UsageError; SubmissionUnknown if storage does not say that
    the object is there.
    """
    check_submitter(submitter)
    if len(nonce) != NONCE_SIZE:
        raise UsageError(f"a nonce has {NONCE_SIZE} bytes, not {len(nonce)}")
    data = format_submission(entries, once=once, attached=attached)
    name = Name(submitter, nonce.hex(), sha256(data).hexdigest())
    receipt = Receipt(shown_address(log), name, tuple(leaf_hashes(entries)), once)
    try:
        private.create({name.path: data})
        private.barrier()
    except NotFound:  # there is no such bucket: nothing was created
        raise
    except Denied as error:  # nothing was created, either
        whose = f"this call submits as {submitter!r}, into its folder of the inbox; --submitter names another one"
        error.hint = f"{whose}; {error.hint}" if error.hint else whose
        raise
    except AccessError as error:
        # After a lost answer the store tries again, is told that the object is there already, and reads it back. A
        # submitter who may only create is denied that. So no such error says that nothing was created.
        hint = (
            "submit them again: what is in the log by then is not logged a second time"
            if once
            else "look for the entries in the log before you submit them again, or they may be logged twice"
        )
        raise SubmissionUnknown(
            f"it is not known whether {name.path} was created: {error.message}",
            receipt,
            hint=f"{error.hint}; {hint}" if error.hint else hint,
        ) from error
    return receipt


def wait_until_logged(
    client: LogClient,
    receipt: Receipt,
    since_size: int,
    timeout: float,
    *,
    known: Mapping[Hash, int] | None = None,
    paused: Callable[[float], object] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    rng: random.Random | None = None,
) -> list[int]:
    """Follow the public log until the entries of a submission are in it, and return their indexes.

    since_size   a size that the log had before the submission: entries before it are not looked at
    known        for a submission of what is to be logged once: the entries that were there, by leaf hash
    paused       told after each pause how many seconds it was
    timeout      seconds; the log is looked at once at least, for up to FIRST_LOOK if it has that many entries
    clock        seconds since any fixed moment
    Afterwards the client's tree has the entries. While the log cannot be read, reading is tried again. After `timeout`
    raises NotLogged, or AccessError if the log could not be read by then; at once LogError if the log is not sound, and
    HistoryUnknown if it may be another one than was seen: no waiting makes up for that.
    """
    rng = rng or random.SystemRandom()
    deadline = clock() + timeout
    look_until = max(deadline, clock() + FIRST_LOOK)
    search = _Each(receipt.leaves, since_size, known or {}) if receipt.once else _Row(receipt.leaves, since_size)
    while True:
        trouble: AccessError | None = None
        try:
            if (indexes := _look(client, search, lambda: clock() >= look_until)) is not None:
                return indexes
        except HistoryUnknown:
            raise
        except AccessError as error:
            trouble = error
        left = deadline - clock()
        if left <= 0:
            seen = f"{receipt.name.path} is not in the log so far, up to size {search.at}"
            hint = (
                "it may still be logged, or have been refused: keep the receipt, and ask who runs the log before "
                "submitting again"
            )
            if trouble is not None:
                raise AccessError(f"{seen}; {trouble.message}", hint=hint) from trouble
            raise NotLogged(seen, hint=hint)
        pause = min(left, rng.uniform(*PAUSE))
        sleep(pause)
        paused(pause)


def _look(client: LogClient, search: _Row | _Each, is_over: Callable[[], bool]) -> list[int] | None:
    """Look at what the log has more now; return where all that was wanted is, None if it is not there so far."""
    if (indexes := search.see([])) is not None:  # all of it was there before
        return indexes
    size = client.visit().signed.tree.size
    for hashes in client.leaves(search.at, size) if size > search.at else ():
        if (indexes := search.see(hashes)) is not None:
            return indexes
        if is_over():  # a log says itself how many entries it has
            break
    return None


class _Each:
    """Searches a stream of hashes for each of several, in any order; some are known to be somewhere already."""

    def __init__(self, wanted: Sequence[Hash], at: int, known: Mapping[Hash, int]) -> None:
        self.at = at  # the index of the next hash to be seen
        self._wanted = wanted
        self._found = {leaf: known[leaf] for leaf in wanted if leaf in known}
        self._missing = set(wanted) - self._found.keys()

    def see(self, hashes: Sequence[Hash]) -> list[int] | None:
        """Take in the next hashes; return the index of each one wanted once all are known."""
        for index, hash_ in enumerate(hashes, self.at):
            if hash_ in self._missing:
                self._found[hash_] = index
                self._missing.remove(hash_)
        self.at += len(hashes)
        return None if self._missing else [self._found[leaf] for leaf in self._wanted]


class _Row:
    """Searches a stream of hashes for a sequence of them, by the algorithm of Knuth, Morris and Pratt.

    Whatever the log holds, each of its hashes is looked at about once.
    """

    def __init__(self, wanted: Sequence[Hash], at: int) -> None:
        self.at = at  # the index of the next hash to be seen
        self._wanted = wanted
        self._matched = 0  # how many of the first hashes wanted are the last ones seen
        self._shorter = [0]  # for each number of matching hashes, from 1: the next smaller number that matches too
        for hash_ in wanted[1:]:
            self._shorter.append(self._next(self._shorter[-1], hash_))

    def see(self, hashes: Sequence[Hash]) -> list[int] | None:
        """Take in the next hashes; return the index of each one wanted once all have followed in order."""
        for hash_ in hashes:
            self.at += 1
            self._matched = self._next(self._matched, hash_)
            if self._matched == len(self._wanted):
                return list(range(self.at - self._matched, self.at))
        return None

    def _next(self, matched: int, hash_: Hash) -> int:
        while matched and self._wanted[matched] != hash_:
            matched = self._shorter[matched - 1]
        return matched + (self._wanted[matched] == hash_)
