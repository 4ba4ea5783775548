"""`tiletree page`: the verifying page, put into a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.fault_server import Answer, serving
from tests.support.web_logs import PLAIN
from tiles.errors import UsageError
from tiles.notes.policy import parse_policy
from tiles.page import page_files, published_policy
from tiles.store.memory import MemoryStore

PAGE = page_files(parse_policy(PLAIN["policy.txt"]))


@pytest.mark.usefixtures("whole_page")
def test_page_command(tiletree: Command) -> None:
    """`page` writes the page beside the tiles, says the SHA-256 of verify.html, and the second time changes nothing."""
    log = Path("log")
    for path, data in PLAIN.items():
        (log / path).parent.mkdir(parents=True, exist_ok=True)
        (log / path).write_bytes(data)
    for said in ("wrote 404.html, icon.svg, index.html, page/app.js", "the page is up to date"):
        done = tiletree("page", "log")
        assert done.code == 0, done
        assert said in done.out
        assert "SHA-256 of verify.html: " in done.out
    assert {name: (log / name).read_bytes() for name in PAGE} == PAGE


PAGE_FOUND = "is a web page"  # what is said of a page in the place of an object


class PagesHost(dict[str, list[Answer]]):
    """A host of pages: for what it does not have it answers 404.html and 404 or, where there is none, index.html."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory

    def get(self, path: str, _default: object = None) -> list[Answer]:  # type: ignore[override]
        """Return the answer for any path."""
        for name, status in ((path.removeprefix("/"), 200), ("404.html", 404), ("index.html", 200)):
            if (file := self.directory / name).is_file():
                data = file.read_bytes()
                return [lambda handler, status=status, data=data: handler.send(status, data)]
        return [lambda handler: handler.send(404)]


@pytest.mark.parametrize(
    ("missing", "call", "code", "says"),
    [
        ("policy.txt", "info", 2, "no key is known for this log"),
        ("checkpoint", "info --vkey VKEY", 3, "checkpoint: not found"),
        ("tile/entries/000.p/2", "get 0 --vkey VKEY", 3, "neither tile/entries/000.p/2 nor tile/entries/000 is there"),
        ("tile/0/000.p/2", "prove --index 0 --vkey VKEY", 3, "neither tile/0/000.p/2 nor tile/0/000 is there"),
        ("payload", "get 0 --payload --vkey VKEY", 3, "not found"),
    ],
)
def test_what_a_host_of_pages_does_not_have(
    tiletree: Command, log: str, missing: str, call: str, code: int, says: str
) -> None:
    """A new log is read there as anywhere else; without 404.html each missing object is a page."""
    if (file := Path("log") / missing).exists():
        file.unlink()
    command, *words = call.replace("VKEY", log).split()
    for said in (says, PAGE_FOUND):
        with serving({}) as server:
            server.script = PagesHost(Path("log"))
            done = tiletree(command, server.url, *words)
        assert said in done.err, done
        assert done.code == code or said == PAGE_FOUND, done
        Path("log/404.html").unlink(missing_ok=True)


def test_a_log_without_a_policy() -> None:
    """Without a published policy there is no key to put into verify.html."""
    with pytest.raises(UsageError, match=r"has no policy\.txt"):
        published_policy(MemoryStore())
