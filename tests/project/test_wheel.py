"""What is published: the source archive and the wheel, and the wheel alone in an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import tiles

ROOT = Path(__file__).resolve().parents[2]
VERSION = tiles.__version__

pytestmark = pytest.mark.slow


class Environment:
    """A fresh virtual environment, which knows nothing of this repository."""

    def __init__(self, directory: Path) -> None:
        venv.create(directory, with_pip=True, symlinks=True)
        self.programs = directory / "bin"

    def run(self, *command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of its programs."""
        words = [str(self.programs / str(command[0])), *map(str, command[1:])]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
        environment["PATH"] = f"{self.programs}{os.pathsep}{environment['PATH']}"
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)

    def install(self, *packages: object) -> None:
        """Install packages; skip the test if they are not to be had."""
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        done = self.run("python", "-m", "pip", "install", *quiet, *packages, cwd=self.programs)
        if done.returncode != 0:
            pytest.skip(f"NOT TESTED: cannot install {', '.join(map(str, packages))}: {done.stderr.strip()[-500:]}")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the source archive and the wheel, built from this repository."""
    directory = tmp_path_factory.mktemp("archives")
    environment = Environment(directory / "builder")
    environment.install(
        *tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    )
    built = environment.run("hatchling", "build", "--directory", directory / "dist", cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (archive,) = (directory / "dist").glob("*.tar.gz")
    (wheel,) = (directory / "dist").glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def installed(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment in which the wheel is installed, and what it says that it needs."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "environment")
    environment.install(archives[1])
    return environment


def files(folder: Path) -> set[str]:
    """Return the files of the repository below a folder."""
    found = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return {str(path.relative_to(ROOT)) for path in found}


def test_archive_has_everything(archives: tuple[Path, Path]) -> None:
    """The source archive is the repository: sources, tests, documents, terms."""
    with tarfile.open(archives[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "Makefile", "pyproject.toml", "PKG-INFO"}
    wanted |= {path.name for path in ROOT.glob("*.md")}
    for folder in ("tiles", "cmd", "web", "tests", "docs", "examples", ".github"):
        wanted |= files(ROOT / folder)
    assert wanted <= names


def test_wheel_has_both_packages_and_nothing_else(archives: tuple[Path, Path]) -> None:
    """The wheel holds the library, the command's package, documents, terms and metadata; no `cmd`."""
    information = f"tiletree-{VERSION}.dist-info"
    with zipfile.ZipFile(archives[1]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"{information}/METADATA").decode()
        programs = wheel.read(f"{information}/entry_points.txt").decode()
    packages = files(ROOT / "tiles") | {name.removeprefix("cmd/") for name in files(ROOT / "cmd")}
    packages |= {f"tiles/{name}" for name in files(ROOT / "web")}
    packages |= {f"tiletree/{name}" for name in files(ROOT / "docs") if name.endswith(".md")}
    assert {name for name in names if not name.startswith(information)} == packages
    assert "tiles/py.typed" in names
    assert f"{information}/licenses/LICENSE" in names
    assert "tiletree = tiletree.cli:main" in programs
    assert f"\nVersion: {VERSION}\n" in metadata
    needs = re.findall(r"^Requires-Dist: (\w+)[^;\n]*$", metadata, flags=re.MULTILINE)
    assert sorted(needs) == ["click", "cryptography", "urllib3"]


def test_wheel_of_the_archive_is_the_same(archives: tuple[Path, Path], tmp_path: Path) -> None:
    """What is built from the source archive is, byte for byte, what is built from the repository."""
    archive, wheel = archives
    with tarfile.open(archive) as sources:
        sources.extractall(tmp_path, filter="data")
    builder = archive.parents[1] / "builder" / "bin" / "hatchling"
    (unpacked,) = tmp_path.iterdir()
    command = [str(builder), "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run(command, cwd=unpacked, check=True, capture_output=True)
    assert (tmp_path / "dist" / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_command_is_installed(installed: Environment, tmp_path: Path) -> None:
    """`tiletree --version` says the version, as a program and as a module."""
    for command in (["tiletree"], ["python", "-m", "tiletree"]):
        done = installed.run(*command, "--version", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"tiletree, version {VERSION}\n"), done.stderr


def test_documents_are_where_messages_say(installed: Environment, tmp_path: Path) -> None:
    """What --help and an error lead to is installed, and named by its place."""
    begun = installed.run(
        "tiletree", "init", "log", "--origin", "log.example.com", "--key", "k", "--no-remember", cwd=tmp_path
    )
    assert begun.returncode == 0, begun.stderr
    (tmp_path / "log.private" / "head").rename(tmp_path / "file")
    for words in (["admission", "--help"], ["add", "log", "file", "--key", "k"]):
        done = installed.run("tiletree", *words, cwd=tmp_path)
        (name,) = set(re.findall(r"\bdocs/([\w-]+\.md)", done.stdout + done.stderr))
        (folder,) = re.findall(r"docs is the folder (.+?)\)?$", done.stdout + done.stderr, flags=re.MULTILINE)
        assert Path(folder).is_relative_to(installed.programs.parent)
        assert (Path(folder) / name).is_file()


def test_nothing_is_hidden(installed: Environment, tmp_path: Path) -> None:
    """The library is the installed one, `cmd` the standard library's, and dependencies do not contradict each other."""
    code = "import cmd, tiles, sys; assert cmd.Cmd; print(tiles.__file__)"
    done = installed.run("python", "-c", code, cwd=tmp_path)
    assert done.stdout.startswith(str(installed.programs.parent)), done.stderr
    assert installed.run("python", "-m", "pip", "check", cwd=tmp_path).returncode == 0


def test_the_demo_needs_the_wheel_only(installed: Environment, tmp_path: Path) -> None:
    """In an empty directory the demo logs the command's own files, and names the command as it is installed."""
    done = installed.run("python", "-m", "tiletree.demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no findings" in done.stdout
    assert "Now log a file of your own:  tiletree add demo-log FILE" in done.stdout
    assert (tmp_path / "demo-log" / "checkpoint").is_file()
