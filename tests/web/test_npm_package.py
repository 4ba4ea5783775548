"""The package of the verifier for npm: what is in it, that it works from an empty folder, and its types."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from deploy.release.archives import files_below, packed_tar
from tests.support.command_line import Command
from tests.support.node import node
from tests.support.signed_text import LOG
from tests.support.web_server import LogServer
from tiles import __version__

LIBRARY = Path(__file__).resolve().parents[2] / "web" / "verifier"
ABOUT = json.loads((LIBRARY / "package.json").read_bytes())
NAME = "tiletree-verifier"
TYPESCRIPT = "5.9.3"
DECLARE = ["--allowJs", "--declaration", "--emitDeclarationOnly", "--target", "es2022", "--module", "nodenext"]

pytest_plugins = ["tests.support.web_fixtures"]


def examples() -> list[str]:
    """Return the programs in the package's README."""
    return re.findall(r"^```js\n(.*?)^```$", (LIBRARY / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder that has nothing but the package, as npm unpacks it."""
    folder = tmp_path / "empty"
    target = folder / "node_modules" / NAME
    target.mkdir(parents=True)
    packed = packed_tar({f"package/{name}": data for name, data in files_below(LIBRARY).items()})
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path, filter="data")
    for path in (tmp_path / "package").iterdir():
        path.rename(target / path.name)
    return folder


def run(folder: Path, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program there in Node."""
    (folder / "program.mjs").write_text(program, "utf-8")
    command = [node(), "program.mjs", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_what_it_says_of_itself() -> None:
    """Its version is that of tiletree; it exports one file, with types; it needs nothing."""
    assert ABOUT["name"] == NAME
    assert ABOUT["version"] == __version__
    assert all((LIBRARY / name).is_file() for name in ABOUT["exports"]["."].values())
    assert not ABOUT.keys() & {"dependencies", "scripts", "private"}


def test_the_example_verifies_a_file(installed: Path, tiletree: Command, tmp_path: Path) -> None:
    """The README's first program, from a folder with nothing else: files are in the log, another one is not."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "log.key")["vkey"]
    for number, options in enumerate([(), ("--name",), ("--blind",)]):
        file, proof = tmp_path / f"{number}.bin", tmp_path / f"{number}.proof"
        file.write_bytes(b"content %d" % number)
        tiletree.ok("add", "log", file, "--key", "log.key", *options)
        tiletree.ok("prove", "log", file, "-o", proof, "--vkey", vkey)
        done = run(installed, examples()[0], file, proof, vkey)
        assert done.stdout == f"entry {number} of log.example.com\n", done.stderr
    done = run(installed, examples()[0], tmp_path / "0.bin", tmp_path / "1.proof", vkey)
    assert done.returncode != 0
    assert "code: 'ProofError'" in done.stderr


def test_the_example_reads_a_log(installed: Path, server: LogServer) -> None:
    """The README's second program reads an entry over HTTP, and what else is imported is not offered."""
    done = run(installed, examples()[1], server.url, LOG.verifier.vkey)
    assert done.stdout.strip(), done.stderr
    done = run(installed, f'import "{NAME}/sha256.js";')
    assert "ERR_PACKAGE_PATH_NOT_EXPORTED" in done.stderr


def npm(folder: Path, *arguments: str) -> str:
    """Run npm and return what it prints; skips the test where it is not, or cannot get what it needs."""
    if (program := shutil.which("npm")) is None:
        pytest.skip("NOT TESTED: there is no npm")
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT TESTED: npm {arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


@pytest.mark.slow
def test_npm_packs_the_same_files(tmp_path: Path) -> None:
    """`npm pack` takes each file that a release has, and no other."""
    (packed,) = json.loads(npm(tmp_path, "pack", str(LIBRARY), "--json"))
    assert {file["path"] for file in packed["files"]} == set(files_below(LIBRARY))
    with tarfile.open(tmp_path / packed["filename"]) as archive:
        for name, data in files_below(LIBRARY).items():
            found = archive.extractfile(f"package/{name}")
            assert found is not None
            assert found.read() == data


@pytest.mark.slow
def test_the_types_are_current(installed: Path, tmp_path: Path) -> None:
    """index.d.ts is what TypeScript makes of index.js; by it a program is right, and a wrong one is not."""
    npm(tmp_path, "install", "--silent", "--no-audit", "--no-fund", f"typescript@{TYPESCRIPT}", "@types/node@20")
    compiler = [node(), str(tmp_path / "node_modules" / "typescript" / "bin" / "tsc")]
    made = subprocess.run([*compiler, *DECLARE, "--outDir", tmp_path / "types", LIBRARY / "index.js"])
    assert made.returncode == 0
    comment, _, declared = (LIBRARY / "index.d.ts").read_text("utf-8").partition("\n")
    assert comment.startswith("// Made by TypeScript")
    assert declared == (tmp_path / "types" / "index.d.ts").read_text("utf-8")
    (tmp_path / "node_modules" / NAME).symlink_to(installed / "node_modules" / NAME)
    strict = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "false"]
    program = tmp_path / "program.mts"
    program.write_text(
        'import { Log, httpFetcher, parseVkey, policyFor, verifyFile, type Accepted } from "tiletree-verifier";\n'
        'const policy = policyFor(parseVkey("key")), log = new Log(httpFetcher("https://log.example.com"), policy);\n'
        "export const visited: Promise<Accepted> = log.visit();\n"
        "export const index = async (file: ReadableStream<Uint8Array>, proof: Uint8Array): Promise<bigint> =>\n"
        "  (await verifyFile(file, proof, policy)).index;\n"
    )
    done = subprocess.run([*compiler, *strict, program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    program.write_text(program.read_text("utf-8").replace("bigint", "string"))
    assert subprocess.run([*compiler, *strict, program], cwd=tmp_path, capture_output=True).returncode != 0
