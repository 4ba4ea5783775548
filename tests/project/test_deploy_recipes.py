"""Recipes whose commands run as they stand there: submit, auditor, witness, monitor, mirror; what their texts name."""

from __future__ import annotations

import json
import re
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.recipes import FOLDER, Shell, blocks, lines
from tests.support.signed_bundles import public, signer
from tiles.inbox.admission import parse_admission
from tiles.inbox.submission import parse_name
from tiles.notes.witness_messages import seen_path
from tiles.records.paths import ANCHOR, DECIDED, HEAD, INBOX, POLICIES, REJECTED, SETTINGS, STAGING
from tiles.tree.layout import CHECKPOINT, TILES

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


def test_a_witness_in_ten_lines(tiletree: Command) -> None:
    """All commands of the page: a directory to be served, which has the log's checkpoint and the witness's line."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k")["vkey"]
    Path("a").write_bytes(b"content")
    tiletree.ok("add", "log", "a", "--key", "k")
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey})
    called = [line for block in blocks("witness", "sh") for line in lines(block)]
    (cron,) = [line for block in blocks("witness", "cron") for line in block.splitlines() if "tiletree" in line]
    said = [shell.run(line) for line in called]
    assert [(done.code, done.err) for done in said] == [(0, "")] * 3
    assert shell.run(cron[cron.index("tiletree") :].partition(" > ")[0]).err == ""
    witness = said[0].out.split()[2]
    Path("policy").write_text(f"log {vkey}\nwitness mine {witness}\nquorum mine\n")
    published = Path("seen") / seen_path("log.example.com")
    assert [path for path in Path("seen").rglob("*") if path.is_file()] == [published]
    Path("log/checkpoint").write_bytes(published.read_bytes())  # as publishing does, which looks there
    assert tiletree.ok("info", "log", "--policy", "policy")["cosigned_by"]
    assert sum(len(block.splitlines()) for kind in ("sh", "cron") for block in blocks("witness", kind)) < 10


def test_a_log_that_is_watched(tiletree: Command) -> None:
    """All commands of the page, in their order; each finds what came since the last, and cron mails that only."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k")["vkey"]
    for name in ("app-1", "app-2", "other"):
        Path(name).write_bytes(name.encode())
    Path("s.key.pub").write_bytes(public(signer()).pem)
    tiletree.ok("add", "log", "app-1", "--name", "--key", "k")
    shutil.copytree("log", "mirror")
    tiletree.ok("init", "public", "--origin", "public.example.com", "--key", "p", "--no-page")
    tiletree.ok("endorse", "log", "--in", "public", "--log-key", "p", "--vkey", vkey)
    shell = Shell(tiletree, {"LOG": "log", "VKEY": vkey, "MIRROR": "mirror", "PUBLIC": "public"})
    trust, begin, cron, compare, endorsed = [line for block in blocks("monitor", "sh") for line in lines(block)]
    assert shell.run(trust).code == shell.run(begin).code == 0
    assert shell.run(cron).out == ""
    for name in ("other", "app-2"):
        tiletree.ok("add", "log", name, "--name", "--key", "k")
    assert shell.run(cron).out == "log.example.com  2  file  name/1=app-*\n"
    assert (shell.run(compare).code, shell.run(compare).out) == (0, "")
    assert (shell.run(endorsed).code, len(list(Path("watched/endorsed").glob("*/new/*")))) == (0, 1)
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
