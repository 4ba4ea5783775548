"""The package for AWS Lambda, as it is uploaded, run by the service's own client on the Python it is made for.

S3 is moto's. What runs it is not the service: NOT TESTED here are its Linux, its rights and its clock.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.interop.environments import installed, make_package
from tests.interop.lambda_runtime import invoke
from tests.interop.pythons import python_3_13
from tests.support.jobs import SCHEDULED, SQS, direct
from tests.support.object_server_stores import moto_environment
from tests.support.world import some_entries
from tiles.inbox.submit import submit
from tiles.log import Log
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.signing.signer import Signer
from tiles.store import StoreFetcher, probe
from tiles.store.open_bucket import open_boto3_client, open_object_store

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ORIGIN = "log.example.com"


@pytest.fixture(scope="module")
def python() -> Path:
    """Return a Python 3.13 that has the service's client and nothing else; skips the test where there is none."""
    return installed("lambda_client", python_3_13())


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where the service would have unpacked the package for this machine."""
    folder = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(make_package(folder)) as archive:
        archive.extractall(folder / "task")
    return folder / "task"


def test_the_package_runs(python: Path, package: Path) -> None:
    """Schedule, queue and direct calls log what waits; a call that is wrong fails and the next one does not."""
    key = signing_key(ORIGIN, bytes(range(32)))
    places = {role: f"s3://{role}/log" for role in ("public", "private", "anchor")}
    with moto_environment() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(probe, "ROUNDS", 1)
        patch.setattr(probe, "RACERS", 1)  # moto lets two writers win now and then
        for role in places:
            open_boto3_client(places[role])[0].create_bucket(Bucket=role)
        stores = {role: open_object_store(place) for role, place in places.items()}
        Log(stores["public"], stores["private"], Signer(key, stores["anchor"])).create()
        for number in range(3):
            submit(stores["private"], "ann", some_entries(f"call {number}", 2), bytes([number]) * 16, log="the log")
        own = {
            **{name: value for name, value in environment.items() if name.startswith("AWS_")},
            "TILETREE_LOG": places["public"],
            "TILETREE_PRIVATE": places["private"],
            "TILETREE_ANCHOR": places["anchor"],
            "TILETREE_PRIVATE_KEY": key.skey,
        }
        answers, said = invoke(python, package, [direct(max_entries=2), direct(x=1), SQS, SCHEDULED], own)
        client = LogClient(StoreFetcher(stores["public"]), policy_for(key.verifier))
        entries = [entry for _, entry in client.entries(0, client.tree.size)]
    assert [answer.failed for answer in answers] == [False, True, False, False], said
    first, wrong, queue, schedule = (answer.document for answer in answers)
    assert [batch["count"] for batch in first["batches"]] == [2, 2, 2]
    assert (wrong["errorType"], wrong["errorMessage"][:12]) == ("RunFailed", "UsageError: ")
    assert queue["batchItemFailures"] == schedule["batches"] == []
    assert schedule["size"] == 6
    assert entries == [entry for number in range(3) for entry in some_entries(f"call {number}", 2)]
    runs = [json.loads(line) for line in said.splitlines() if '"_aws"' in line]
    assert [run["entries"] for run in runs] == [6, 0, 0]
    assert key.skey not in said
