"""A log on AWS from nothing, in an emulator: deployed, written by its function on its schedule, read through its CDN.

`terraform apply` uses the provider of `tests.terraform` and hooks that call the emulator by boto3, not HashiCorp's
provider. AWS itself was not tried.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from secrets import token_bytes

import pytest

from tests.interop import probes
from tests.interop.deployed import ORIGIN, SUBMITTER, Actor, Deployment, deployed, tiletree
from tests.interop.emulator import ROOT, Request
from tests.support.check_log import published
from tiles.cost.requests import Requests, Setup, idle, sequence
from tiles.inbox.submission import NONCE_SIZE
from tiles.inbox.submit import submit as submit_entries
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.records.paths import INBOX
from tiles.records.serving import FRESH, IMMUTABLE
from tiles.store.open_bucket import open_object_store

pytestmark = [pytest.mark.interop, pytest.mark.slow]

FIRST = [b"the first entry", b"the second"]
RELEASE = b"a release"
# entries, submissions, logged once: what a run finds of which requests are counted
ROUNDS = ((0, 0, False), (1, 1, False), (3, 3, False), (200, 2, False), (0, 0, False), (300, 1, True), (4, 4, True))
DOUBLED = 3  # rounds in which the function runs twice at once


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The log, begun; entries are submitted and wait for the schedule."""
    pytest.importorskip("boto3")
    with deployed(tmp_path_factory.mktemp("deployed")) as made:
        made.submit(b"".join(entry + b"\n" for entry in FIRST))
        yield made


@pytest.fixture(scope="module")
def submitted() -> list[bytes]:
    """Every entry that was submitted so far."""
    return list(FIRST)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Let this process have what somebody has in the environment, and no other credentials."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in actor.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def administrator(log: Deployment) -> dict[str, str]:
    """Credentials of who may do everything by IAM."""
    return probes.administrator(log)


def entries(log: Deployment) -> tuple[bytes, ...]:
    """Return all entries of the log, read as the operator and recomputed."""
    with acting(Actor(log.folder, log.operator_variables())):
        found = published(open_object_store(log.outputs["log"]), log.verifier)
    assert found is not None
    return found[1]


def read_through_cdn(log: Deployment) -> list[bytes]:
    """Return all entries of the log, as any reader verifies them, without credentials."""
    with acting(log.reader):
        client = LogClient(open_log(log.url), policy_for(log.verifier), origin=ORIGIN)
        size = client.visit().signed.tree.size
        return [entry for _, entry in client.entries(0, size)]


def waiting(log: Deployment) -> list[str]:
    """Return the submissions in the inbox."""
    listed = log.emulator.client("s3").list_objects_v2(Bucket=log.bucket("private"), Prefix=INBOX)
    return [one["Key"] for one in listed.get("Contents", [])]


def submit(log: Deployment, submitted: list[bytes], *own: bytes, once: bool = False) -> None:
    """Submit entries as one submission, with the submitter's credentials."""
    with acting(log.submitter):
        private, nonce = open_object_store(log.outputs["private"]), token_bytes(NONCE_SIZE)
        submit_entries(private, SUBMITTER, own, nonce, log=log.url, once=once)
    submitted.extend(own)


def rest(log: Deployment) -> None:
    """Stop the schedule, and log what waits."""
    log.set_schedule("DISABLED")
    succeeded, answer = log.invoke()
    assert succeeded, answer
    assert waiting(log) == []


def check_each_once(log: Deployment, submitted: list[bytes]) -> None:
    """Fail unless the log has each entry that was submitted once, and the inbox is empty."""
    assert waiting(log) == []
    assert Counter(entries(log)) == Counter(submitted)


def test_the_second_plan_is_empty(log: Deployment) -> None:
    """Nothing is to be changed after `apply`; what is then changed by hand is in the plan."""
    assert log.plan() == ""
    s3, bucket = log.emulator.client("s3"), log.bucket("log")
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    fewer = json.loads(policy)
    fewer["Statement"] = [each for each in fewer["Statement"] if each["Sid"] != "WriteOnce"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(fewer))
    planned = log.plan()
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert "WriteOnce" in planned
    assert "0 to add, 1 to change, 0 to destroy" in planned


