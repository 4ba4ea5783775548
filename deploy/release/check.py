"""The same release once more, from a clone at another path, in another environment: the same bytes, or it is said."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from deploy.release.archives import ROOT
from deploy.release.build import SUMS
from deploy.release.tools import ReleaseError, run

# what must not make a difference
_OTHER = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "COLUMNS": "40"}


def uncommitted() -> bool:
    """Whether the work tree differs from its last commit; False where there is no Git repository."""
    if not (ROOT / ".git").exists():
        return False
    return bool(run(["git", "status", "--porcelain"], what="git").strip())


def check(built: Path, tools: Path, policy: Path | None, without: Collection[str]) -> list[str]:
    """Build the last commit from a clone, and return the files whose bytes are not those in `built`.

    Raises ReleaseError.
    """
    with tempfile.TemporaryDirectory() as scratch:
        clone, again = Path(scratch, "another place"), Path(scratch, "again")
        run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], what="the repository cannot be cloned")
        command: list[str | Path] = [sys.executable, "-m", "deploy.release", "build", again, "--tools", tools.resolve()]
        for kind in sorted(without):
            command += ["--without", kind]
        if policy is not None:
            command += ["--policy", policy.resolve()]
        run(["sh", "-c", 'umask 077; exec "$@"', "sh", *command], what="the clone", cwd=clone, more=_OTHER)
        one, other = _sums(built), _sums(again)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a release by name, as its SHA256SUMS says."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ReleaseError(f"{folder / SUMS}: {error.strerror}; build it first") from error
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
