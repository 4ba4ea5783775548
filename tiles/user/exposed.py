"""Whether a place for private things is where they would be published: below a web root, or in a git checkout."""

from __future__ import annotations

from pathlib import Path

# what web servers serve unless they are told otherwise
_WEB_ROOTS = ("/var/www", "/srv/http", "/srv/www", "/usr/share/nginx", "/usr/local/www", "/Library/WebServer/Documents")
_WEB_FOLDERS = ("public_html", "htdocs", "wwwroot", "webroot")
_PAGES = ("index.html", "index.htm", "index.php")
_CHECKOUT = ".git"  # a folder; in a worktree and in a submodule a file


def exposure(place: Path) -> str:
    """Return why others may get to see a file or folder at an absolute path; "" if nothing tells that.

    place   may be missing, and is not looked into itself
    """
    for folder in place.parents:
        if _is_there(folder / _CHECKOUT):
            return f"{folder} is a git checkout"
        for page in _PAGES:
            if _is_there(folder / page):
                return f"{folder} has an {page}, as a folder has that is served"
        if str(folder) in _WEB_ROOTS or folder.name in _WEB_FOLDERS:
            return f"{folder} is where web servers have what they serve"
    return ""


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:  # also where this user may not look: then nothing tells it
        return False
    return True
