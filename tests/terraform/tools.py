"""What the checks need and the tests of everything else do not: wheels by their hashes, in .venv/terraform.

They are not in the extra `test`, because they are 115 MB, and because Terraform is not everywhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = Path(sys.prefix) / "terraform"
PACKAGES = HERE / "requirements.txt"
WHEELS = HERE / "wheels.txt"


class Unavailable(Exception):
    """Something that cannot be had on this machine."""


def digest_of(*parts: bytes) -> str:
    """Return a short name for some content."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def program() -> str:
    """Return where Terraform is. Raises Unavailable."""
    found = shutil.which("terraform")
    if found is None:
        raise Unavailable("there is no terraform on PATH")
    return found


def made_once(folder: Path, *command: str) -> Path:
    """Return a folder, made by pip the first time: a run that is interrupted leaves nothing with its name."""
    if folder.exists():
        return folder
    try:
        HOME.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{HOME} cannot be made: {error.strerror}") from error
    with tempfile.TemporaryDirectory(dir=HOME) as scratch:
        made = Path(scratch) / "made"
        call = [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            *command,
            str(made),
        ]
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "pip failed").splitlines()[-1]
            raise Unavailable(f"the packages of {folder.name} cannot be had: {last}")
        if not folder.exists():  # another run may have been faster
            made.rename(folder)
    return folder


@cache
def packages() -> Path:
    """Return the folder with what the provider of our own is made of. Raises Unavailable."""
    folder = HOME / f"python-{sys.version_info[0]}.{sys.version_info[1]}-{digest_of(PACKAGES.read_bytes())}"
    only = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    return made_once(folder, "install", *only, "-r", str(PACKAGES), "--target")


@cache
def wheels() -> Path:
    """Return the folder with the packages of CDKTF. Raises Unavailable."""
    folder = HOME / f"wheels-{digest_of(WHEELS.read_bytes())}"
    return made_once(folder, "download", "--no-deps", "--require-hashes", "-r", str(WHEELS), "--dest")


def environment() -> dict[str, str]:
    """Return an environment in which Python finds the packages."""
    paths = [str(packages()), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
