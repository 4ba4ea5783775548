"""`tiletree page`: the verifying page, put into a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.web_logs import PLAIN
from tiles.errors import UsageError
from tiles.notes.policy import parse_policy
from tiles.page import page_files, published_policy
from tiles.store.memory import MemoryStore

PAGE = page_files(parse_policy(PLAIN["policy.txt"]))


def test_page_command(tiletree: Command) -> None:
    """`page` writes the page beside the tiles, says the SHA-256 of verify.html, and the second time changes nothing."""
    log = Path("log")
    for path, data in PLAIN.items():
        (log / path).parent.mkdir(parents=True, exist_ok=True)
        (log / path).write_bytes(data)
    for said in ("wrote icon.svg, index.html, page/app.js", "the page is up to date"):
        done = tiletree("page", "log")
        assert done.code == 0, done
        assert said in done.out
        assert "SHA-256 of verify.html: " in done.out
    assert {name: (log / name).read_bytes() for name in PAGE} == PAGE


def test_a_log_without_a_policy() -> None:
    """Without a published policy there is no key to put into verify.html."""
    with pytest.raises(UsageError, match=r"has no policy\.txt"):
        published_policy(MemoryStore())
