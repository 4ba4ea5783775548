"""docs/environment.md has the variables that the code reads, all of them and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.outcomes import quoted
from tiletree.commands.sequence import sequence
from tiletree.environment import VARIABLES
from tiletree.jobs.job import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "environment.md"
CONSTANT = re.compile(r"""["']([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]|PORT|TERM|(?:no|all)_proxy)["']""")
READS = re.compile(r"\benviron\b|\benvironment\b|\benvvar\b|xdg_directory")  # in modules that read variables

# put together from parts, and so no constants of the code
COMPOSED = {f"TILETREE_{name.upper()}" for name in OPTIONS} | {
    name for scheme in ("http", "https") for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
}
# read by libraries alone; the page says which
OTHERS = {
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "SSL_CERT_DIR",
}
NO_VARIABLES = {"O_PATH", "F_FULLFSYNC"}  # constants of the system


def rows() -> Iterator[tuple[list[str], str]]:
    """Yield the variables of each row of the table, and who reads them."""
    text = PAGE.read_text(encoding="utf-8")
    table = re.search(r"^\| variable \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    assert table is not None
    for row in table[1].splitlines():
        names, _, by = [cell.strip() for cell in row.strip("|").split(" | ")]
        yield quoted(names), by


def read_by_the_code() -> set[str]:
    """Return the names of variables that stand in a module which reads the environment, or begin with TILETREE_."""
    found = set(COMPOSED)
    for path in [*(ROOT / "tiles").rglob("*.py"), *(ROOT / "cmd" / "tiletree").rglob("*.py")]:
        if path.name == "environment.py":
            continue
        text = path.read_text(encoding="utf-8")
        if READS.search(text) or "TILETREE_" in text:
            found |= set(CONSTANT.findall(text))
    return found - NO_VARIABLES


def test_the_table_is_what_the_code_reads() -> None:
    """Neither a variable that nobody reads, nor one that nobody can know of."""
    listed = [name for names, _ in rows() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(VARIABLES)
    assert set(VARIABLES) == read_by_the_code() | OTHERS
    assert not read_by_the_code() & OTHERS


def test_what_only_jobs_read_are_options_of_sequence() -> None:
    """The page says so."""
    assert set(OPTIONS) < {param.name for param in sequence.params}
    assert [by for names, by in rows() if "TILETREE_MAX_ENTRIES" in names] == ["jobs only"]


def test_secrets_are_not_shown() -> None:
    """Whatever may hold a password, a key or a token is named, and never shown."""
    secret = re.compile(
        r"SECRET|TOKEN$|PRIVATE_KEY|ACCESS_KEY|ACCOUNT_KEY|^(?:https?|all)_proxy|^(?:HTTPS?|ALL)_PROXY|URL_S3"
    )
    assert not [name for name, is_shown in VARIABLES.items() if is_shown and secret.search(name)]
