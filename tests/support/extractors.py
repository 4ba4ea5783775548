"""Distributions with extractors of keys, as an application's Python package declares them."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from tiles.entries import key_kinds

EXAMPLE = Path(__file__).parents[2] / "examples" / "keys_of_builds"


def install(place: Path, points: dict[str, str], name: str = "acme_build") -> None:
    """Install a distribution with these entry points, and the example's module, in a directory of `sys.path`."""
    shutil.copy(EXAMPLE / "acme_build.py", place)
    info = place / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{kind} = {value}\n" for kind, value in points.items()]
    (info / "entry_points.txt").write_text("[tiletree.keys]\n" + "".join(lines))
    forget()


def declared() -> dict[str, str]:
    """Return the entry points that the example declares."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points: dict[str, str] = project["entry-points"][key_kinds.GROUP]
    return points


def forget() -> None:
    """Let it be looked for anew what is installed."""
    key_kinds._declared.cache_clear()
    key_kinds.extractor.cache_clear()
