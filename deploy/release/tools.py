"""The tools that build: hatchling and maturin, and click, which verify.pyz holds; each by its hash, in one folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from deploy.release.archives import MOMENT, ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_HEADER = """\
# What a release is built with, and click, which verify.pyz holds: for Linux on arm64 and on x86-64.
# Made by: python -m deploy.release lock
"""

lambda_package = import_module("deploy.lambda.package")  # `lambda` is a keyword


class ReleaseError(Exception):
    """Something of a release cannot be built; says why."""


def run(command: Sequence[str | Path], *, what: str, cwd: Path = ROOT, more: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it prints. Raises ReleaseError if it fails.

    more   variables of its environment
    """
    kept = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RUSTFLAGS", "CARGO_TARGET_DIR")
    }
    environment = {**kept, "SOURCE_DATE_EPOCH": str(MOMENT), **(more or {})}
    words = list(map(str, command))
    done = subprocess.run(
        words, check=False, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise ReleaseError(f"{what}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


class Tools:
    """A folder with the tools of requirements.txt, which are installed if others, or none, are there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
        stamp = folder / "installed"
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
            command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", f"--target={folder}"]
            run([*command, f"--requirement={REQUIREMENTS}"], what="the tools cannot be installed")
            stamp.write_text(wanted, encoding="utf-8")  # last: an installation that was interrupted is done again

    def hatchling(self, target: Path) -> None:
        """Build the source archive and the wheel of tiletree into a folder."""
        command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "--directory", target]
        run(command, what="tiletree cannot be built", more={"PYTHONPATH": str(self._folder)})

    def maturin(self, target: Path) -> None:
        """Build the wheel of native/ into a folder, with no path of this machine in it."""
        cargo = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
        flags = [f"--remap-path-prefix={ROOT}=/source", f"--remap-path-prefix={cargo}=/cargo"]
        command: list[str | Path] = [self._folder / "bin" / "maturin", "build", "--quiet", "--release", "--locked"]
        command += ["--out", target, "--manifest-path", ROOT / "native" / "Cargo.toml"]
        command += ["--interpreter", sys.executable]
        encoded = {"CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}  # a path may have spaces
        run(command, what="native/ cannot be built", more=encoded)

    def package(self, name: str) -> tuple[str, dict[str, bytes]]:
        """Return the version of a package that was installed, and its files by name, as its wheel has them."""
        (information,) = self._folder.glob(f"{name}-*.dist-info")
        version = information.name.removeprefix(f"{name}-").removesuffix(".dist-info")
        rows = (information / "RECORD").read_text(encoding="utf-8").splitlines()
        names = [row.split(",")[0] for row in rows]
        made = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}  # by pip
        kept = [each for each in names if Path(each).name not in made and not each.startswith("..")]
        return version, {each: (self._folder / each).read_bytes() for each in kept}


def lock() -> None:
    """Write requirements.txt: the newest tools that the files of the projects allow."""
    wanted: list[str] = []
    for path in (ROOT / "pyproject.toml", ROOT / "native" / "pyproject.toml"):
        project = tomllib.loads(path.read_text(encoding="utf-8"))
        wanted += project["build-system"]["requires"]
        wanted += [one for one in project["project"].get("dependencies", ()) if one.startswith("click")]
    REQUIREMENTS.write_text(_HEADER + lambda_package.pinned(wanted), encoding="utf-8")
