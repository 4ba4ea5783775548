"""The commands of terraform/aws/README.md, as they stand, as far as that goes without AWS.

Terraform is real, and applies to nothing. `make` and `tiletree` are noted: what the one makes is tested elsewhere, and
the arguments of the other are read by the command itself.
"""

from __future__ import annotations

import os
import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.terraform.deployment import ACCOUNT, PLACEHOLDERS
from tests.terraform.docs import with_costs
from tests.terraform.modules import ROOT, TERRAFORM
from tiles.signing.key_place import Kind
from tiletree.commands.init import init
from tiletree.commands.page import page

pytestmark = pytest.mark.interop

NOTE = """#!/bin/sh
{ echo "$(basename "$0")" "profile=$AWS_PROFILE"; for word in "$@"; do echo "$word"; done; echo; } >> "$NOTED"
"""


def test_five_commands(configuration: Path, terraform: Path, tmp_path: Path) -> None:
    """A newcomer's first commands are five, each of which works, and the last begins the log that was deployed."""
    block = re.search(r"^```sh\n(.*?)^```$", (TERRAFORM / "aws" / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    commands = block[1].splitlines() if block else []
    assert len(commands) == 5
    for name in ("make", "tiletree"):
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(NOTE)
        tool.chmod(0o755)
    (tmp_path / ".aws").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))},
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NOTED": str(tmp_path / "noted"),
        "TF_CLI_CONFIG_FILE": str(configuration),
        "TERRAFORM_HOOKS": str(PLACEHOLDERS),
    }
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command], cwd=terraform.parent, env=environment, input="yes\n", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    made, begun, put = (tmp_path / "noted").read_text().strip("\n").split("\n\n")
    target = made.splitlines()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)

    profiles = ConfigParser()
    profiles.read(tmp_path / ".aws" / "config")
    for call, who in ((begun, "sequencer"), (put, "operator")):
        assert call.splitlines()[0] == f"tiletree profile=log-{who}"
        assert profiles[f"profile log-{who}"]["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/log-{who}"
    _, command, *words = begun.splitlines()
    assert command == "init"
    with init.make_context("init", words) as context:
        said = context.params
    assert (said["log"], said["origin"]) == (f"s3://log-public-{ACCOUNT}?region=eu-west-1", "log.example.com")
    assert said["private"] == f"s3://log-private-{ACCOUNT}?region=eu-west-1"
    assert said["key"].kind is Kind.AWS
    with page.make_context("page", put.splitlines()[2:]) as context:
        assert context.params["log"] == said["log"]


def test_costs(tiletree: Command) -> None:
    """The table of costs has what `tiletree cost` says, with the options that each row names."""
    text = (TERRAFORM / "aws" / "README.md").read_text(encoding="utf-8")
    assert text.count("| `--entries-per-day ") == 5
    made = with_costs(text, lambda options: tiletree.ok("cost", *options))
    assert made.splitlines() == text.splitlines(), "python -m tests.terraform.docs"


def test_names_of_what_is_linked() -> None:
    """Each variable that README.md names in backticks is one that the module has, or an output."""
    text = (TERRAFORM / "aws" / "README.md").read_text().partition("## Inputs and outputs")[0]
    declared = "".join((TERRAFORM / "aws" / name).read_text() for name in ("variables.tf", "outputs.tf"))
    names = set(re.findall(r'^(?:variable|output) "(\w+)"', declared, re.MULTILINE))
    assert {name for name in re.findall(r"`([a-z]+_[a-z_]+)(?: = \w+)?`", text) if name not in names} == set()
