"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command

SECRET = "S3CR3Tmarked"


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("monitor log --begin new --state {}", "--state"),
        ("submit log one --submitter ci --receipt {}", "--receipt"),
        ("prove log one -o {}", "--output"),
        ("get log 0 -o {}", "--output"),
        ("trust-root log --out {}", "--out"),
        ("index check log --work {}", "--work"),
        ("add log one --key k --proofs-in {}", "--proofs-in"),
        ("key generate x.example.com --out {}", "--out"),
    ],
)
@pytest.mark.parametrize("address", [f"s3://{SECRET}/x", f"https://me:{SECRET}@example.com/x"])
def test_an_address_is_no_path(tiletree: Command, log: str, words: str, option: str, address: str) -> None:
    """It would be a folder called `s3:` on this machine, which a job loses: a wrong call, and nothing is made of it."""
    Path("one").write_bytes(b"one")
    before = {str(path) for path in Path().rglob("*")}
    done = tiletree(*words.format(address).split(), "--json")
    assert done.code == 2, done
    assert done.json["error"]["message"] == f"{option} is a path on this machine, and was given an address"
    assert SECRET not in done.out + done.err
    assert {str(path) for path in Path().rglob("*")} == before


def test_a_folder_may_be_called_so(tiletree: Command, log: str) -> None:
    """What is there is meant, whatever it is called."""
    Path("s3:/x").mkdir(parents=True)
    Path("one").write_bytes(b"one")
    tiletree.ok("add", "log", "one", "--key", "k", "--proofs-in", "s3:/x")
    assert [path.name for path in Path("s3:/x").iterdir()] == ["one.tlog-proof"]
