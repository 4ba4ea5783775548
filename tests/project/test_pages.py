"""The pages that show commands: each block is run as it stands there, by a user whose home is empty."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.node import node
from tests.support.shown import ROOT, Line, Reader, answering, console
from tests.support.web_server import LogServer

DOCS = ROOT / "docs"
README = ROOT / "README.md"
VKEY = re.compile(r"log\.example\.com\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}")
pytest_plugins = ["tests.support.web_fixtures"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Return where calls of `tiletree` are answered."""
    with answering() as port:
        yield port


@pytest.fixture
def reader(tmp_path: Path, port: int) -> Reader:
    """Return somebody who has built a project, and has never run the command."""
    reader = Reader(tmp_path, port)
    (reader.directory / "dist").mkdir()
    for name in ("app-1.0.whl", "dist/app-1.0.whl", "dist/app-1.0.tar.gz", "dist/app-1.0-py3-none-any.whl", "LICENSE"):
        (reader.directory / name).write_text(f"the content of {name}")
    return reader


def ran(lines: list[Line]) -> list[str]:
    """Return which commands of `tiletree` there were."""
    return [word for line in lines for word in re.findall(r"\btiletree (\w[\w-]*)", line.command)]


def test_every_page_with_commands_is_run() -> None:
    """Blocks of commands are in these pages alone, and the tests here, or of the bucket, run them."""
    pages = [README, *sorted(DOCS.rglob("*.md"))]
    shown = [path for path in pages if re.search(r"^```(?:console|python)$", path.read_text("utf-8"), re.MULTILINE)]
    names = ["README.md", "publish-ci.md", "publish-small.md", "signing.md", "start-here.md", "verify.md"]
    assert [path.name for path in shown] == names


def test_readme(reader: Reader) -> None:
    """From a checkout to a file of one's own that verifies; what it says is kept is there."""
    activate = reader.directory / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.touch()
    assert ran(reader.types(console(README))) == ["init", "add", "key", "verify"]
    for name in ("log", "log.private", "dist/app-1.0.whl.tlog-proof"):
        assert name in README.read_text(encoding="utf-8")
        assert (reader.directory / name).exists()
    # "Copy ./log to where it is to be served: it is complete as it is"
    (reader.directory / "log").rename(reader.directory / "elsewhere")
    (reader.directory / "log.private").rename(reader.directory / "private")
    reader.types([Line("tiletree audit elsewhere", [], 0), Line("tiletree search elsewhere dist/app-1.0.whl", [], 0)])


def test_the_first_screen_of_the_readme() -> None:
    """Log, key, proof and vkey have one sentence each, before the first command; all of it fits on a screen or two."""
    text = README.read_text(encoding="utf-8")
    words = re.findall(r"^- .*?\*\*(\w+)\*\* .*\.$", text.partition("\n## ")[0], flags=re.MULTILINE)
    assert words == ["log", "key", "proof", "vkey"]
    assert len(text.splitlines()) <= 75


def test_start_here(reader: Reader) -> None:
    """The first ten minutes."""
    lines = reader.types(console(DOCS / "start-here.md"))
    assert ran(lines) == ["init", "add", "prove", "key", "verify", "verify", "add", *["search"] * 4, "get"]
    assert reader.named() == ["pip install PATH-OF-THE-CHECKOUT"]


def test_publish_small(reader: Reader) -> None:
    """A log by hand; what is copied to where it is served is whole, and the shown README line has what it needs."""
    lines = reader.types(console(DOCS / "publish-small.md"))
    assert ran(lines) == ["init", "key", "add", "add", "verify", "audit", "status"]
    assert VKEY.fullmatch((reader.directory / "vkey.txt").read_text().strip())
    proofs = sorted(path.name for path in (reader.directory / "dist").glob("*.tlog-proof"))
    assert proofs == [f"app-1.0{end}.tlog-proof" for end in ("-py3-none-any.whl", ".tar.gz", ".whl")]


