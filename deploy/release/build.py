"""What a release consists of, one function for each kind of file, and SHA256SUMS over all of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from deploy.release.archives import ROOT, files_below, packed_tar, packed_zip
from deploy.release.bill import Part, bill, page_parts, python_parts, rust_parts
from deploy.release.tools import ReleaseError, Tools, lambda_package
from deploy.release.verifier import NAME as VERIFIER
from deploy.release.verifier import verifier
from tiles.errors import TilesError
from tiles.notes.policy import parse_policy
from tiles.page import VERIFY, verify_page
from tiles.version import __version__ as version

SUMS = "SHA256SUMS"
_LIBRARY = ROOT / "web" / "verifier"
_MLDSA = _LIBRARY / "mldsa.js"


@dataclass
class Release:
    """A release that is being built.

    tools    what builds it
    policy   the policy that verify.html is made for; None: it is left out
    files    what is there so far, by name
    parts    what of that is from elsewhere
    """

    tools: Tools
    policy: Path | None
    files: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, list[Part]] = field(default_factory=dict)

    def add(self, name: str, data: bytes, parts: list[Part] | None = None) -> None:
        """Add a file."""
        self.files[name] = data
        self.parts[name] = parts or []

    def take(self, folder: Path, parts: list[Part]) -> None:
        """Add all files of a folder that a tool wrote."""
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                self.add(path.name, path.read_bytes(), parts)


def _python(release: Release, scratch: Path) -> None:
    """Add the source archive and the wheel."""
    release.tools.hatchling(scratch)
    release.take(scratch, page_parts(_MLDSA.read_bytes()))


def _native(release: Release, scratch: Path) -> None:
    """Add the wheel of native/."""
    release.tools.maturin(scratch)
    release.take(scratch, rust_parts())


def _verifier(release: Release, scratch: Path) -> None:  # noqa: ARG001
    """Add verify.pyz."""
    held, click = release.tools.package("click")
    release.add(VERIFIER, verifier(click), [Part("pypi", "click", held)])


def _page(release: Release, scratch: Path) -> None:  # noqa: ARG001
    """Add verify.html for the policy of the call."""
    if release.policy is None:
        return
    try:
        page = verify_page(parse_policy(release.policy.read_bytes()))
    except (OSError, TilesError) as error:
        raise ReleaseError(f"{release.policy}: {error}") from error
    release.add(VERIFY, page, page_parts(page))


def _npm(release: Release, scratch: Path) -> None:  # noqa: ARG001
    """Add the package of the verifier for npm, as `npm pack` would pack it."""
    about = json.loads((_LIBRARY / "package.json").read_bytes())
    packed = {f"package/{name}": data for name, data in files_below(_LIBRARY).items()}
    packed["package/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    release.add(f"{about['name']}-{about['version']}.tgz", packed_tar(packed), page_parts(_MLDSA.read_bytes()))


def _terraform(release: Release, scratch: Path) -> None:  # noqa: ARG001
    """Add the modules for Terraform, without their tests."""
    for cloud in ("aws", "gcp"):
        files = files_below(ROOT / "terraform" / cloud, without=("tests",))
        files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
        release.add(f"tiletree-terraform-{cloud}-{version}.zip", packed_zip(files))


def _lambda(release: Release, scratch: Path) -> None:
    """Add the packages of the function on AWS Lambda."""
    parts = python_parts(lambda_package.REQUIREMENTS.read_text(encoding="utf-8"))
    try:
        for machine in lambda_package.MACHINES:
            lambda_package.build(machine, scratch)
    except lambda_package.PackageError as error:
        raise ReleaseError(str(error)) from error
    release.take(scratch, parts)


KINDS: dict[str, Callable[[Release, Path], None]] = {
    "python": _python,
    "native": _native,
    "verifier": _verifier,
    "page": _page,
    "npm": _npm,
    "terraform": _terraform,
    "lambda": _lambda,
}


def build(target: Path, tools: Tools, policy: Path | None, without: Collection[str]) -> list[str]:
    """Build a release into a folder, and return the lines of its SHA256SUMS. Raises ReleaseError.

    What an earlier release left there is deleted, with its proofs; other files stay.
    """
    release = Release(tools, policy)
    for kind, add in KINDS.items():
        if kind not in without:
            with tempfile.TemporaryDirectory() as scratch:
                add(release, Path(scratch))
    release.add(f"tiletree-{version}.cdx.json", bill("tiletree", version, release.files, release.parts))
    _clear(target)
    lines = []
    for name, data in sorted(release.files.items()):
        (target / name).write_bytes(data)
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}")
    (target / SUMS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")  # last: it says what is there
    return lines


def _clear(target: Path) -> None:
    """Delete what the SHA256SUMS of a folder names, and what was made of it."""
    target.mkdir(parents=True, exist_ok=True)
    sums = target / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    for name in [SUMS, *(line.partition("  ")[2] for line in lines)]:
        for file in (target / name, target / f"{name}.tlog-proof"):
            if file.parent == target and file.is_file():
                file.unlink()


def has_cargo() -> bool:
    """Whether native/ can be built here."""
    return shutil.which("cargo") is not None
