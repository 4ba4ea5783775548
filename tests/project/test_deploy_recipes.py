"""Recipes whose commands run as they stand there: submit, auditor, witness, monitor, mirror; what their texts name."""

from __future__ import annotations

import json
import re
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support.bucket_logs import owner_only
from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tests.support.recipes import FOLDER, Shell, blocks, lines
from tests.support.signed_bundles import public, signer
from tiles.inbox.admission import parse_admission
from tiles.inbox.submission import parse_name
from tiles.notes.witness_messages import seen_path
from tiles.records.paths import ANCHOR, DECIDED, HEAD, INBOX, POLICIES, REJECTED, SETTINGS, STAGING
from tiles.tree.layout import CHECKPOINT, TILES
from tiles.user.files import create_file

NAME = f"{'0' * 32}-{'1' * 64}"
OTHERS = [
    *(f"{INBOX}{name}" for name in (f"docs/{NAME}", f"ci2/{NAME}", NAME, f"/ci/{NAME}")),
    *(f"{folder}ci/{NAME}" for folder in (STAGING, POLICIES, DECIDED, REJECTED, TILES)),
    *(HEAD, SETTINGS, ANCHOR, CHECKPOINT),
]


def test_a_submitter_may_create_submissions_and_nothing_else() -> None:
    """Both clouds' texts cover what `submit` writes as `ci`, and no other object of a log."""
    policy, trust = map(json.loads, blocks("submit", "json"))
    (allowed,) = policy["Statement"]
    assert (allowed["Effect"], allowed["Action"]) == ("Allow", "s3:PutObject")
    assert allowed["Condition"] == {"Null": {"s3:if-none-match": "false"}}  # the header has to be there
    (condition,) = blocks("submit", "cel")
    found = re.fullmatch(r'resource\.name\.startsWith\("(.*)"\)\n', condition)
    assert found is not None
    (workflow,) = blocks("submit", "yaml")
    place = re.search(r"TILETREE_PRIVATE: s3://(\S+?)/(\S+)", workflow)
    assert place is not None
    assert "--submitter ci " in workflow
    bucket, prefix = place.groups()
    assert parse_name(f"ci/{NAME}").submitter == "ci"
    for path, may in [(f"{INBOX}ci/{NAME}", True), *((path, False) for path in OTHERS)]:
        assert fnmatchcase(f"arn:aws:s3:::{bucket}/{prefix}/{path}", allowed["Resource"]) == may, path
        assert f"projects/_/buckets/{bucket}/objects/{prefix}/{path}".startswith(found[1]) == may, path
    (role,) = trust["Statement"]
    (subject,) = (value for key, value in role["Condition"]["StringEquals"].items() if key.endswith(":sub"))
    environment = re.search(r"^    environment: (\S+)$", workflow, flags=re.MULTILINE)
    assert environment is not None
    assert subject == f"repo:OWNER/PROJECT:environment:{environment[1]}"


def test_the_job_that_submits(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command asks for what was built; what the page's policy admits is logged by the next run."""
    (policy,) = blocks("submit", "admission")
    assert parse_admission(policy.encode()).submitters == ("ci", "docs")
    Path("policy").write_text(policy)
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k", "--admission", "policy")["vkey"]
    Path("dist").mkdir()
    Path("dist/app-1.0.whl").write_bytes(b"what was built")
    monkeypatch.setenv("TILETREE_PRIVATE", "log.private")
    (call,) = [line for block in blocks("submit", "yaml") for line in lines(block)]
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey})
    assert shell.run(call.replace(" --timeout 900", " --timeout 0")).code == 8  # nothing has run yet
    assert tiletree.ok("sequence", "log", "--key", "k")["size"] == 1
    assert shell.run(call).code == 0
    verified = tiletree("verify", "dist/app-1.0.whl", "--proof", "app-1.0.whl.tlog-proof", "--vkey", vkey)
    assert verified.code == 0


