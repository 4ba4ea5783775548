"""Which places would be published."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tiles.user.exposed import exposure


@pytest.mark.parametrize(
    ("beside", "why"),
    [
        (".git/", "{0} is a git checkout"),
        (".git", "{0} is a git checkout"),  # of a worktree or submodule
        ("index.html", "{0} has an index.html, as a folder has that is served"),
        ("index.php", "{0} has an index.php, as a folder has that is served"),
    ],
)
def test_what_is_beside_or_above(tmp_path: Path, beside: str, why: str) -> None:
    """A sign of it beside the place or in any folder above tells it; one inside the place, or below, does not."""
    web = tmp_path / "web"
    place = web / "deep/log.private"
    place.mkdir(parents=True)
    for inside in (place, web / "deep/log"):
        inside.mkdir(exist_ok=True)
        (inside / "index.html").touch()
    assert exposure(place) == ""
    (web / beside).mkdir() if beside.endswith("/") else (web / beside).touch()
    assert exposure(place) == exposure(web / "deep/missing/log.private") == why.format(web)
    assert exposure(web / "log.private") == why.format(web)
    assert exposure(tmp_path / "log.private") == ""


def test_what_git_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a checkout ignores is not recorded in it, so it is not published with it; what it tracks all the same is."""
    web = tmp_path / "web"
    web.mkdir()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))  # as in a hook of another repository
    git = ["git", f"--git-dir={web / '.git'}", f"--work-tree={web}"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    for place in ("log.private", "log.key"):
        (web / place).touch()
    (web / ".gitignore").write_text("/log.*\n")
    assert exposure(web / "log.private") == exposure(web / "log.key") == ""
    assert exposure(web / "k") == f"{web} is a git checkout"
    subprocess.run([*git, "add", "--force", "log.key"], check=True, cwd=web)
    assert exposure(web / "log.key") == f"{web} is a git checkout"
    (tmp_path / "index.html").touch()
    assert exposure(web / "log.private") == f"{tmp_path} has an index.html, as a folder has that is served"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert exposure(web / "log.private") == f"{web} is a git checkout"


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("/var/www/html/log.private", "/var/www"),
        ("/srv/http/log.private", "/srv/http"),
        ("/export/ann/public_html/a/log.private", "/export/ann/public_html"),
        ("/opt/tomcat/htdocs/log.private", "/opt/tomcat/htdocs"),
    ],
)
def test_web_roots(place: str, folder: str) -> None:
    """Folders of which web servers are known to serve all that is in them are told by their names."""
    assert exposure(Path(place)) == f"{folder} is where web servers have what they serve"
    assert exposure(Path(folder)) == exposure(Path("/srv/logs/log.private")) == ""
