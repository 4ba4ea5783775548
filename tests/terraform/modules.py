"""Which folders below terraform/ are modules and examples, and how Terraform is called on a copy of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

from tests.terraform.tools import program

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"


class Failed(Exception):
    """A check that does not hold, with what was said."""


def modules() -> list[Path]:
    """Return the modules that others embed: folders with variables and tests of their own."""
    return sorted(path.parent for path in TERRAFORM.glob("*/variables.tf"))


def examples() -> list[Path]:
    """Return the examples."""
    return sorted(path.parent for path in TERRAFORM.glob("examples/*/main.tf"))


def copied(scratch: Path) -> Path:
    """Return a copy of terraform/, without what Terraform may have left in the folders; beside it packages in dist/.

    The packages are empty: what `make package` makes is tested elsewhere.
    """
    (scratch / "dist").mkdir()
    for architecture in ("arm64", "x86_64"):
        ZipFile(scratch / "dist" / f"tiletree-lambda-{architecture}.zip", "w").close()
    leave = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "terraform.tfstate*")
    return Path(shutil.copytree(TERRAFORM, scratch / "terraform", ignore=leave))


def call(folder: Path, configuration: Path, *arguments: str, **variables: str) -> str:
    """Call Terraform in a folder, and return what it said. Raises Failed.

    variables   of the environment
    """
    told = {"TF_CLI_CONFIG_FILE": str(configuration), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [program(), f"-chdir={folder}", *arguments],
        env={**environment, **told, **variables},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = done.stdout + done.stderr
        raise Failed(f"terraform {' '.join(arguments)} in {folder.name}:\n{said[max(said.find('Error:'), 0) :]}")
    return done.stdout


def check_format(configuration: Path) -> None:
    """Check that all files are written as `terraform fmt` writes them. Raises Failed."""
    call(TERRAFORM, configuration, "fmt", "-check", "-recursive", "-diff", "-no-color")


def check_module(folder: Path, configuration: Path) -> str:
    """Check the types of a module or example, and run its tests. Raises Failed. Return what was done."""
    call(folder, configuration, "init", "-backend=false", "-input=false", "-no-color")
    call(folder, configuration, "validate", "-no-color")
    if not list(folder.glob("tests/*.tftest.hcl")):
        return "valid"
    said = call(folder, configuration, "test", "-no-color")
    return f"valid, tests: {said.strip().splitlines()[-1]}"