def test_the_month_of_an_auditor(tiletree: Command) -> None:
    """All commands of the page, in their order, of a log that grows; one that forks ends with exit code 7."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k")["vkey"]
    Path("app-1.0.whl").write_bytes(b"what was built")
    Path("s.key.pub").write_bytes(public(signer()).pem)
    tiletree.ok("add", "log", "app-1.0.whl", "--key", "k")
    tiletree.ok("index", "build", "log", "--key", "k")
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey})
    codes = {}
    for line in [line for block in blocks("auditor", "sh") for line in lines(block)]:
        done = shell.run(line)
        codes[line.partition(" ")[2]] = done.code
        assert "today.json" not in line or not done.err  # cron would mail it
    assert [call for call, code in codes.items() if code] == ['search "$LOG" --key s.key.pub'], codes
    assert codes['search "$LOG" --key s.key.pub'] == 8
    assert json.loads(Path("today.json").read_text())["trust"] == "remembered"


WITNESSES = {"directory": 0, "bucket": 1}  # which block of the page has its commands


def witness_and_log(tiletree: Command, kind: str, address: str) -> Shell:
    """Run the commands of the page, and what the log's operator does before and after; return what ran them.

    address   where what the witness publishes is served
    The log does not wait for this witness; what it has cosigned is in a proof that is made after `refresh`.
    """
    block = blocks("witness", "sh")[WITNESSES[kind]]
    init, begin, run = lines(block)
    (cron,) = [line for text in blocks("witness", "cron") for line in text.splitlines() if "tiletree" in line]
    vkey = tiletree.ok("key", "generate", "log.example.com", "--out", "k")["vkey"]
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey})
    said = shell.run(init)
    assert (said.code, said.err) == (0, "")
    Path("policy").write_text(f"log {vkey}\n{said.out.strip()} {address}\nquorum none\n")
    tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k", "--policy", "policy")
    Path("a").write_bytes(b"content")
    tiletree.ok("add", "log", "a", "--key", "k")
    for line in (begin, run, cron[cron.index("tiletree") :].partition(" > ")[0]):
        assert shell.run(line).err == "", line
    assert tiletree.ok("refresh", "log", "--key", "k")["cosigned_by"] == ["mine"]
    tiletree.ok("prove", "log", "a", "-o", "p", "--vkey", vkey)
    Path("policy").write_text(f"log {vkey}\n{said.out.strip()}\nquorum mine\n")
    assert tiletree.ok("verify", "a", "--proof", "p", "--policy", "policy")["cosigned_by"]
    return shell


def test_a_witness_in_ten_lines(tiletree: Command) -> None:
    """All commands of the page: a directory to be served, from which the witness's line gets into the log's proofs."""
    witness_and_log(tiletree, "directory", str(Path("seen").absolute()))
    published = Path("seen") / seen_path("log.example.com")
    assert [path for path in Path("seen").rglob("*") if path.is_file()] == [published]
    first = blocks("witness", "sh")[0] + blocks("witness", "cron")[0]
    assert len(first.splitlines()) < 10


def test_a_witness_in_a_bucket(tiletree: Command, s3: ObjectServer) -> None:
    """The same in a bucket that anyone can read; what `begin` and `run` ask for is what the page has rights for."""
    (text,) = blocks("witness", "json")
    single, every = json.loads(text)["Statement"]
    bucket, folder = single["Resource"].removeprefix("arn:aws:s3:::").removesuffix("/*").split("/")
    assert every["Resource"] == f"arn:aws:s3:::{bucket}"
    owner_only(s3, bucket)
    shell = witness_and_log(tiletree, "bucket", f"{s3.url}/{bucket}/{folder}")
    path = f"{folder}/{seen_path('log.example.com')}"
    assert set(s3.objects[bucket]) == {path}
    first = next(number for number, one in enumerate(s3.requests) if one.key == path)  # what came before is of `init`
    rights = {f"s3:{kind}" for kind in ("GetObject", "PutObject", "ListBucket")}
    assert {*single["Action"], every["Action"]} == rights
    kinds = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}
    asked = [one for one in s3.requests[first:] if one.bucket == bucket and "add-checkpoint" not in one.key]
    assert {one.key for one in asked} == {path}
    assert {kinds[one.kind] for one in asked} == set(single["Action"])
    (workflow,) = [line for block in blocks("witness", "yaml") for line in lines(block)]  # on a machine with no more
    key, config = Path("witness.conf.ed25519.key").read_text(), Path("witness.conf").read_text()
    shutil.rmtree(tiletree.directory / "home")
    for file in Path().glob("witness.conf*"):
        file.unlink()
    Path("witness.conf").write_text(config)
    create_file(Path("witness.conf.ed25519.key"), key.encode())
    assert shell.run(workflow).code == 0
    s3.remove(bucket, path)
    assert shell.run("tiletree witness run witness.conf").code == 4


def test_a_log_that_is_watched(tiletree: Command) -> None:
    """All commands of the page, in their order; each finds what came since the last, and cron mails that only."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k")["vkey"]
    for name in ("app-1", "app-2", "other"):
        Path(name).write_bytes(name.encode())
    Path("s.key.pub").write_bytes(public(signer()).pem)
    tiletree.ok("add", "log", "app-1", "--name", "--key", "k")
    shutil.copytree("log", "mirror")
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey, "MIRROR": "mirror"})
    trust, begin, cron, compare = [line for block in blocks("monitor", "sh") for line in lines(block)]
    assert shell.run(trust).code == shell.run(begin).code == 0
    assert shell.run(cron).out == ""
    for name in ("other", "app-2"):
        tiletree.ok("add", "log", name, "--name", "--key", "k")
    assert shell.run(cron).out == "log.example.com  2  file  name/1=app-*\n"
    assert (shell.run(compare).code, shell.run(compare).out) == (0, "")
    (kept,) = Path("watched").glob("*/matches.jsonl")
    assert [json.loads(line)["index"] for line in kept.read_text().splitlines()] == [0, 2]
    for line in [line for block in blocks("monitor", "cron") for line in block.splitlines() if "tiletree" in line]:
        assert "--quiet" in line
        assert "--begin" not in line


