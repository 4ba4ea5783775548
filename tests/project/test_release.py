"""`make dist`: the same bytes wherever a release is built, and what it built works where nothing else is."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.release.archives import MOMENT, ROOT, files_below, packed_tar, packed_zip, stored_zip
from deploy.release.bill import Part, bill, page_parts, python_parts, rust_parts
from deploy.release.build import SUMS, build
from deploy.release.tools import Tools
from tests.support.command_line import Command
from tiles import __version__

FILES = {"b/two.py": b"2" * 1000, "a.py": b"1", "b/one.txt": b""}
SMALL = ("python", "native", "lambda", "page", "verifier")  # kinds that need a tool


@pytest.mark.parametrize("archive", [stored_zip, packed_zip, packed_tar])
def test_an_archive_follows_from_its_files(archive: object) -> None:
    """Neither their order nor the umask changes a byte; names are sorted."""
    one = archive(FILES)
    before = os.umask(0o077)
    try:
        assert archive(dict(reversed(FILES.items()))) == one
    finally:
        os.umask(before)
    if archive is packed_tar:
        with tarfile.open(fileobj=io.BytesIO(one)) as opened:
            names, modes = opened.getnames(), {member.mode for member in opened}
            times = {member.mtime for member in opened}
        assert one[4:8] == bytes(4)  # the time in the header of gzip
    else:
        with zipfile.ZipFile(io.BytesIO(one)) as opened:
            names, modes = opened.namelist(), {each.external_attr >> 16 & 0o777 for each in opened.infolist()}
            times = {datetime(*each.date_time, tzinfo=UTC).timestamp() for each in opened.infolist()}
    assert names == sorted(FILES)
    assert modes == {0o644}
    assert times == {MOMENT}


def test_what_is_left_out_of_a_folder(tmp_path: Path) -> None:
    """Hidden files, bytecode, and folders that are named; nothing else."""
    for name in ("a.tf", "sub/b.tf", ".terraform/x", "tests/c.tf", "sub/__pycache__/d.pyc", "sub/tests/e.tf"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(name.encode())
    assert set(files_below(tmp_path, without=("tests",))) == {"a.tf", "sub/b.tf", "sub/tests/e.tf"}


def test_the_bill_of_materials() -> None:
    """It has each file with its SHA-256 and what is in it, no time, and the same bytes whatever the order was."""
    files = {"b.zip": b"2", "a.whl": b"1"}
    parts = {"b.zip": [Part("npm", "@noble/curves", "2.4.0"), Part("cargo", "sha2", "0.10.9", "ab" * 32)]}
    made = bill("tiletree", "1.2.3", files, parts)
    assert made == bill("tiletree", "1.2.3", dict(reversed(files.items())), {"b.zip": parts["b.zip"][::-1]})
    document = json.loads(made)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    one, two = document["components"]
    assert one["name"] == "a.whl"
    assert one["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"1").hexdigest()}]
    assert "components" not in one
    assert [each["purl"] for each in two["components"]] == ["pkg:cargo/sha2@0.10.9", "pkg:npm/%40noble/curves@2.4.0"]
    assert two["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert "timestamp" not in made.decode()


def test_where_the_bill_gets_it_from() -> None:
    """The crates, the wheels of the function, and what was copied into the page are found, by versions."""
    assert "pyo3" in {part.name for part in rust_parts()}
    assert "tiletree-native" not in {part.name for part in rust_parts()}
    function = (ROOT / "deploy" / "lambda" / "requirements.txt").read_text(encoding="utf-8")
    assert {"click", "cryptography", "urllib3"} <= {part.name for part in python_parts(function)}
    noble = page_parts((ROOT / "web" / "verifier" / "mldsa.js").read_bytes())
    assert {part.name for part in noble} == {"@noble/post-quantum", "@noble/hashes", "@noble/curves"}
    assert page_parts(b"nothing") == []


def test_versions_agree() -> None:
    """The changelog speaks of this version, and every tool is one version by its hashes."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = changelog.split("\n## ")[1].split("\n## ")[0]
    assert newest.startswith(f"[{__version__}] - ") or f"\n{__version__}, " in newest
    tools = (ROOT / "deploy" / "release" / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w-]+)==\S+((?: \\\n {4}--hash=sha256:[0-9a-f]{64})+)$", tools, re.MULTILINE)
    assert {"click", "hatchling", "maturin"} <= {name for name, _ in pinned}
    assert tools.count("==") == len(pinned)


