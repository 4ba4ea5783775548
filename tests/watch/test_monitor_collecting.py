"""Endorsements that a monitor collects: each once, whatever dies; two that contradict each other are evidence."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.endorsing import (
    OTHER,
    POLICY,
    PRIVATE,
    PUBLIC,
    PUBLIC_POLICY,
    entry_of,
    private_log,
    public_log,
    stated,
)
from tests.support.monitors import Places, Told, tampered
from tests.support.readers import Objects
from tests.support.signed_text import key
from tiles.errors import AccessError, ForkError, HistoryUnknown, NotFound, Refused, TilesError
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy, policy_for, policy_of
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.user import seen_checkpoints
from tiles.watch import monitor_endorsed, monitor_reading, monitor_state
from tiles.watch.monitor import Monitor, Round, Watched
from tiles.watch.monitor_endorsed import EndorsedLog
from tiles.watch.monitor_match import Sought
from tiles.watch.monitor_record import Cursor, parse_position
from tiles.watch.monitor_state import Begin, folder_of

SECOND = key("second.example.com", 64)
LOG = private_log(3, 300, 400)
SOUND = [entry_of(private_log(size)) for size in (3, 300, 400)]
TWIN = entry_of(private_log(300, tag="other", same_up_to=299))
FALSE = stated(TreeHead(7, leaf_hash(b"false")), OTHER)
AMONG = [b"raw", SOUND[0], FALSE, SOUND[1], b"", SOUND[0], SOUND[2]]


class Two(Places):
    """A public log at "public", and the private one that it endorses at "private"."""

    def endorsed(self, *keys: VerifierKey) -> EndorsedLog:
        """Return the private log."""
        return EndorsedLog(self.directory, keys or [PRIVATE.verifier])

    def watched(self, begin: Begin | None = Begin.FIRST, *others: EndorsedLog) -> Watched:
        """Return what a round does."""
        return Watched(Sought(()), begin=begin, endorsed=(self.endorsed(), *others))

    def read(
        self,
        entries: Sequence[bytes],
        watched: Watched | None = None,
        url: str = "public",
        policy: Policy = PUBLIC_POLICY,
    ) -> Round:
        """Do a round of a public log that holds these entries."""
        self.there[url] = Objects(public_log(entries) if url == "public" else second_log(entries))
        return self.go(self.monitor(watched or self.watched(), policy, url))

    def go(self, monitor: Monitor) -> Round:
        """Do a round."""
        told = Told()
        self.troubles = told.troubles
        return monitor.round(told)

    def hold(self, objects: dict[str, bytes], policy: Policy = POLICY) -> list[TilesError]:
        """Do a round of the private log, which shows these objects, and hold it; return what is wrong."""
        self.there["private"] = Objects(objects)
        monitor = self.monitor(self.watched(), policy, "private")
        told = Told()
        monitor.round(told)
        assert told.troubles == []
        monitor.hold(told)
        return told.troubles

    def trees(self, place: str = "*") -> dict[int, bytes]:
        """Return what is kept of the private log's endorsements."""
        return {int(path.name): path.read_bytes() for path in self.endorsed().folder.glob(f"{place}/[0-9]*")}

    def cursors(self) -> tuple[Cursor, ...]:
        """Return how far the public log was looked through."""
        state = folder_of(self.directory, PUBLIC.verifier) / "state"
        return parse_position(state.read_bytes()).endorsed


def second_log(entries: Sequence[bytes]) -> dict[str, bytes]:
    """Return another public log."""
    from tests.support import endorsing  # its key alone differs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endorsing, "PUBLIC", SECOND)
        return public_log(entries)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Two:
    """Return where the logs are put."""
    return Two(monkeypatch, tmp_path)


KEPT = dict(zip((3, 300, 400), SOUND, strict=True))


# ---- collected


def test_each_once(two: Two) -> None:
    """What its key has signed is kept by size, what others signed in its name is counted, and nothing is read twice."""
    (found,) = two.read(AMONG[:4]).endorsed
    assert (found.log.origin, found.first, found.new, found.others) == (PRIVATE.name, 0, 2, 1)
    assert two.cursors() == (Cursor(two.endorsed().id, 0, 4),)
    (found,) = two.read(AMONG).endorsed
    assert (found.new, found.others) == (1, 0)
    assert two.trees("new") == KEPT
    assert two.troubles == []
    asked = two.there["public"]
    assert isinstance(asked, Objects)
    asked.asked.clear()
    two.go(two.monitor(two.watched(), PUBLIC_POLICY, "public"))
    assert not [path for path in asked.asked if path.startswith("tile/entries")]