def test_the_schedule_publishes_what_was_submitted(log: Deployment, submitted: list[bytes]) -> None:
    """Within two minutes, by the function; a reader without credentials verifies it through the CDN."""
    until = time.monotonic() + 130
    while waiting(log) and time.monotonic() < until:
        time.sleep(1)
    log.set_schedule("DISABLED")
    check_each_once(log, submitted)
    vkey = log.verifier.vkey
    assert log.operator.tiletree("key", "show", log.outputs["log"])["vkey"] == vkey
    assert log.reader.tiletree("audit", log.url, "--vkey", vkey)["findings"] == []

    (log.submitter.home / "release").write_bytes(RELEASE)
    submitted.append(RELEASE)
    words = ["--private", log.outputs["private"], "--submitter", SUBMITTER, "--vkey", vkey, "--raw", "--wait"]
    with log.submitter.start(tiletree("submit", log.url, *words, "release")) as waits:
        while not waiting(log) and waits.poll() is None:
            time.sleep(0.2)
        succeeded, answer = log.invoke()
        out, err = waits.communicate(timeout=100)
    assert succeeded, answer
    assert waits.returncode == 0, err
    assert json.loads(out)["logged"]
    (log.reader.home / "release").write_bytes(RELEASE)
    (log.reader.home / "proof").write_bytes((log.submitter.home / "release.tlog-proof").read_bytes())
    verified = log.reader.tiletree("verify", "release", "--proof", "proof", "--vkey", vkey)
    assert verified["verified"]
    read = read_through_cdn(log)
    assert read == submitted
    print(f"read through {log.outputs['url']} and verified by {vkey}: {len(read)} entries; {verified}")


def test_headers(log: Deployment) -> None:
    """The CDN says how long each object may be kept, that any page may read the log, and what the page may load."""
    rest(log)
    checkpoint, tile = (log.ask("GET", f"{log.url}/{path}").headers for path in ("checkpoint", "tile/0/000.p/2"))
    page = log.ask("GET", f"{log.url}/").headers
    assert checkpoint["Cache-Control"] == FRESH
    assert tile["Cache-Control"] == IMMUTABLE
    assert {each["Access-Control-Allow-Origin"] for each in (checkpoint, tile, page)} == {"*"}
    assert {each["X-Content-Type-Options"] for each in (checkpoint, tile, page)} == {"nosniff"}
    assert page["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert page["X-Frame-Options"] == "DENY"


def test_rights(log: Deployment, submitted: list[bytes], administrator: dict[str, str]) -> None:
    """Each role can do what it needs and nothing else; the table shows each call."""
    rest(log)
    submit(log, submitted, b"waits for the probes")
    (own,) = waiting(log)
    calls = [
        *probes.of_submitter(log, own),
        *probes.of_sequencer(log, own),
        *probes.of_others(log, administrator),
        *probes.of_reader(log),
    ]
    probes.check(calls, probes.NOT_TRIED)


def test_a_function_that_is_killed_loses_nothing(log: Deployment, submitted: list[bytes]) -> None:
    """It is killed before each write of a run in turn; the next run finishes, and each entry is logged once."""
    spared = [who["AWS_ACCESS_KEY_ID"] for who in (ROOT, log.submitter.environment)]
    rest(log)
    deaths = 0
    while True:
        submit(log, submitted, b"killed before write %d" % (deaths + 1))
        log.emulator.kill_before(deaths + 1, *spared)
        succeeded, answer = log.invoke()
        if log.emulator.forgive():
            break
        assert not succeeded, answer
        deaths += 1
        succeeded, answer = log.invoke()
        assert succeeded, answer
        check_each_once(log, submitted)
    assert succeeded, answer
    assert deaths >= 8, "a run makes more writes than that"
    check_each_once(log, submitted)
    print(f"killed before each of {deaths} writes; {len(submitted)} entries, each there once")


def test_functions_that_run_twice_at_once_lose_nothing(log: Deployment, submitted: list[bytes]) -> None:
    """Whoever loses does nothing twice, and each entry is logged once."""
    rest(log)
    outcomes: Counter[bool] = Counter()
    races = 0
    for number in range(DOUBLED):
        for part in range(3):
            submit(log, submitted, b"doubled %d %d" % (number, part))
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: log.invoke(), range(2)))
        outcomes.update(succeeded for succeeded, _ in answers)
        races += sum(answer.get("retries", 0) for _, answer in answers)
    assert outcomes[True] >= DOUBLED
    check_each_once(log, submitted)
    ended = f"{outcomes[True]} succeeded, {outcomes[False]} failed, {races} races lost"
    print(f"{2 * DOUBLED} invocations, two at a time: {ended}")


