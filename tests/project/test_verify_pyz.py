"""verify.pyz: one file that verifies proofs with Python alone, as `tiletree verify` does with everything installed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from importlib.metadata import files as files_of
from pathlib import Path

import pytest

from deploy.release.verifier import modules, verifier
from tests.support.command_line import Command
from tests.support.signed_text import LOG
from tiles import __version__

ROOT = Path(__file__).resolve().parents[2]
BARE = ("-I", "-S")  # no package that is installed can be found
COMPILED = {"cryptography", "rfc3161_client", "pysequoia", "tiletree_native"}


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return verify.pyz, with the click that is installed here."""
    path = tmp_path_factory.mktemp("built") / "verify.pyz"
    found = {str(file): Path(file.locate()).read_bytes() for file in files_of("click") or () if file.suffix == ".py"}
    path.write_bytes(verifier(found))
    return path


def run(pyz: Path, *arguments: object, options: tuple[str, ...] = BARE) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, by default without any package."""
    command = [sys.executable, *options, str(pyz), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={"HOME": "/nonexistent"})


@pytest.fixture
def logged(tiletree: Command) -> str:
    """Log files, one of them by its name and one blinded, write their proofs beside them, and return the vkey."""
    vkey: str = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "log.key")["vkey"]
    for number, options in enumerate([(), ("--name",), ("--blind",)]):
        Path(f"{number}.bin").write_bytes(b"content %d" % number)
        tiletree.ok("add", "log", f"{number}.bin", "--key", "log.key", *options)
        tiletree.ok("prove", "log", f"{number}.bin", "-o", f"{number}.bin.tlog-proof", "--vkey", vkey)
    return vkey


def test_proofs_with_nothing_installed(pyz: Path, logged: str) -> None:
    """Files verify in whatever form they were logged, in one call, in silence on standard error."""
    Path("SHA256SUMS").write_text(f"{sha256(b'content 2').hexdigest()}  2.bin\n", "utf-8")
    done = run(pyz, "0.bin", "1.bin", "--checksums", "SHA256SUMS", "--vkey", logged)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("verified: ") == 3


def test_what_does_not_verify(pyz: Path, logged: str, tiletree: Command) -> None:
    """Another file, another key, a damaged signature and no key end as they do with everything installed."""
    Path("changed.bin").write_bytes(b"Content 0")
    begin, _, last = Path("0.bin.tlog-proof").read_text("utf-8").rstrip("\n").rpartition(" ")
    Path("damaged").write_text(f"{begin} {last[:20]}{'B' if last[20] == 'A' else 'A'}{last[21:]}\n", "utf-8")
    for call in (
        ("changed.bin", "--proof", "0.bin.tlog-proof", "--vkey", logged),
        ("0.bin", "--proof", "0.bin.tlog-proof", "--vkey", LOG.verifier.vkey),
        ("0.bin", "--proof", "damaged", "--vkey", logged),
        ("0.bin",),
    ):
        expected = tiletree("verify", *call, "--json")
        done = run(pyz, *call, "--json")
        assert (done.returncode, json.loads(done.stdout)) == (expected.code, expected.json)
        assert expected.json["verified"] is False


def test_what_needs_more_says_so(pyz: Path, logged: str) -> None:
    """What cannot be done here is a call that cannot be made, with what is missing; never a verdict."""
    Path("bundle").write_text("{}", "utf-8")
    Path("key.pub").write_text("-----BEGIN PUBLIC KEY-----\n", "utf-8")
    for call, lacking in (
        (("0.bin", "--vkey", logged, "--log", "log"), "tiles."),
        (("https://example.com/0.bin", "--vkey", logged), "tiles.read.web_file"),
        (("0.bin", "--bundle", "bundle", "--vkey", logged, "--key", "key.pub"), "cryptography"),
    ):
        done = run(pyz, *call)
        assert done.returncode == 2, done.stderr
        assert f"this needs {lacking}" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_version_and_help(pyz: Path) -> None:
    """It says its version, and how `verify` is called; an old Python understands enough of it to say what it needs."""
    with zipfile.ZipFile(pyz) as archive:
        ast.parse(archive.read("__main__.py"), feature_version=(3, 4))
    assert run(pyz, "--version").stdout == f"tiletree, version {__version__}\n"
    assert "--proof" in run(pyz, "--help").stdout


def test_what_it_holds(pyz: Path) -> None:
    """Each module is as it lies here, and nothing in it writes to a log, signs, or asks a server."""
    with zipfile.ZipFile(pyz) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        for path in modules():
            relative = path.relative_to(ROOT).as_posix().removeprefix("cmd/")
            assert archive.read(relative) == path.read_bytes()
    ours = {name for name in names if name.startswith(("tiles/", "tiletree/"))}
    assert len(ours) == len(modules())
    assert not {
        name for name in ours if name.startswith(("tiles/write/", "tiles/inbox/", "tiles/signing/signer", "tests/"))
    }
    assert {"tiles/read/http_fetcher.py", "tiles/store/bucket.py", "tiles/log.py", "tiletree/opening.py"}.isdisjoint(
        ours
    )


@pytest.mark.slow
def test_every_module_of_it_can_be_imported(pyz: Path) -> None:
    """None lacks a module of ours when it is loaded; of others, only those with compiled code."""
    code = f"""
import sys, zipfile, importlib
sys.path.insert(0, {str(pyz)!r})
for name in zipfile.ZipFile({str(pyz)!r}).namelist():
    if name.startswith(("tiles/", "tiletree/")):
        try:
            importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        except ModuleNotFoundError as error:
            print(error.name)
"""
    done = subprocess.run([sys.executable, *BARE, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lacking = set(done.stdout.split())
    assert {name.partition(".")[0] for name in lacking} <= COMPILED, lacking