def test_what_was_there_before_goes(tmp_path: Path) -> None:
    """What the last release left is deleted, with its proofs, which are of other bytes; other files stay."""
    target = tmp_path / "dist"
    target.mkdir()
    (target / SUMS).write_text(f"{'0' * 64}  old.whl\n{'0' * 64}  ../outside\n", encoding="utf-8")
    for name in ("old.whl", "old.whl.tlog-proof", f"{SUMS}.tlog-proof", "mine.txt", "../outside"):
        (target / name).write_bytes(b"")
    lines = build(target, Tools.__new__(Tools), None, SMALL)
    names = {path.name for path in target.iterdir()}
    assert names == {"mine.txt", SUMS} | {line.partition("  ")[2] for line in lines}
    assert (tmp_path / "outside").exists()
    assert (target / SUMS).read_text("utf-8") == "".join(f"{line}\n" for line in lines)
    for line in lines:
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((target / name).read_bytes()).hexdigest() == digest
    module = zipfile.ZipFile(target / f"tiletree-terraform-aws-{__version__}.zip").namelist()
    assert {"main.tf", "objects.tf", "README.md", "LICENSE"} <= set(module)
    assert not [name for name in module if name.startswith("tests/")]


# ---- what it builds


def release(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `python -m deploy.release`; skips the test where its tools cannot be had."""
    command = [sys.executable, "-m", "deploy.release", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if "the tools cannot be installed" in done.stderr and "HASH" not in done.stderr.upper():
        pytest.skip(f"NOT TESTED: {done.stderr.strip()[-500:]}")
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a clone of the last commit, in whose dist/ a release was built, and the options that it was built with.

    The packages of the function are tests/project/test_lambda_package.py's, which takes the longest.
    """
    folder = tmp_path_factory.mktemp("release")
    clone = folder / "clone"
    if not (ROOT / ".git").exists():
        pytest.skip("NOT TESTED: there is no Git repository to clone")
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    policy = folder / "policy.txt"
    policy.write_text(
        "log log.example.com+6b640a20+Ad282afkmQTWHeD/DlOMk2mQjhPTb32LX5qAFsafRpSg\nquorum none\n", "utf-8"
    )
    options = ["--policy", str(policy), "--without", "lambda", "--tools", str(folder / "tools")]
    done = release("build", clone / "dist", *options, cwd=clone)
    assert done.returncode == 0, done.stderr
    return clone, options


@pytest.mark.slow
def test_the_same_bytes_elsewhere(built: tuple[Path, list[str]]) -> None:
    """From a clone at another path, with another umask, time zone and locale, all files are the same; or it is said."""
    clone, options = built
    done = release("check", clone / "dist", *options, cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = {Path(line.split()[1]).suffix for line in (clone / "dist" / SUMS).read_text("utf-8").splitlines()}
    assert {".whl", ".gz", ".pyz", ".html", ".tgz", ".zip", ".json"} <= kinds
    if shutil.which("cargo"):
        assert list((clone / "dist").glob("tiletree_native-*.whl"))
    sums = clone / "dist" / SUMS
    before = sums.read_text("utf-8")
    sums.write_text(before.replace(before[:8], "00000000", 1), "utf-8")
    fast = [*options, *(word for kind in ("python", "native") for word in ("--without", kind))]
    done = release("check", clone / "dist", *fast, cwd=clone)
    sums.write_text(before, "utf-8")
    assert done.returncode == 1
    assert before.split()[1] in done.stderr


@pytest.mark.slow
def test_it_runs_where_nothing_else_is(built: tuple[Path, list[str]], tiletree: Command, tmp_path: Path) -> None:
    """The wheel, installed without an index from the wheels of its dependencies, verifies; and so does verify.pyz."""
    dist = built[0] / "dist"
    wheels = ROOT / ".venv" / "wheels"
    if not list(wheels.glob("cryptography-*.whl")):
        pytest.skip("NOT TESTED: make has not kept the wheels of what tiletree needs")
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True, symlinks=True)
    (tmp_path / "home").mkdir()
    variables = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(list(map(str, command)), cwd=tmp_path, env=variables, capture_output=True, text=True)

    python = environment / "bin" / "python"
    found = [f"--find-links={dist}", f"--find-links={wheels}"]
    native = [f"tiletree-native=={path.name.split('-')[1]}" for path in dist.glob("tiletree_native-*.whl")]
    done = run(python, "-m", "pip", "install", "--no-index", *found, f"tiletree=={__version__}", *native)
    assert done.returncode == 0, done.stderr
    command = environment / "bin" / "tiletree"
    assert run(command, "--version").stdout == f"tiletree, version {__version__}\n"
    said = json.loads(run(command, "init", "log", "--origin", "log.example.com", "--key", "k", "--json").stdout)
    assert run(command, "add", "log", dist / SUMS, "--key", "k").returncode == 0
    trust = ("--vkey", said["vkey"])
    assert run(command, "prove", "log", dist / SUMS, "-o", "proof", *trust).returncode == 0
    for verify in ((command, "verify"), (sys.executable, "-I", "-S", dist / "verify.pyz")):
        assert run(*verify, dist / SUMS, "--proof", "proof", *trust).returncode == 0
        assert run(*verify, dist / "verify.pyz", "--proof", "proof", *trust).returncode == 1
    if native:
        done = run(python, "-c", "import tiles.native; print(tiles.native.compiled.INTERFACE)")
        assert done.returncode == 0, done.stderr
