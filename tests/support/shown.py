"""Blocks of commands in documents, run by bash as they stand, by a user whose home is empty.

A line of a ```console block that begins with `$ ` is a command, further ones are its own as long as they end in a
backslash, and all others are what it prints: `…` stands for anything. A command exits with 0, or with what its comment
says, `# exit code 8`. `tiletree` runs in forks of a process that has imported it. Programs that a page only names (pip,
cosign) do nothing, and are written down.
"""

from __future__ import annotations

import os
import re
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.forking_tiletree import Forks

ROOT = Path(__file__).resolve().parents[2]
_ASK = r"""#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\0' "$#" "$PWD" "$@" >&3
env -0 >&3
printf '\0' >&3
IFS= read -r -d '' code <&3
IFS= read -r -d '' out <&3
IFS= read -r -d '' err <&3
printf %s "$out"
printf %s "$err" >&2
exit "$code"
"""
_NAMED = '#!/bin/bash\nprintf \'%s\\n\' "${0##*/} $*" >>"$HOME/named"\n'
_PYTHON = """#!/bin/bash
[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" && touch "$3/bin/activate" && exit
exec {real} "$@"
"""


@dataclass
class Line:
    """One command of a page: as it stands there, what it is to print and to exit with; then what it did."""

    command: str
    prints: list[str]
    expected: int
    code: int = -1
    out: str = ""


def console(path: Path) -> list[Line]:
    """Return the commands in the blocks of a document."""
    found: list[Line] = []
    for block in re.findall(r"^```console\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        assert block.startswith("$ "), f"{path}: {block}"
        for line in block.replace("\\\n", "").splitlines():
            if not line.startswith("$ "):
                found[-1].prints.append(line)
                continue
            expected = re.search(r"# exit code (\d+)", line)
            found.append(Line(line[2:], [], int(expected[1]) if expected else 0))
    return found


class _Asked(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        count = int(self._text())
        directory, *words = [self._text() for _ in range(count + 1)]
        variables = dict(text.split("=", 1) for text in iter(self._text, ""))
        done = self.server.forks(words, directory=Path(directory), environment=variables)  # type: ignore[attr-defined]
        self.wfile.write("".join(f"{text}\0" for text in (done.code, done.out, done.err)).encode())

    def _text(self) -> str:
        text = b""
        while (one := self.rfile.read(1)) != b"\0":
            assert one
            text += one
        return text.decode()


class Reader:
    """Somebody who types what a page shows, in a directory, with an empty home beside it."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory / "here"
        self.home = directory / "home"
        self.elsewhere: dict[str, str] = {}  # addresses in the page, and what is there in the test
        programs = directory / "programs"
        for folder in (self.directory, self.home, programs):
            folder.mkdir()
        texts = {"tiletree": _ASK.replace("{port}", str(port)), "pip": _NAMED, "cosign": _NAMED}
        texts["python3"] = _PYTHON.replace("{real}", "/usr/bin/env -S python3")
        for name, text in texts.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.environment = {"HOME": str(self.home), "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8"}

    def types(self, lines: list[Line], variables: Mapping[str, str] | None = None) -> list[Line]:
        """Run lines in one shell, and hold what each comes to and prints against the page."""
        outputs = self.home.parent / "outputs"
        outputs.mkdir(exist_ok=True)
        script = "".join(
            f"{{ {line.command}\n}} >{outputs}/{number} 2>&1; echo $? >{outputs}/{number}.code\n"
            for number, line in enumerate(lines)
        )
        for address, there in self.elsewhere.items():
            script = script.replace(address, there)
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", script],
            cwd=self.directory,
            env=self.environment | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=True,
        )
        for number, line in enumerate(lines):
            line.code = int((outputs / f"{number}.code").read_text())
            line.out = (outputs / str(number)).read_text(encoding="utf-8")
            assert line.code == line.expected, f"{line.command}: exit code {line.code}\n{line.out}"
            printed = iter(line.out.splitlines())
            for shown in line.prints:
                pattern = ".*".join(map(re.escape, shown.split("…")))
                assert any(re.fullmatch(pattern, each) for each in printed), f"{shown}\nis not in\n{line.out}"
        return lines

    def named(self) -> list[str]:
        """Return the calls of programs that did nothing."""
        path = self.home / "named"
        return path.read_text().splitlines() if path.exists() else []


@contextmanager
def answering() -> Iterator[int]:
    """Answer calls of `tiletree` at a port of this machine, until the end of the context."""
    forks = Forks()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Asked) as server:
        server.forks = forks  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            forks.end()
