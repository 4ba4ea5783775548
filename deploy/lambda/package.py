"""Makes the packages of the function on AWS Lambda: `tiletree-lambda-arm64.zip` and `tiletree-lambda-x86_64.zip`.

    python deploy/lambda/package.py build dist          both, into the folder `dist`; `make package` calls it
    python deploy/lambda/package.py build dist arm64    one of them
    python deploy/lambda/package.py lock                the newest wheels, here and for the container, and their hashes

A package has this repository's code as it lies here, and the wheels that requirements.txt names by their hashes. Names
are sorted, times and modes are fixed, and there is no bytecode: the same code makes the same bytes. (Another zlib may
compress differently; `contents` is the same then.) boto3 is left out, because the function's runtime has it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).resolve().with_name("requirements.txt")

MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}  # as Lambda calls them, and as wheels do
PYTHON = (3, 13)  # the function's runtime: python3.13, on Amazon Linux 2023
GLIBC = 34  # Amazon Linux 2023 has glibc 2.34
_OLDEST_GLIBC = 17  # of the tags that wheels have
# which extras of pyproject.toml are in what, beside what the command always needs: whatever entries and admission
# policies may ask for, and the keys of each cloud. The function's runtime has boto3.
_ADMISSION = ("cloud", "pgp", "sigstore")
LOCKS = {
    REQUIREMENTS: _ADMISSION,
    ROOT / "deploy" / "container" / "requirements.txt": (*_ADMISSION, "aws", "gcp"),
}

MAX_ZIPPED = 50 << 20  # bytes that Lambda takes in an upload
MAX_UNPACKED = 250 << 20  # bytes that Lambda takes unpacked

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say
_OWN = {"tiles": ROOT / "tiles", "tiletree": ROOT / "cmd" / "tiletree"}
_OWN_NAMES = ("*.py", "py.typed")
_HEADER = """\
# The wheels for Python 3.13 on arm64 and on x86-64, and the extras of pyproject.toml that they are of: {extras}.
# Made by: python deploy/lambda/package.py lock
"""


class PackageError(Exception):
    """A package cannot be made; says why."""


def own_files() -> dict[str, bytes]:
    """Return this repository's part of a package, by name."""
    found = {
        f"{package}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for package, folder in _OWN.items()
        for pattern in _OWN_NAMES
        for path in folder.rglob(pattern)
    }
    return {**found, "LICENSE": (ROOT / "LICENSE").read_bytes()}


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """Return what a wheel puts beside each other when it is installed, by name."""
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            name, (first, _, rest) = entry, entry.partition("/")
            if first.endswith(".data"):
                kind, _, name = rest.partition("/")
                if kind not in ("purelib", "platlib"):
                    continue  # programs and headers are of no use to a function
            if not entry.endswith("/"):
                found[name] = archive.read(entry)
    return found


def joined(parts: Sequence[Mapping[str, bytes]]) -> dict[str, bytes]:
    """Return all files of a package. Raises PackageError if two parts have different files of one name."""
    files: dict[str, bytes] = {}
    for part in parts:
        for name, data in part.items():
            if files.setdefault(name, data) != data:
                raise PackageError(f"two wheels have a file {name}")
    return files


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a package: the same bytes for the same files, whatever their order, the clock and the umask are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _MOMENT)
            info.create_system = 3  # Unix, on whatever system this runs
            info.external_attr = (0o100755 if ".so" in Path(name).suffixes else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name])


def contents(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of all names and files, in hex; it does not depend on how they are compressed."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n".encode())
    return digest.hexdigest()


def download(machine: str, folder: Path, *what: str) -> list[Path]:
    """Return the wheels for a machine of Lambda, in the order of their names. Raises PackageError if pip fails."""
    tags = ["any", *(f"manylinux_2_{minor}_{MACHINES[machine]}" for minor in range(GLIBC, _OLDEST_GLIBC - 1, -1))]
    tags.append(f"manylinux2014_{MACHINES[machine]}")
    version = "".join(map(str, PYTHON))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}"]
    command += [f"--abi={abi}" for abi in (f"cp{version}", "abi3", "none")]
    command += [f"--platform={tag}" for tag in tags]
    done = subprocess.run(
        [*command, f"--dest={folder}", *what], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise PackageError(f"pip cannot get the wheels for {machine}: {done.stderr.strip()}")
    return sorted(folder.glob("*.whl"))


def build(machine: str, target: Path) -> None:
    """Make the package for a machine. Raises PackageError."""
    with tempfile.TemporaryDirectory() as scratch:
        wheels = download(machine, Path(scratch), "--no-deps", "--require-hashes", f"--requirement={REQUIREMENTS}")
        files = joined([own_files(), *map(wheel_files, wheels)])
    unpacked = sum(map(len, files.values()))
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"tiletree-lambda-{machine}.zip"
    write_zip(path, files)
    zipped = path.stat().st_size
    if zipped > MAX_ZIPPED or unpacked > MAX_UNPACKED:
        raise PackageError(f"{path.name} is too large for Lambda: {zipped} bytes, {unpacked} unpacked")
    print(f"{path}  {zipped / 1e6:.1f} MB, unpacked {unpacked / 1e6:.1f} MB")
    print(f"  sha256    {hashlib.sha256(path.read_bytes()).hexdigest()}")
    print(f"  contents  {contents(files)}")


def lock(target: Path, extras: Sequence[str]) -> None:
    """Write a file of requirements: the newest wheels that pyproject.toml allows and that all machines have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    target.write_text(_HEADER.format(extras=", ".join(sorted(extras))) + pinned(wanted), encoding="utf-8")


def pinned(wanted: Sequence[str]) -> str:
    """Return requirements: the newest wheels that all machines have, of what is wanted and what it needs, by hashes."""
    hashes: dict[str, set[str]] = {}
    for machine in MACHINES:
        with tempfile.TemporaryDirectory() as scratch:
            for wheel in download(machine, Path(scratch), *wanted):
                name, version = wheel.name.split("-")[:2]
                one = f"{name.replace('_', '-')}=={version}"
                hashes.setdefault(one, set()).add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    names = [one.partition("==")[0] for one in hashes]
    if twice := sorted(name for name in set(names) if names.count(name) > 1):
        raise PackageError(f"the newest wheels of {twice[0]} are of different versions; name one in pyproject.toml")
    lines = [
        " \\\n".join([one, *(f"    --hash=sha256:{each}" for each in sorted(found))])
        for one, found in sorted(hashes.items())
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Do what is asked for, and return an exit code."""
    try:
        match arguments:
            case ["build", target, *machines] if set(machines) <= set(MACHINES):
                for machine in machines or MACHINES:
                    build(machine, Path(target))
            case ["lock"]:
                for path, extras in LOCKS.items():
                    lock(path, extras)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except PackageError as error:
        print(f"package: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