def test_requests_are_those_that_cost_computes(log: Deployment, submitted: list[bytes]) -> None:
    """What runs ask for, counted by the emulator, is what the formulas of `tiletree cost` say, within 5 %."""
    rest(log)
    counted, computed = Requests(), Requests()
    public_keys = runs = 0
    for count, submissions, once in ROUNDS:
        base = len(submitted)
        for number in range(submissions):
            own = [b"costs %d %d %d" % (base, number, each) for each in range(count // submissions)]
            submit(log, submitted, *own, once=once)
        before = len(log.emulator.requests())
        succeeded, answer = log.invoke()
        assert succeeded, answer
        asked = log.emulator.requests()[before:]
        counted += requests_of_function(log, asked)
        public_keys += sum(each.operation == "GetPublicKey" for each in asked)
        runs += 1
        setup = Setup(key_in_service=True, once=once)
        computed += sequence(setup, base, count, submissions) if count else idle(setup)
    check_each_once(log, submitted)
    for kind in (each.name for each in fields(Requests)):
        print(f"{kind:6} counted {getattr(counted, kind):5.0f}, computed {getattr(computed, kind):5.0f}")
        assert getattr(counted, kind) == pytest.approx(getattr(computed, kind), rel=0.05), kind
    print(f"the public key was asked for {public_keys} times in {runs} runs")
    month = json.loads(log.operator.run(tiletree("cost", "--entries-per-day", 1000)))
    print(f"a month of 1000 entries a day: {month['dollars']:.2f} dollars")


def requests_of_function(log: Deployment, asked: Sequence[Request]) -> Requests:
    """Return how many requests of each kind were not made by the test, nor by the submitter."""
    others = {"", *(who["AWS_ACCESS_KEY_ID"] for who in (ROOT, log.submitter.environment))}
    kinds = Counter(kind_of(each) for each in asked if each.access_key not in others)
    return Requests(**{kind: number for kind, number in kinds.items() if kind})


def kind_of(request: Request) -> str:
    """Return as what a request is charged; "" for those of which there is one for each process."""
    if request.service == "kms":
        return "sign" if request.operation == "Sign" else ""
    if "delete" in request.query or request.method == "DELETE":
        return "delete"
    if "list-type" in request.query:
        return "list"
    return {"PUT": "put", "GET": "get", "HEAD": "get"}[request.method]


def test_a_submission_wakes_the_function(log: Deployment, submitted: list[bytes]) -> None:
    """With `wake_up`, which is added to what is there; the schedule rests."""
    assert log.apply(wake_up=True, wake_up_seconds=1).startswith("Resources: 4 added, 1 changed, 0 destroyed")
    log.set_schedule("DISABLED")
    submit(log, submitted, b"wakes the function")
    began = time.monotonic()
    while waiting(log) and time.monotonic() < began + 60:
        time.sleep(0.2)
    print(f"logged {time.monotonic() - began:.0f} s after it was submitted")
    check_each_once(log, submitted)


def test_withheld(log: Deployment) -> None:
    """The CDN is denied what the log withholds, readers are told, and the log is sound."""
    rest(log)
    said = log.with_role("sequencer").tiletree("withhold", log.outputs["log"], 0, "--reason", "case 1")
    log.apply(withheld_paths=said["deny"])
    bundle = f"{log.url}/tile/entries/000.p/2"
    assert log.status(bundle) == 403
    report = log.reader.tiletree("audit", log.url, "--vkey", log.verifier.vkey)
    assert (report["findings"], [each["index"] for each in report["withheld"]]) == ([], [0])
    log.apply(withheld_paths=[])
    assert log.status(bundle) == 200


def test_frozen(log: Deployment, submitted: list[bytes], administrator: dict[str, str]) -> None:
    """Nothing runs, nobody signs or writes any more, and readers read on."""
    rest(log)
    log.operator.tiletree("freeze", log.outputs["log"], "--yes")
    sequencer = log.emulator.assume(log.outputs["sequencer_role_arn"])
    alice = log.emulator.assume(log.outputs["submitter_role_arns"][SUBMITTER])
    log.apply(frozen=True)
    assert log.emulator.client("lambda").list_functions()["Functions"] == []
    probes.check(probes.of_frozen(log, sequencer, alice, administrator))
    assert read_through_cdn(log) == list(entries(log))
    assert Counter(entries(log)) == Counter(submitted)


def test_destroy(log: Deployment) -> None:
    """Nothing of it is left but the key, which waits for its deletion."""
    said = log.terraform("destroy", "-auto-approve")
    assert "Destroy complete" in said
    s3, key = log.emulator.client("s3"), log.emulator.client("kms").describe_key(KeyId=log.key_id)
    roles = [role["RoleName"] for role in log.emulator.client("iam").list_roles()["Roles"]]
    assert s3.list_buckets()["Buckets"] == []
    assert [role for role in roles if role.startswith(log.variables["name"])] == []
    assert log.emulator.client("lambda").list_functions()["Functions"] == []
    assert key["KeyMetadata"]["KeyState"] == "PendingDeletion"