def test_a_lost_machine(reader: Reader) -> None:
    """With what is served, the copy of the private part and the key the log goes on; an older copy is refused."""
    page = (DOCS / "publish-small.md").read_text("utf-8")
    *begin, first, second = re.findall(
        r"^```console\n(.*?)```$", page.partition("## Look")[0], re.DOTALL | re.MULTILINE
    )
    release = [Line(line.removeprefix("$ "), [], 0) for line in (first + second).splitlines()]
    reader.types([*(Line(line.removeprefix("$ "), [], 0) for each in begin for line in each.splitlines()), *release])
    lost = page.partition("## If the machine is lost")[2].partition("\n## ")[0]
    restore = re.findall(r"^    (.*)$", lost, re.MULTILINE)
    assert [line.split()[0] for line in restore] == ["cp", "cp", "tiletree", "tiletree"]
    adopt = restore[2]

    def lose() -> None:
        for place in ("log", "log.private"):
            shutil.rmtree(reader.directory / place)
        (anchor,) = reader.home.rglob("*.key.anchor")
        shutil.rmtree(anchor)
        reader.types([Line(line, [], 0) for line in restore[:2]])

    lose()
    reader.types([Line(f"{adopt} --yes", [], 0), Line(restore[3], [], 0)])
    (reader.directory / "dist/app-1.1.whl").write_text("the next release")
    reader.types([line for line in release if "backup" not in line.command])  # so the copy is an older one
    lose()
    reader.types([Line(f"{adopt} --yes", [], 4)])


def test_signing(reader: Reader) -> None:
    """A signature that is logged, and verified."""
    lines = reader.types(console(DOCS / "signing.md"))
    assert ran(lines) == ["init", "key", "sign", "trust-root", "key", "verify"]
    (cosign,) = reader.named()
    files = re.findall(r"(?:--[\w-]+ )?([\w./-]+\.(?:pub|json|whl))", cosign)
    assert len(files) == 4
    assert all((reader.directory / file).is_file() for file in files)


RELEASE = [  # a folder of files, each with its proof, and a list of them
    "(cd dist && sha256sum * >SHA256SUMS)",
    "tiletree add log dist/*",
    'for file in dist/*; do tiletree prove log "$file" -o "$file.tlog-proof"; done',
]


@pytest.fixture
def verifier(reader: Reader, server: LogServer) -> Reader:
    """Return somebody who got a file, its proof and a vkey of a log that is served, and nothing else."""
    begun = (
        "init log --origin log.example.com",
        "add log app-1.0.whl",
        "prove log app-1.0.whl -o app-1.0.whl.tlog-proof",
    )
    reader.types([Line(f"tiletree {words}", [], 0) for words in begun])
    reader.types([Line("tiletree key show log >vkey.txt", [], 0), Line("tiletree add log LICENSE", [], 0)])
    reader.types([Line("tiletree prove log app-1.0.whl -o app-1.0.whl.tlog-proof", [], 0)])
    (reader.directory / "dist" / "app-1.0-py3-none-any.whl").unlink()
    reader.types([Line(line, [], 0) for line in RELEASE])
    log = reader.directory / "log"
    server.objects = {path.relative_to(log).as_posix(): path.read_bytes() for path in log.rglob("*") if path.is_file()}
    for folder in (log, reader.directory / "log.private", reader.home):
        shutil.rmtree(folder)
    reader.home.mkdir()
    for path in (reader.directory / "app-1.0.whl", reader.directory / "app-1.0.whl.tlog-proof"):
        server.objects[path.name] = path.read_bytes()
    (reader.directory / "other.whl").write_text("never logged")
    for folder in ("examples", "web"):
        (reader.directory / folder).symlink_to(ROOT / folder)
    reader.elsewhere = {"https://log.example.com": server.url, "https://example.com": server.url}
    return reader