def test_a_key_that_comes_later(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before is read once more for it, and is neither told nor kept twice."""
    monkeypatch.setattr(monitor_reading, "CHUNK", 2)
    entries = [b"%d" % number for number in range(300)] + AMONG
    two.read(entries[:304], Watched(Sought(()), begin=Begin.FIRST))
    assert two.cursors() == ()
    assert two.read(entries, two.watched(None)).start == 304
    assert two.cursors() == (Cursor(two.endorsed().id, 0, len(entries)),)
    assert two.trees() == KEPT


def test_begun_with_what_is_new(two: Two) -> None:
    """What is there is not looked through, and that is said."""
    two.read(AMONG[:4], two.watched(Begin.NEW))
    (found,) = two.read(AMONG, two.watched(None)).endorsed
    assert (found.first, sorted(two.trees())) == (4, [3, 400])


def test_a_call_that_does_not_name_it(two: Two) -> None:
    """Nothing is forgotten: what is read meanwhile is looked through by the next call that does."""
    two.read(AMONG[:2])
    two.read(AMONG[:4], Watched(Sought(()), begin=None))
    assert two.cursors() == (Cursor(two.endorsed().id, 0, 2),)
    two.read(AMONG)
    assert two.trees() == KEPT


class Died(BaseException):
    """The process is gone."""


def test_a_round_dies_anywhere(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before whichever of its writes: each tree is kept once, evidence is kept, and no entry is left out."""
    monkeypatch.setattr(monitor_reading, "CHUNK", 1)
    left, told = [0], Told()

    def dying(module: object) -> None:
        whole = module.write_file  # type: ignore[attr-defined]

        def write(path: Path, data: bytes) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Died
            whole(path, data)

        monkeypatch.setattr(module, "write_file", write)

    for module in (monitor_state, monitor_endorsed, seen_checkpoints):
        dying(module)
    two.there["public"] = Objects(public_log([*AMONG, TWIN, b"raw"]))
    for number in range(1000):  # writes that are done before it dies
        two.directory = two.directory.with_name(f"state-{number}")
        left[0] = number
        try:
            two.monitor(two.watched(), PUBLIC_POLICY, "public").round(told)
            break
        except Died:
            left[0] = 1000
            assert two.trees().items() <= KEPT.items()
        assert two.monitor(two.watched(), PUBLIC_POLICY, "public").round(told).next == 9
        assert two.trees() == KEPT
        assert (two.endorsed().folder / "count").read_bytes() == b"3\n"
        check_fork(two.evidence(), POLICY)
        assert ForkError in [type(error) for error in told.troubles]
        told.troubles.clear()
    assert number > 15


def test_no_log_endorses_itself(two: Two) -> None:
    """A log is not looked through for its own checkpoints."""
    own = EndorsedLog(two.directory, [PUBLIC.verifier])
    done = two.read(AMONG, two.watched(Begin.FIRST, own))
    assert [each.log.origin for each in done.endorsed] == [PRIVATE.name]
    assert not own.folder.exists()


def test_two_keys_of_one_log(two: Two) -> None:
    """What either has signed counts; with one key more it is another set of keys, and all is looked for again."""
    both = two.endorsed(PRIVATE.verifier, OTHER.verifier)
    (found,) = two.read(AMONG, Watched(Sought(()), begin=Begin.FIRST, endorsed=(both,))).endorsed
    assert (found.new, found.others) == (4, 0)
    assert two.endorsed().id != both.id == two.endorsed(OTHER.verifier, PRIVATE.verifier).id


def test_what_cannot_be_read_of_before(two: Two) -> None:
    """It is a trouble, keeps nobody from reading what is new, and is gone on with once it is back."""
    entries = [b"%d" % number for number in range(300)] + AMONG
    two.read(entries[:305], Watched(Sought(()), begin=Begin.FIRST))
    whole = public_log(entries)
    two.there["public"] = Objects(tampered(whole, **{"tile/entries/000": None}))
    done = two.go(two.monitor(two.watched(None), PUBLIC_POLICY, "public"))
    assert (done.next, done.endorsed) == (len(entries), [])
    assert [type(error) for error in two.troubles] == [NotFound]
    two.there["public"] = Objects(whole)
    two.go(two.monitor(two.watched(None), PUBLIC_POLICY, "public"))
    assert two.trees() == KEPT


def test_what_was_kept_is_gone(two: Two) -> None:
    """It is a trouble, and the log is read all the same; once it is removed, --begin first finds all again."""
    two.read(AMONG[:4])
    folder = two.endorsed().folder
    (folder / "new" / "300").unlink()
    for begin in (None, Begin.FIRST):
        done = two.read(AMONG[:5], two.watched(begin))
        assert [type(error) for error in two.troubles] == [Refused]
        assert (done.next, done.endorsed, two.cursors()[0].next) == (5, [], 4)
    shutil.rmtree(folder)
    two.read(AMONG, two.watched(None))
    assert [type(error) for error in two.troubles] == [Refused]
    two.read(AMONG)
    assert (two.troubles, two.trees()) == ([], KEPT)


def test_an_older_copy_of_the_record(two: Two) -> None:
    """What came after it is looked through again, and nothing is found twice."""
    two.read(AMONG[:2])
    state = folder_of(two.directory, PUBLIC.verifier) / "state"
    before = state.read_bytes()
    two.read([*AMONG, TWIN])
    state.write_bytes(before)
    (found,) = two.read([*AMONG, TWIN]).endorsed
    assert (found.new, found.others, two.trees()) == (0, 1, KEPT)
    check_fork(two.evidence(), POLICY)


# ---- consistent


def test_two_trees_of_one_size(two: Two) -> None:
    """Evidence by the private key alone, told once; the private log is not read."""
    two.read([*AMONG, TWIN])
    (error,) = two.troubles
    assert isinstance(error, ForkError)
    assert ": entry 7 endorses it: " in error.message
    older, newer = check_fork(two.evidence(), POLICY)
    assert older.tree.size == newer.tree.size == 300
    assert two.trees() == KEPT
    two.read([*AMONG, TWIN])
    assert two.troubles == []


def test_over_two_logs(two: Two) -> None:
    """Two that contradict each other in two public logs are found as well."""
    two.read(AMONG)
    two.read([b"raw", TWIN], url="second", policy=policy_for(SECOND.verifier))
    assert [type(error) for error in two.troubles] == [ForkError]
    check_fork(two.evidence(), POLICY)


def test_evidence_that_cannot_be_kept(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is taken again, until it is kept: it is read once only. Where enough is kept, it is gone on."""
    write = seen_checkpoints.write_file

    def full(*_: object, **_words: object) -> None:
        raise AccessError("No space left on device")

    monkeypatch.setattr(seen_checkpoints, "write_file", full)
    with pytest.raises(AccessError, match="No space left"):
        two.read([*AMONG, TWIN])
    assert two.cursors()[0].next == 7
    monkeypatch.setattr(seen_checkpoints, "write_file", write)
    monkeypatch.setattr(seen_checkpoints, "MAX_FORKS", 1)
    third = entry_of(private_log(300, tag="third", same_up_to=299))
    two.read([*AMONG, TWIN, third])
    assert [type(error) for error in two.troubles] == [ForkError, ForkError]
    assert "no more are kept" in two.troubles[1].hint
    check_fork(two.evidence(), POLICY)
    assert two.cursors()[0].next == 9


def test_a_log_that_is_watched_as_well(two: Two) -> None:
    """It is held to all endorsements, each once, whether or not it grew."""
    two.read(AMONG)
    assert two.hold(private_log(3, 300)) != []  # 400 is not there: see below
    assert sorted(two.trees("held")) == [3, 300]
    assert two.hold(LOG) == []
    assert (two.trees("held"), two.trees("new")) == (KEPT, {})
    assert two.hold(private_log(3, 300, 400, 500)) == []


def test_a_history_that_was_changed_afterwards(two: Two) -> None:
    """The endorsement contradicts what the log shows: evidence that its key suffices to check, in each round."""
    two.read(AMONG[:5])
    changed = private_log(3, 500, tag="other", same_up_to=100)
    for _ in range(2):
        (error,) = two.hold(changed)
        assert isinstance(error, ForkError)
        older, newer = check_fork(two.evidence(), POLICY)
        assert (older.tree.size, newer.tree.size) == (300, 500)
    assert sorted(two.trees("held")) == [3]
    assert sorted(two.trees("new")) == [300]


def test_a_log_that_was_put_back(two: Two) -> None:
    """It shows less than was endorsed, and nothing that tells; once it does, it is of one history."""
    two.read(AMONG)
    (error,) = two.hold(private_log(3))
    assert isinstance(error, HistoryUnknown)
    assert two.hold(LOG) == []


def test_held_by_other_keys(two: Two) -> None:
    """A log that is read by fewer keys than its endorsements are known by is not held to them, and that is said."""
    both = two.endorsed(PRIVATE.verifier, OTHER.verifier)
    watched = Watched(Sought(()), begin=Begin.FIRST, endorsed=(both,))
    two.read(AMONG[:2], watched)
    two.there["private"] = Objects(LOG)
    monitor, told = two.monitor(watched, POLICY, "private"), Told()
    monitor.round(told)
    monitor.hold(told)
    assert [type(error) for error in told.troubles] == [Refused]
    monitor = two.monitor(watched, policy_of([PRIVATE.verifier, OTHER.verifier]), "private")
    told = Told()
    monitor.round(told)
    monitor.hold(told)
    assert told.troubles == []


def test_many_that_are_new(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, few names are held at a time."""
    monkeypatch.setattr(monitor_endorsed, "_AT_ONCE", 2)
    two.read([entry_of(private_log(size)) for size in (1, 2, 3, 4, 5)])
    assert two.hold(LOG) == []
    assert sorted(two.trees("held")) == [1, 2, 3, 4, 5]
