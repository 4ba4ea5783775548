"""What runs the job elsewhere: the container, the systemd units, cron's line and the action, as far as that is here.

None of them is run where it belongs. Linters of others look at them in tests/interop/test_deploy_linters.py.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tiletree.commands.sequence import sequence
from tiletree.options import ADDRESSES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")
PINNED = re.compile(r"[\w/-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+")
PROGRAM = "/usr/local/bin/tiletree"  # where the units and cron's line have it


def read(name: str) -> str:
    """Return a file of `deploy`."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def called(command: str) -> dict[str, object]:
    """Return what a call of `tiletree sequence` says, by the names of the command's parameters."""
    program, name, *words = shlex.split(command)
    assert (program, name) == (PROGRAM, "sequence")
    with sequence.make_context(name, words) as context:
        return context.params


# ---- the container


def test_the_container_has_all_that_it_copies() -> None:
    """What it copies from here is here, and not left out of what the builder is sent; it does not run as root."""
    text = read("container/Dockerfile")
    copied = re.findall(r"^COPY ([^-\s]\S*) \S+$", text, flags=re.MULTILINE)
    assert len(copied) == 4
    assert all((ROOT / source).exists() for source in copied)
    sent = re.findall(r"^!(.*)$", read("container/Dockerfile.dockerignore"), flags=re.MULTILINE)
    assert sorted(sent) == sorted(copied)
    assert re.findall(r"^USER (.*)$", text, flags=re.MULTILINE) == ["65534:65534"]
    assert re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE) == ["python:3.13-slim-bookworm"] * 2


# ---- systemd and cron


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT TESTED: there is no systemd-analyze")
def test_systemd_knows_every_setting(tmp_path: Path) -> None:
    """`systemd-analyze verify` says nothing of the units, once the program is one that exists."""
    for path in (DEPLOY / "systemd").iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace(PROGRAM, shutil.which("true") or ""))
    units = sorted(str(path) for path in tmp_path.iterdir() if path.suffix in (".service", ".timer"))
    assert len(units) == 2
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_service_is_one_run() -> None:
    """It calls the command, as a user that the sysusers file makes, and writes to nothing but that user's folder."""
    text = read("systemd/tiletree-sequence.service")
    said = dict(re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE))
    assert called(said["ExecStart"])["log"] == "${TILETREE_LOG}"
    assert said["Type"] == "oneshot"
    assert f"u {said['User']} - " in read("systemd/tiletree.sysusers")
    assert (said["ProtectSystem"], said["CapabilityBoundingSet"], said["NoNewPrivileges"]) == ("strict", "", "yes")


def test_the_line_for_cron_is_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls the command each minute, with variables that the command knows; the key file is what it locks."""
    *settings, line = [text for text in read("cron/tiletree").splitlines() if not text.startswith("#")]
    variables = dict(text.split("=") for text in settings)
    for name in ADDRESSES:
        monkeypatch.setenv(name, variables.pop(name, ""))
    assert set(variables) == {"SHELL", "MAILTO"}
    *times, user, command = line.split(maxsplit=6)
    assert (times, user) == (["*"] * 5, "log")
    locked = re.fullmatch(r"flock --nonblock (\S+) (.*) >/dev/null", command)
    assert locked is not None
    said = called(locked[2])
    places = {name: str(said[name]) for name in ("log", "private", "anchor", "key")}
    assert places == {
        "log": "/srv/log",
        "private": "/srv/log.private",
        "anchor": "/srv/log.anchor",
        "key": "/etc/tiletree/log.key",
    }
    assert locked[1] == places["key"]


# ---- the action


def test_the_action_believes_no_text() -> None:
    """No input becomes words of a script, and each action that it uses is pinned by a digest."""
    scripts = re.findall(r"^ +run: (?:\|\n((?: {8}.*\n)+)|(.*)\n)", ACTION, flags=re.MULTILINE)
    assert len(scripts) == 2
    assert not [script for script in scripts if "${{" in "".join(script)]
    used = re.findall(r"uses: (.*)", ACTION)
    assert used
    assert all(PINNED.fullmatch(action) for action in used)
    assert set(used) <= set(re.findall(r"uses: (.*)", (ROOT / ".github/workflows/ci.yml").read_text("utf-8")))


def act(folder: Path, **given: str) -> tuple[int, str, str]:
    """Run the action's script with a program that says how it was called; return exit code, output and document."""
    program = folder / "program"
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"; env | sort | grep ^TILETREE_ | tr "\\n" "|"; exit 5\n')
    program.chmod(0o700)
    variables = {"COMMAND": "sequence", "LOG": "log", "KEY": "", "PRIVATE": "", "ANCHOR": "", "FILES": ""}
    assert all(f"        {name}: ${{{{ inputs.{name.lower()} }}}}\n" in ACTION for name in variables)
    own = {"PATH": os.environ["PATH"], "TILETREE": str(program), "GITHUB_OUTPUT": str(folder / "document")}
    script = ["bash", str(DEPLOY / "action" / "run.sh")]
    done = subprocess.run(script, env={**own, **variables, **given}, capture_output=True, text=True, cwd=folder)
    assert done.stderr == ""
    return done.returncode, done.stdout, (folder / "document").read_text()


def test_the_action_runs_a_command(tmp_path: Path) -> None:
    """Command, log and places arrive as they are; a key is a secret's text or what --key takes; the exit code stays."""
    text = "sequence|--max-entries|3|--json|--|a b;$(id)|TILETREE_ANCHOR=s3://a|TILETREE_PRIVATE_KEY=PRIVATE+KEY+x|\n"
    given = {"COMMAND": "sequence  --max-entries 3", "LOG": "a b;$(id)", "ANCHOR": "s3://a"}
    document = f"document<<end-of-document\n{text}end-of-document\n"
    assert act(tmp_path, **given, KEY="PRIVATE+KEY+x") == (5, text, document)


def test_the_action_hands_files_over(tmp_path: Path) -> None:
    """One a line, as they are: the command itself takes patterns, and a name is no option."""
    given = {"COMMAND": "submit --submitter ci", "FILES": "dist/*.whl\n\n-x y;$(id)\n"}
    assert act(tmp_path, **given)[1] == "submit|--submitter|ci|--json|--|log|dist/*.whl|-x y;$(id)|\n"


def test_the_action_leaves_the_variables_of_the_workflow(tmp_path: Path) -> None:
    """An input that is not given does not take away what the workflow's env says; one that is given goes before."""
    own = {"TILETREE_PRIVATE": "s3://p", "TILETREE_ANCHOR": "s3://a"}
    said = "sequence|--json|--|log|TILETREE_ANCHOR=s3://{}|TILETREE_PRIVATE=s3://p|\n"
    assert act(tmp_path, **own)[1] == said.format("a")
    assert act(tmp_path, **own, ANCHOR="s3://b")[1] == said.format("b")


def test_the_action_leaves_out_what_is_not_given(tmp_path: Path) -> None:
    """An empty input is none."""
    assert act(tmp_path)[1] == "sequence|--json|--|log|\n"
    assert act(tmp_path, KEY="awskms:///alias/log")[1] == "sequence|--json|--|log|TILETREE_KEY=awskms:///alias/log|\n"