def test_verify(verifier: Reader) -> None:
    """The command, and the shell script, which refuses another file, another key, and a proof that was changed."""
    lines = verifier.types(console(DOCS / "verify.md"))
    assert ran(lines) == ["verify", "search", "search", "verify", "verify", "verify", "search", "verify"]
    questions = re.findall(r"^\| [^|]*\? \| `(tiletree [^`]*)`", (DOCS / "verify.md").read_text("utf-8"), re.MULTILINE)
    asked = [line for line in questions if not re.search(r"--policy|--key", line)]  # of logs that this one is none of
    asked = ['export TILETREE_VKEY="$(cat vkey.txt)"', *asked]
    assert ran(verifier.types([Line(line, [], 0) for line in asked])) == ["verify", "search", "audit"]
    script = "bash examples/verify.sh"
    proof = verifier.directory / "app-1.0.whl.tlog-proof"
    text = proof.read_text()
    for name, old, new in (
        ("index", "index 0", "index 2"),
        ("place", "index 0", "index 1"),
        ("size", "\n2\n", "\n3\n"),
        ("header", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
    ):
        assert old in text
        (verifier.directory / f"{name}.p").write_text(text.replace(old, new, 1))
    (verifier.directory / "short.p").write_text(text[:30])
    (verifier.directory / "cut.p").write_text(text[: text.index("\n\n") + 20])
    (verifier.directory / "mail.p").write_bytes(text.replace("\n", "\r\n").encode())
    vkey = '"$(cat vkey.txt)"'
    other = "log.example.com+f616247d+AZtOtFKZlr0zAILMqyn33nz5w/WSNG9buJG7bUp5AJhd"
    wrong = [
        f"{script} app-1.0.whl {name}.p {vkey}" for name in ("index", "place", "size", "header", "short", "cut", "mail")
    ]
    wrong += [f"{script} other.whl {proof.name} {vkey}", f"{script} app-1.0.whl {proof.name} {other}"]
    verifier.types([Line(command, ["not verified: …"], 1) for command in wrong])


def test_verify_in_python(
    verifier: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Python example says what it verified, and "raises if anything does not hold"."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", (DOCS / "verify.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    imported = re.findall(r"^(?:from|import) (\S+)", code, flags=re.MULTILINE)
    assert imported == ["os", "pathlib", "tiles"]  # nothing of the library that may change
    monkeypatch.chdir(verifier.directory)
    monkeypatch.setenv("TILETREE_VKEY", Path("vkey.txt").read_text().strip())
    exec(compile(code, "verify.md", "exec"), {})
    assert capsys.readouterr().out == "verified: entry 0 of 2 in log.example.com\n"
    Path("app-1.0.whl").write_bytes(b"something else")
    with pytest.raises(Exception, match="inclusion"):
        exec(compile(code, "verify.md", "exec"), {})


def test_verify_in_node(verifier: Reader) -> None:
    """The first program for Node.js verifies the file by its proof, called as it is shown, and no other file."""
    text = (DOCS / "verify.md").read_text("utf-8")
    code = re.findall(r"^```js\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0]
    (call,) = re.findall(r"^    node (.*)$", text, re.MULTILINE)
    (verifier.directory / "verify.mjs").write_text(code)
    script, file, proof, _ = call.split()
    vkey = (verifier.directory / "vkey.txt").read_text().strip()

    def run(file: str) -> subprocess.CompletedProcess[str]:
        command = [node(), script, file, proof, vkey]
        return subprocess.run(command, cwd=verifier.directory, capture_output=True, text=True)

    done = run(file)
    assert done.stdout == "verified: entry 0 of 2 in log.example.com\n", done.stderr
    assert run("other.whl").returncode != 0


def test_make_demo_takes_files() -> None:
    """`make demo FILES=app.whl` runs the demo with that file."""
    shown = subprocess.run(
        ["make", "-n", "demo", "FILES=app.whl"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.search(r"-m tiletree\.demo demo-log app\.whl$", shown.stdout, flags=re.MULTILINE)
