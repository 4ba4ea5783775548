"""The job that services wake, and its door on AWS Lambda: what wakes it, what it believes, how it fails and ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.check_log import published
from tests.support.command_line import Command
from tests.support.faults import Fault, Faults, GatedStore, Passing
from tests.support.jobs import S3, S3_TEST, SCHEDULED, SQS, Context, Job, direct, job_of
from tests.support.submissions import check_submitted, inbox, submit, submitted, with_inbox
from tests.support.witnesses import away
from tests.support.world import ORIGIN, World, some_entries
from tiles.errors import AccessError, UsageError
from tiles.inbox.admission import Admission
from tiles.inbox.submission import format_submission
from tiles.store import Store
from tiletree.jobs import job
from tiletree.jobs.aws_lambda import MEMORY, RunFailed, handler, options, sender
from tiletree.jobs.job import Deadline, arguments


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the function of a log with submissions of which one is refused."""
    return job_of(with_inbox(3), monkeypatch)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was said since."""
    captured = capsys.readouterr()
    assert captured.err == ""
    return [json.loads(line) for line in captured.out.splitlines()]


# ---- what wakes it


@pytest.mark.parametrize(
    ("event", "by"),
    [
        (SCHEDULED, "schedule"),
        ({"source": "schedule"}, "schedule"),
        (S3, "s3"),
        (S3_TEST, "s3-test"),
        (SQS, "sqs"),
        (direct(), "direct"),
        ({"Records": [{"eventSource": "aws:sns"}]}, "other"),
        ({"Records": [3]}, "other"),
        ({"Records": []}, "other"),
        (None, "other"),
        ("text", "other"),
    ],
)
def test_senders(event: object, by: str) -> None:
    """Only who sent an event is read of it."""
    assert sender(event) == by
    assert options(event) == {}


@pytest.mark.parametrize("event", [SCHEDULED, S3, S3_TEST, SQS, direct(), None], ids=sender)
def test_whatever_wakes_it_it_decides_what_waits(
    event: object, function: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is the document of the command; a queue is told that no message failed; the numbers are one line."""
    expected = submitted(function.world)
    answer = function(event)
    assert (answer["origin"], answer["size"], answer["refused"]) == (ORIGIN, 9, {"eve": 1})
    assert answer.get("batchItemFailures") == ([] if event is SQS else None)
    json.dumps(answer)
    check_submitted(function.world, expected, complete=True)
    (run,) = lines(capsys)
    assert (run["event"], run["outcome"], run["entries"], run["refusals"], run["origin"]) == (
        "run",
        "done",
        6,
        1,
        ORIGIN,
    )
    assert run["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["origin"]]
    assert function(event)["batches"] == []


# ---- options


def test_options_of_a_direct_call(function: Job) -> None:
    """They bound a batch, and come before those of the environment."""
    counts = [batch["count"] for batch in function(direct(max_entries=3))["batches"]]
    assert (sum(counts), max(counts)) == (6, 3)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (direct(watch=1), "'watch' is no option of a job"),
        (direct(private=1), "'private' is no option of a job"),
        (direct(max_entries=0), "--max-entries"),
        (direct(align=2), "align is 2"),
        (direct(max_entries="1 --key=x"), "no direct call"),
        ({"tiletree": 3}, "no direct call"),
        ({"tiletree": {}, "Records": []}, "no direct call"),
    ],
)
def test_options_that_are_refused(event: object, said: str, function: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no option fails before anything is done."""
    before = function.world.contents()
    with pytest.raises(RunFailed, match=r"^UsageError: ") as raised:
        function(event)
    assert said in str(raised.value)
    assert [(line["level"], line["kind"]) for line in lines(capsys)] == [("error", "UsageError")]
    assert function.world.contents() == before


def test_options_of_the_environment() -> None:
    """Each is an argument of the command; an empty one is none; a log has to be named."""
    environment = {
        "TILETREE_LOG": "-log",
        "TILETREE_MAX_ENTRIES": "5",
        "TILETREE_ALIGN": "true",
        "TILETREE_MAX_HOLD": "",
    }
    assert arguments(environment, {}) == ["--max-entries=5", "--align", "--", "-log"]
    assert arguments(environment, {"max_entries": 7, "align": False}) == ["--max-entries=7", "--", "-log"]
    with pytest.raises(UsageError, match="TILETREE_LOG is not set"):
        arguments({}, {})


@pytest.mark.parametrize("name", ["MAX_ENTRIES", "MAX_BYTES", "MAX_HOLD", "ALIGN"])
def test_a_variable_that_is_wrong_is_named(name: str) -> None:
    """Who set a variable is told of the variable, and not of the option of a command that they did not call."""
    with pytest.raises(UsageError, match=rf"^\$TILETREE_{name} is 'ten'$"):
        arguments({"TILETREE_LOG": "log", f"TILETREE_{name}": "ten"}, {})
    assert arguments({"TILETREE_LOG": "log", "TILETREE_MAX_HOLD": "0.5"}, {}) == ["--max-hold=0.5", "--", "log"]


def test_it_is_the_command(
    tiletree: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment names log, private part, anchor and key, as for the command."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--private", "p", "--anchor", "a")
    (tiletree.directory / "home").rename("gone")
    for name, value in {"LOG": "log", "PRIVATE": "p", "KEY": "k", "ANCHOR": "a"}.items():
        monkeypatch.setenv(f"TILETREE_{name}", value)
    Path("f").write_text("f")
    tiletree.ok("submit", "log", "f", "--private", "p", "--submitter", "ann", "--receipt", "r")
    capsys.readouterr()
    assert handler(SCHEDULED, Context())["size"] == 1
    assert lines(capsys)[-1]["publish_latency_seconds"] >= 0
    monkeypatch.setenv("TILETREE_KEY", "nothing")
    with pytest.raises(RunFailed, match=r"^UsageError: .*nothing"):
        handler(SCHEDULED, Context())


# ---- how it fails


def test_a_run_that_fails_raises(function: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """The service counts an error; the lines say what and with which numbers; the next run finishes it."""
    expected = submitted(function.world)
    faults = Faults()
    function.wrap = faults.wrap
    probe = job_operations(function)
    faults.at, faults.fault = probe.index("public swap checkpoint"), Fault.NOT_DONE
    with pytest.raises(RunFailed, match=r"^Unfinished: the entries are committed") as raised:
        function(SCHEDULED)
    assert "the next run finishes this one" in str(raised.value)
    failed, run = lines(capsys)
    assert (failed["event"], failed["kind"], failed["request"]) == ("failed", "Unfinished", "request-1")
    assert (run["event"], run["level"], run["outcome"]) == ("run", "error", "Unfinished")
    function.wrap = Faults().wrap
    function(SCHEDULED)
    check_submitted(function.world, expected, complete=True)


def witnessed(monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the function of a log of 2 of 3 witnesses, of which one is left, with a submission that waits."""
    world = World().witnessed(2, 3).grown(2)
    for each in world.witnesses.values():
        each.now = time.time  # the job has the clock of this machine
    for each in list(world.witnesses.values())[:2]:
        each.lie = away
    submit(world, "ann", 0, format_submission([b"e"]))
    return job_of(world, monkeypatch)


def test_a_quorum_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The run fails, with a number for alarms, and publishes nothing; nothing is lost, and the next one finishes it."""
    function = witnessed(monkeypatch)
    for _ in range(2):
        with pytest.raises(RunFailed, match=r"^Unfinished: .*quorum g is not met"):
            function(SCHEDULED)
        failed, run = lines(capsys)
        assert (failed["kind"], run["outcome"], run["below_quorum"]) == ("Unfinished", "Unfinished", 1)
        checkpoint, _ = published(function.world.stores["public"], function.world.verifier) or (b"", ())
        assert checkpoint.splitlines()[1] == b"2", "nothing is published"
    for each in function.world.witnesses.values():
        each.lie = None
    assert function(SCHEDULED)["size"] == 3
    assert lines(capsys)[-1]["below_quorum"] == 0
    function.world.check()
    function(SCHEDULED)
    assert "below_quorum" not in lines(capsys)[-1], "nobody was asked"


def test_a_log_that_fails_open_is_an_error_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a variable: it is published, every run fails until the quorum is there, and then none does."""
    function = witnessed(monkeypatch)
    function.world.history.quorum = 0
    monkeypatch.setenv("TILETREE_FAIL_OPEN", "true")
    monkeypatch.setenv("TILETREE_WITNESS_TIMEOUT", "2")
    for _ in range(2):
        with pytest.raises(RunFailed, match=r"^BelowQuorum: published below the quorum"):
            function(SCHEDULED)
        assert function.world.size() == 3
        said = lines(capsys)
        assert [each["kind"] for each in said if each["event"] == "failed"] == ["BelowQuorum"]
        assert (said[-1]["outcome"], said[-1]["size"], said[-1]["below_quorum"]) == ("BelowQuorum", 3, 1)
    for each in function.world.witnesses.values():
        each.lie = None
    function(SCHEDULED)
    assert (lines(capsys)[-1]["outcome"], function.world.size()) == ("done", 3)


@pytest.mark.parametrize(("name", "value"), [("WITNESS_TIMEOUT", "0"), ("WAIT_EXTRA", "x"), ("FAIL_OPEN", "perhaps")])
def test_variables_of_witnesses_that_are_none(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong one is refused before anything is done; an empty one is not set."""
    function = witnessed(monkeypatch)
    monkeypatch.setenv(f"TILETREE_{name}", value)
    before = function.world.contents()
    with pytest.raises(RunFailed, match=f"^UsageError: .*{name.lower().replace('_', '-')}"):
        function(SCHEDULED)
    assert function.world.contents() == before
    monkeypatch.setenv(f"TILETREE_{name}", "")
    with pytest.raises(RunFailed, match=r"^Unfinished"):
        function(SCHEDULED)


class _Kept(Passing):
    """A store that deletes nothing of the inbox."""

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path.startswith("inbox/"):
                raise AccessError(f"{path} cannot be deleted")
            super().delete([path])


def test_what_an_operator_should_know_is_a_line(function: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """A remark has a line of its own, which has who woke the job, and the answer has it as a field."""
    function.wrap = _Kept
    answer = function(S3)
    assert answer["undeletable"] == 4
    said = [line for line in lines(capsys) if line["event"] == "remark"]
    assert [(line["level"], line["woken_by"], line["request"]) for line in said] == [("warning", "s3", "request-1")]
    assert "4 decided submissions stay in the inbox" in said[0]["message"]


def job_operations(function: Job) -> list[str]:
    """Return what a run on an equal log does, without doing it here."""
    faults = Faults()
    log = Job(function.world.copy(), faults.wrap).open()
    log.sequence()
    return [what for what, _ in faults.done]


def test_a_frozen_log_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule that outlives its log is an error, so that somebody removes it."""
    world = World().grown(2)
    world.sequencer().freeze()
    with pytest.raises(RunFailed, match=rf"^Refused: {ORIGIN} is frozen.*remove what wakes this job"):
        job_of(world, monkeypatch)(SCHEDULED)
    assert lines(capsys)[-1]["outcome"] == "Refused"


def test_credentials_are_not_said(
    function: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that names an address of the environment names it without them."""
    monkeypatch.setenv("TILETREE_ANCHOR", "https://user:secret@example.com/a")

    def fails(*_given: object, **_named: object) -> None:
        raise AccessError("https://user:secret@example.com/a cannot be reached")

    monkeypatch.setattr(job, "open_sequencer", fails)
    with pytest.raises(RunFailed, match=r"^AccessError: https://example\.com/a cannot be reached$"):
        function(SCHEDULED)
    assert "secret" not in capsys.readouterr().out


def test_a_fault_of_ours_is_an_error(function: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said by its type and its place, never by what it says."""

    def fails(*_given: object, **_named: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(job, "open_sequencer", fails)
    with pytest.raises(RunFailed, match=r"^Unexpected: this is a fault of tiletree itself: KeyError") as raised:
        function(SCHEDULED)
    assert "secret" not in str(raised.value)


# ---- when it ends


def test_no_batch_is_begun_that_might_not_end_in_time(function: Job) -> None:
    """With too little time left, the run ends after a batch, and the next one goes on."""
    assert function(direct(max_entries=2), Context([4_000]))["backlog"]["objects"] > 0
    assert function(SCHEDULED, Context())["backlog"]["objects"] == 0
    assert function.world.size() == 9


def test_how_long_a_batch_may_take() -> None:
    """Twice as long as the longest so far, and what else a run does."""
    times = iter([0.0, 10.0, 12.0, 13.0])
    left = iter([26.0, 26.0, 24.9])
    deadline = Deadline(lambda: next(left), now=lambda: next(times))
    assert [deadline.is_over() for _ in range(3)] == [False, False, True]
    assert Deadline(ended=lambda: True).is_over()
    assert not Deadline().is_over()


# ---- killed and doubled


class _Inside:
    """A wrapper of stores that makes a call before one operation. at: which one, from 0"""

    def __init__(self, at: int, call: Any) -> None:
        self._operations, self._at, self._call = count(), at, call
        self.what = ""

    def wrap(self, store: Store, role: str) -> Store:
        return GatedStore(store, role, self._gate)

    def _gate(self, what: str) -> None:
        if next(self._operations) == self._at:
            self.what = what
            self._call()


def _gates(monkeypatch: pytest.MonkeyPatch) -> int:
    inside = _Inside(-1, None)
    function = job_of(with_inbox(255), monkeypatch)
    function.wrap = inside.wrap
    function(SCHEDULED)
    return next(inside._operations)


@pytest.mark.slow
def test_an_invocation_that_is_killed_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It dies before each operation; the next invocation finishes: each submission is logged once, or refused."""

    class Killed(BaseException):
        """The service has stopped the process."""

    def die() -> None:
        raise Killed

    operations = _gates(monkeypatch)
    assert operations > 30
    for at in range(operations):
        function = job_of(with_inbox(255), monkeypatch)
        expected = submitted(function.world)
        function.wrap = _Inside(at, die).wrap
        with pytest.raises(Killed):
            function(SCHEDULED)
        function.wrap = Job.wrap
        function(SQS)
        assert inbox(function.world) == set()
        check_submitted(function.world, expected, complete=True)
    capsys.readouterr()


@pytest.mark.slow
def test_two_invocations_at_once_lose_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before each operation of one, another one runs from beginning to end."""
    for at in range(_gates(monkeypatch)):
        function = job_of(with_inbox(255), monkeypatch)
        expected = submitted(function.world)

        def second(function: Job = function) -> None:
            function.wrap = Job.wrap
            function(S3)

        function.wrap = _Inside(at, second).wrap
        function(SCHEDULED)
        check_submitted(function.world, expected, complete=True)
    capsys.readouterr()


# ---- its memory


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that lets a submission be larger than the function can hold is refused at once, and nothing is read.

    The service would end the function instead, at each run, and nobody would be told why.
    """
    world = World()
    world.sequencer(admission=Admission(max_submission_bytes=100 << 20, max_payload_bytes=99 << 20)).create()
    submit(world, "ann", 1, format_submission(some_entries("new", 2)))
    before = inbox(world)
    function = job_of(world, monkeypatch)
    for said in ("256", "263"):
        monkeypatch.setenv(MEMORY, said)
        with pytest.raises(RunFailed, match=rf"^Refused: .* takes 264 MiB of memory, and this one has {said} MiB; let"):
            function(SCHEDULED)
    assert inbox(world) == before
    monkeypatch.setenv(MEMORY, "264")
    assert function(SCHEDULED)["size"] == 2


@pytest.mark.parametrize("said", ["128", "", "unlimited", "-1"])
def test_enough_memory(said: str, function: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least that a function can have is enough for the limits that hold unless said; so is what nobody says."""
    monkeypatch.setenv(MEMORY, said)
    assert function(SCHEDULED)["batches"]


def test_memory_of_a_frozen_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no submission, so it is said to be frozen, whatever its policy admits."""
    world = World()
    writer = world.sequencer(admission=Admission(max_submission_bytes=100 << 20))
    writer.create()
    writer.freeze()
    monkeypatch.setenv(MEMORY, "128")
    with pytest.raises(RunFailed, match="is frozen"):
        job_of(world, monkeypatch)(SCHEDULED)
