"""docs/rekor-and-cosign.md and the recipes: every command that they show exists, and has the options that they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.support.make_cli_docs import contexts

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "rekor-and-cosign.md", *sorted((ROOT / "docs" / "recipes").glob("*.md"))]
OPTIONS = {
    context.command_path.removeprefix("tiletree").strip(): {
        name
        for parameter in context.command.get_params(context)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    for context in contexts()
}


def shown(page: Path) -> list[list[str]]:
    """Return the words of each call of `tiletree` in a page, in text and in blocks of code."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    calls = re.findall(r"(?:`|^ *|\(|run: |- )(tiletree [^`|#>;)&\n]*)", text, flags=re.MULTILINE)
    return [shlex.split(call)[1:] for call in calls]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_exist(page: Path) -> None:
    """A call is of a command that there is, with options that it has."""
    calls = shown(page)
    for words in calls:
        name = next((name for name in (" ".join(words[:2]), words[0], "") if name in OPTIONS), None)
        assert name is not None, words
        assert name or words[0].startswith("-"), words
        assert {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)} <= OPTIONS[name], words


def test_pages_have_calls() -> None:
    """The page of Rekor's and Cosign's words has many; each of the main commands is among them."""
    named = {words[0] for words in shown(PAGES[0])}
    assert len(shown(PAGES[0])) >= 50
    assert {"upload", "get", "search", "verify", "loginfo", "logproof", "shim", "staple", "trust-root"} <= named


def test_claims_have_their_names() -> None:
    """What stands for a flag of cosign is a claim that certificates have."""
    from tiles.sigstore.certificate import CLAIMS

    text = PAGES[0].read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if "--certificate-claim" in line]
    assert "GitHub Workflow Repository=X" in row
    short = re.findall(r"`(?:GitHub Workflow )?(\w+)`", row)
    assert {f"GitHub Workflow {name}" for name in (*short, "Repository")} == {CLAIMS[number] for number in range(2, 7)}


def test_click_is_what_reads_them() -> None:
    """All commands are looked at: the table above is not empty by mistake."""
    assert isinstance(next(iter(contexts())).command, click.Group)
    assert "--require" in OPTIONS["verify"]
    assert "--also" in OPTIONS["trust-root"]
