"""What hatchling adds to the wheel (pyproject.toml, "hooks"): the documents that messages of the command lead to.

An editable installation has them where they are: `tiletree.documents` looks there, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "tiletree/docs"  # beside the modules of the command


def documents(root: Path) -> dict[str, str]:
    """Return where each document of a repository is, and where it is in the wheel. Pictures and schemas stay out."""
    folder = root / "docs"
    return {str(path): f"{TARGET}/{path.relative_to(folder).as_posix()}" for path in sorted(folder.rglob("*.md"))}


class Documents(BuildHookInterface):  # type: ignore[misc, type-arg, unused-ignore]
    """Adds the documents."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them, unless the installation is an editable one."""
        if version != "editable":
            build_data["force_include"].update(documents(Path(self.root)))
