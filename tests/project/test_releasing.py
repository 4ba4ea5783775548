"""docs/releasing.md: its commands, as they stand, in a clone of the last commit and from an empty home."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tiles import __version__

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_every_kind_of_file_is_explained() -> None:
    """The page has a row for each kind of file that there is."""
    for name in ("py3-none-any.whl", ".tar.gz", "tiletree_native-", "verify.pyz", "verify.html", "tiletree-verifier-"):
        assert f"{name}" in PAGE
    for name in ("tiletree-terraform-aws-", "tiletree-lambda-arm64.zip", ".cdx.json", "SHA256SUMS"):
        assert name in PAGE


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of the repository, with what `make` has installed for this one."""
    if not (ROOT / ".git").exists():
        pytest.skip("NOT TESTED: there is no Git repository to clone")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    (clone / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.suffix != ".stamp":
            (clone / ".venv" / path.name).symlink_to(path)
    for stamp in ("made.stamp", "run.stamp"):
        (clone / ".venv" / stamp).touch()
    return clone


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, ("make", "bash", "sha256sum", "awk"))), reason="NOT TESTED: no make")
def test_its_commands(clone: Path, tmp_path: Path) -> None:
    """A release is built, compared, logged and verified; the kinds that other tests build are left out."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HTTP", "SSL", "LANG"))}
    path = os.pathsep.join([str(clone / ".venv" / "bin"), os.environ["PATH"]])
    variables = {**kept, "HOME": str(home), "PATH": path, "WITHOUT": "lambda native"}
    script = "set -eu\n" + "\n".join(BLOCKS)
    done = subprocess.run(["bash", "-c", script], cwd=clone, env=variables, capture_output=True, text=True)
    if "the tools cannot be installed" in done.stderr and "HASH" not in done.stderr.upper():
        pytest.skip(f"NOT TESTED: {done.stderr.strip()[-500:]}")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    wheel = f"dist/tiletree-{__version__}-py3-none-any.whl"
    assert done.stdout.count(f"verified: {wheel} is entry ") == 2  # by the command, and by verify.pyz
    assert "the last commit, built from a clone at another path, has the same bytes" in done.stdout
    assert "no findings" in done.stdout
    for name in ("verify.html", "verify.pyz", "SHA256SUMS"):
        assert (clone / "dist" / f"{name}.tlog-proof").is_file()
    again = subprocess.run(["bash", "-c", "set -eu\n" + "\n".join(BLOCKS[2:])], cwd=clone, env=variables)
    assert again.returncode == 0, "it cannot be repeated"
