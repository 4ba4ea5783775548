"""Whether private things are where others see them: below a web root, in a git checkout, or of a mode to be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from tiles.store import Store

# what web servers serve unless they are told otherwise
_WEB_ROOTS = ("/var/www", "/srv/http", "/srv/www", "/usr/share/nginx", "/usr/local/www", "/Library/WebServer/Documents")
_WEB_FOLDERS = ("public_html", "htdocs", "wwwroot", "webroot")
_PAGES = ("index.html", "index.htm", "index.php")
_CHECKOUT = ".git"  # a folder; in a worktree and in a submodule a file
_GIT_SECONDS = 10.0  # after which git is not waited for


def exposure(place: Path) -> str:
    """Return why others may get to see a file or folder at an absolute path; "" if nothing tells that.

    place   may be missing, and is not looked into itself
    """
    for folder in place.parents:
        if _is_there(folder / _CHECKOUT) and not _is_ignored(folder, place):
            return f"{folder} is a git checkout"
        for page in _PAGES:
            if _is_there(folder / page):
                return f"{folder} has an {page}, as a folder has that is served"
        if str(folder) in _WEB_ROOTS or folder.name in _WEB_FOLDERS:
            return f"{folder} is where web servers have what they serve"
    return ""


@runtime_checkable
class HasModes(Protocol):
    """A store on a machine that other users may have."""

    def readable_by_others(self) -> Sequence[str]:
        """Return what others than the owner may read, as messages name it."""
        ...


def readable(*stores: Store) -> list[str]:
    """Return what others on the machine may read of places for private things, as messages name it."""
    return [each for store in stores if isinstance(store, HasModes) for each in store.readable_by_others()]


def _is_ignored(checkout: Path, place: Path) -> bool:
    """Whether git leaves a place out of what it records. Without git, nothing tells it."""
    import subprocess  # for the few places that are in a checkout

    # variables such as GIT_DIR would lead git to another repository
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(checkout), "check-ignore", "--quiet", "--", str(place)]
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:  # also where this user may not look: then nothing tells it
        return False
    return True