def test_a_mirror(tiletree: Command) -> None:
    """All commands of the page, in their order."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k", "--no-page")["vkey"]
    Path("app-1.0.whl").write_bytes(b"what was built")
    tiletree.ok("add", "log", "app-1.0.whl", "--key", "k")
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey})
    for line in [line for block in blocks("mirror", "sh") for line in lines(block)]:
        done = shell.run(line)
        assert done.code == 0, (line, done)
    assert shell.ran == ["mirror", "mirror", "audit", "info", "get", "key", "mirror", "mirror"]


@pytest.mark.parametrize(("name", "secrets", "kept"), [("small-project", 2, 2), ("submit", 0, 0)])
def test_workflows_have_the_form_of_ours(name: str, secrets: int, kept: int) -> None:
    """Actions by digests, the least rights, secrets as values of steps; nothing is run for a pull request.

    kept   how many checkouts keep their credentials, because they push
    """
    workflow = blocks(name, "yaml")[0]
    used = re.findall(r"uses: (.*)$", workflow, flags=re.MULTILINE)
    assert used
    assert all(re.fullmatch(r"(actions|aws-actions)/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used)
    assert re.search(r"^permissions:( \{\}|\n  contents: read\n)", workflow, flags=re.MULTILINE)
    assert "pull_request" not in workflow
    assert workflow.count("secrets.") == secrets
    assert sum("checkout@" in each for each in used) - workflow.count("persist-credentials: false") == kept
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert "it\nhas not been run on GitHub" in text or "it has not been run on GitHub" in text
