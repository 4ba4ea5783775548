"""`make package`: the packages of the function on AWS Lambda, which have the same bytes whenever they are made."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "lambda" / "package.py"


@pytest.fixture(scope="module")
def package() -> Any:
    """Return the script as a module."""
    spec = spec_from_file_location("lambda_package", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FILES = {"b/two.py": b"2" * 1000, "a.py": b"1", "b/one.cpython-313-x86_64-linux-gnu.so": b"\x7fELF", "c.so.1": b""}


def test_a_package_depends_on_its_files_alone(package: Any, tmp_path: Path) -> None:
    """Neither their order, nor the umask, nor the clock changes a byte; names are sorted, programs are executable."""
    package.write_zip(tmp_path / "1.zip", FILES)
    before = os.umask(0o077)
    try:
        package.write_zip(tmp_path / "2.zip", dict(reversed(FILES.items())))
    finally:
        os.umask(before)
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert package.contents(FILES) == package.contents(dict(reversed(FILES.items())))
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(FILES)
    assert {(entry.date_time, entry.create_system, entry.extra) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3, b"")
    }
    assert [oct(entry.external_attr >> 16) for entry in entries] == ["0o100644", "0o100755", "0o100644", "0o100755"]


def test_what_is_ours_in_a_package(package: Any) -> None:
    """The library, the command and the licence, as source: no bytecode, nothing that only lies here."""
    own = package.own_files()
    assert {"LICENSE", "tiles/py.typed", "tiles/log.py", "tiletree/cli.py", "tiletree/jobs/aws_lambda.py"} <= set(own)
    assert {Path(name).suffix for name in own} == {".py", ".typed", ""}
    assert not [name for name in own if "__pycache__" in name or name.startswith(("tests/", "/"))]


def test_what_a_wheel_puts_where(package: Any, tmp_path: Path) -> None:
    """What it has for the library's place goes there; programs do not; two wheels have no file of one name."""
    wheel = tmp_path / "p.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("p/a.py", "p-1.dist-info/METADATA", "p-1.data/platlib/p/b.so", "p-1.data/scripts/p", "p/"):
            archive.writestr(name, name)
    found = package.wheel_files(wheel)
    assert found == {name.removeprefix("p-1.data/platlib/"): name.encode() for name in archive.namelist()[:3]}
    assert package.joined([found, {"p/a.py": b"p/a.py"}]) == found
    with pytest.raises(package.PackageError, match="two wheels have a file"):
        package.joined([found, {"p/a.py": b"another"}])


@pytest.mark.parametrize("where", ["lambda", "container"])
def test_every_wheel_is_pinned_by_its_hash(where: str, package: Any) -> None:
    """Each requirement is one version with hashes: one for all machines, or one for each; nothing needed is missing."""
    path = ROOT / "deploy" / where / "requirements.txt"
    text = "\n".join(line for line in path.read_text("utf-8").splitlines() if line[:1] != "#")
    pinned = dict(re.findall(r"^([\w-]+)==[\w.]+((?: \\\n {4}--hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE))
    assert text.count("==") == len(pinned)
    assert {hashes.count("--hash") for hashes in pinned.values()} == {1, len(package.MACHINES)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for extra in package.LOCKS[path] for one in extras[extra])]
    assert {re.split(r"[\[<>=]", one)[0] for one in wanted} <= set(pinned)
    assert ("boto3" in pinned) == (where == "container")


def test_a_call_that_is_wrong(package: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how it is called."""
    assert package.main(["bild"]) == 2
    assert "build dist" in capsys.readouterr().err


def made(target: Path, **environment: str) -> bytes:
    """Make the package for arm64 in another process, and return it; skips the test if the wheels cannot be had."""
    command = [sys.executable, str(SCRIPT), "build", str(target), "arm64"]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, cwd=target.parent)
    if "pip cannot get the wheels" in done.stderr and "HASH" not in done.stderr.upper():
        pytest.skip(f"NOT TESTED: {done.stderr.strip()[-500:]}")
    assert done.returncode == 0, done.stderr
    (path,) = target.iterdir()
    assert path.name == "tiletree-lambda-arm64.zip"
    return path.read_bytes()


@pytest.mark.slow
def test_the_same_bytes_twice(tmp_path: Path) -> None:
    """Two builds in different environments are equal; the libraries are for that machine; the runtime's are left out.

    The other package is made and run by tests/interop/test_lambda_package.py.
    """
    one = made(tmp_path / "one", PYTHONHASHSEED="1", TZ="Asia/Tokyo")
    assert one == made(tmp_path / "two", PYTHONHASHSEED="2", TZ="America/Lima", LC_ALL="C")
    assert len(one) < 20_000_000, "it has grown; docs/jobs.md says how large it is"
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        names = archive.namelist()
        libraries = {archive.read(name)[18:20] for name in names if ".so" in name}
    assert {"boto3", "botocore", "pip", "__pycache__"}.isdisjoint(part for name in names for part in name.split("/"))
    assert libraries == {b"\xb7\x00"}  # EM_AARCH64
