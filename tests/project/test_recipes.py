"""The recipes: their commands do what they say, in the order in which they stand there; their workflows have the form
that this repository's own has."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.recipes import FOLDER, Shell, blocks, lines
from tests.support.signed_bundles import ARTIFACT, bundle_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import authority, log_instance

WORKFLOWS = {"github-actions": "yaml", "gitlab-ci": "yaml"}
PINNED = re.compile(r"actions/[\w-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+")
CI = FOLDER.parents[1] / ".github" / "workflows" / "ci.yml"


@pytest.fixture
def built(tiletree: Command) -> Command:
    """Return the command where something was built."""
    Path("dist").mkdir()
    Path("dist/app-1.0.whl").write_bytes(b"what was built")
    Path("provenance.json").write_text('{"buildDefinition":{"buildType":"https://example.com/build/v1"}}')
    return tiletree


def test_attestations(built: Command) -> None:
    """Every command; the id leads to the statement, for which alone the gate lets the file pass."""
    (gate,) = blocks("attestations", "gate")
    Path("gate.txt").write_text(gate)
    shell = Shell(built)
    for line in [line for block in blocks("attestations", "sh") for line in lines(block)]:
        done = shell.run(line)
        assert done.code == 0, (line, done)
    assert shell.ran == ["init", "key", "trust-root", "attest", "attest", "get", "get", "search", "verify"]
    uuid = shell.variables["UUID"]
    assert shell.variables["URL"] == f"https://log.example.com/#uuid={uuid}"
    assert Path("again.json").read_text().count('"already": true') == 1
    statement = json.loads(b64decode(json.loads(Path("statement.dsse").read_bytes())["payload"]))
    assert statement["predicate"] == json.loads(Path("provenance.json").read_bytes())
    built.ok("sign", "dist/app-1.0.whl", "--log", "log", "--key", "s.key", "--log-key", "log.key")
    verify = ("verify", "dist/app-1.0.whl", "--trusted-root", "trust/trusted_root.json", "--require", "gate.txt")
    other = built(*verify)
    assert (other.code, "the file itself is signed, and line 1 of gate.txt demands" in other.err) == (1, True)


def test_gate(tiletree: Command) -> None:
    """Both commands of the page, with its own example: the first refuses a workflow's file that a key has signed."""
    (example,) = blocks("gate", "gate")
    key = public(signer())
    for folder in ("dist", "keys"):
        Path(folder).mkdir()
    Path("gate.txt").write_text(example)
    Path("keys/config.pub").write_bytes(key.pem)
    Path("trusted_root.json").write_bytes(authority().trusted_root_bytes(log_instance(LOG.verifier)))
    for name in ("dist/api-service-1.4.tgz", "dist/config.yaml"):
        Path(name).write_bytes(ARTIFACT)
        for bundle in (f"{name}.sigstore.json", "config.yaml.sigstore.json"):
            Path(bundle).write_bytes(bundle_of().data)
    several, one = (line for block in blocks("gate", "sh") for line in lines(block))
    shell = Shell(tiletree, {"DIGEST": sha256(ARTIFACT).hexdigest()})
    refused = shell.run(several)
    assert refused.code == 1
    assert f"signed by the key {key.hint.hex()}, and lines 3 or 4 of gate.txt demand" in refused.err
    Path("gate.txt").write_text(re.sub(r"key [0-9a-f]{64}", f"key {key.hint.hex()}", example))
    assert shell.run(several).code == 0
    assert shell.run(one).code == 0


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_do_what_they_say(built: Command, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The commands of both jobs, with a log in a directory: what the first signs, the second lets pass."""
    built.ok("init", "log", "--origin", "log.example.com", "--key", "log.key")
    built.ok("key", "generate", "--signing", "--out", "s.key")
    built.ok("trust-root", "log", "--out", "trust")
    Path("gate.txt").write_text("*.whl key s.key.pub\n")
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", Path("log.key").read_text())
    monkeypatch.setenv("TILETREE_PRIVATE", "log.private")
    monkeypatch.setenv("TILETREE_ANCHOR", "log.key.anchor")
    Path("log.key").unlink()
    shell = Shell(built, {"RUNNER_TEMP": "."}, log="log")
    sign, gate = (line for block in blocks(name, "yaml") for line in lines(block))
    done = shell.run(sign)
    assert done.code == 0, done
    done = shell.run(gate)
    assert done.code == 0, done
    assert shell.ran == ["sign", "verify"]


def test_the_workflow_of_github_has_the_form_of_ours() -> None:
    """Actions by digests, which are ours; the least rights; secrets only where they are needed, as variables."""
    workflow, gate = blocks("github-actions", "yaml")
    used = re.findall(r"uses: (.*)$", workflow, flags=re.MULTILINE)
    assert len(used) == 2
    assert all(PINNED.fullmatch(action) and f"uses: {action}" in CI.read_text() for action in used)
    assert re.findall(r"^permissions:\n((?: .*\n)+?)jobs:", workflow, flags=re.MULTILINE) == ["  contents: read\n"]
    assert "persist-credentials: false" in workflow
    assert "pull_request" not in workflow
    before, _, after = workflow.partition("- name: sign and log\n")
    assert "secrets." not in before
    variables, _, commands = after.partition("run: |")
    assert variables.count("secrets.") == 4
    assert "secrets." not in commands + gate


def test_the_workflow_of_a_witness_has_the_same_form() -> None:
    """And no pull request, nor a push by anybody, starts it."""
    (workflow,) = blocks("witness", "yaml")
    used = re.findall(r"uses: (.*)$", workflow, flags=re.MULTILINE)
    assert all(PINNED.fullmatch(action) and f"uses: {action}" in CI.read_text() for action in used)
    assert re.findall(r"^on:\n((?: .*\n)+?)permissions:\n((?: .*\n)+?)concurrency:", workflow, flags=re.MULTILINE) == [
        ('  schedule:\n    - cron: "*/15 * * * *"\n', "  contents: read\n")
    ]
    before, _, after = workflow.partition("- name: cosign\n")
    variables, _, commands = after.partition("run: |")
    assert (before.count("secrets."), variables.count("secrets."), commands.count("secrets.")) == (0, 3, 0)


def test_the_jobs_of_gitlab_have_no_secret_in_them() -> None:
    """Only names of variables and places are written down, and the job that signs runs for tags alone."""
    sign, gate = blocks("gitlab-ci", "yaml")
    assert "    - if: $CI_COMMIT_TAG\n" in sign
    assert set(re.findall(r"\$(\w+)", sign + gate)) == {"CI_COMMIT_TAG", "SIGNING_KEY"}
    assert not re.search(r"KEY: |SECRET|PASSWORD", sign + gate)


def test_what_was_not_tried_is_said() -> None:
    """Recipes that were not run where they are for say so, in their beginning."""
    for name, said in (
        ("kubernetes", "None of it was"),
        ("github-actions", "it has not been run on GitHub"),
        ("gitlab-ci", "they have not been run on GitLab"),
    ):
        assert said in (FOLDER / f"{name}.md").read_text(encoding="utf-8")[:1000]
    _, _, workflow = (FOLDER / "witness.md").read_text(encoding="utf-8").partition("## Without a machine")
    assert "It has not been run on GitHub" in workflow[:1000]
