"""Where the documents are that messages and --help lead to: the one place that says so.

A message names a document as it is named in the repository, such as docs/lost.md#the-key-is-gone. The wheel has the
documents beside this module, and a repository has them where they are. The container and verify.pyz have none.
"""

from __future__ import annotations

from pathlib import Path

import click

from tiles.version import __version__

NAMED = "docs/"  # with which the name of a document begins
_HERE = Path(__file__).parent


def folder() -> Path | None:
    """Return the folder that messages call docs; None if this installation has none."""
    for found in (_HERE / "docs", _HERE.parents[1] / "docs"):
        if (found / "lost.md").is_file():
            return found
    return None


def where(*, is_read_here: bool = True) -> str:
    """Say what docs is, to who has read the name of a document. is_read_here: on the machine that has printed it"""
    if is_read_here and (found := folder()) is not None:
        return f"docs is the folder {found}"
    return f"docs is a folder of the source archive, tiletree-{__version__}.tar.gz"


def located(hint: str, *, is_read_here: bool = True) -> str:
    """Return a hint that says where documents are, if it names one."""
    return f"{hint} ({where(is_read_here=is_read_here)})" if NAMED in hint else hint


def locate_in_help(command: click.Command) -> None:
    """Let the --help of a command say at its end where documents are, if it names one."""
    texts = [command.help, *(param.help for param in command.params if isinstance(param, click.Option))]
    if command.epilog is None and any(NAMED in text for text in texts if text):
        command.epilog = f"\b\n{where()}"
