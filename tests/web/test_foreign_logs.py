"""The page with logs that others wrote, and with the log that the demo makes, served as the demo says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.browser import Chromium, Site, site

pytest_plugins = ["tests.support.browser_fixture"]

ORIGIN = "example.com/log"


def objects_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a log."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def open_with(one: Site, vkey: str) -> None:
    """Open the page with the key in the link, and take it: the log has no policy.txt, so nothing else names one."""
    one.open(f"#vkey={vkey}")
    assert one.said("#head")[0] == "unknown-key"
    one.page.click("#head button:has-text('all the same')")
    one.page.wait_for_selector("#head .card:not([data-state=unknown-key])")


def test_tesseras_golden_log(chromium: Chromium, shared_vectors: Path) -> None:
    """Tessera's golden log is opened, browsed and proven like our own."""
    objects = objects_of(shared_vectors / "tessera-golden-log")
    vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    with site(chromium, objects, faults=True) as one:  # it has no policy.txt
        open_with(one, vkey)
        assert one.said("#head")[1] == "Signed by the log (no witnesses): 15 entries"
        one.drop(("eleven", b"ileven"))
        assert one.said()[1] == "In the log: entry 10 of 15"


def test_a_log_of_tlog_scales(chromium: Chromium, tmp_path: Path) -> None:
    """So is one that tlog-scales wrote, whose partial tiles go once they are full."""
    pytest.importorskip("tlog_scales", reason="NOT TESTED against tlog-scales: it is not installed")
    from tlog_scales.signing import PlainEd25519Signer
    from tlog_scales.writer import TilesWriter

    signer = PlainEd25519Signer(ORIGIN, bytes(range(32)))
    writer = TilesWriter.create(tmp_path / "log", ORIGIN)
    for number in range(300):
        writer.add_leaf(f"entry {number}".encode())
    writer.commit([signer])
    with site(chromium, objects_of(tmp_path / "log"), faults=True) as one:
        open_with(one, signer.vkey.serialize())
        assert one.said("#head")[1] == "Signed by the log (no witnesses): 300 entries"
        one.drop(("some file", b"entry 257"))
        assert one.said()[1] == "In the log: entry 257 of 300"
        one.drop(("some file", b"entry 300"))
        assert one.said()[0] != "verified"
        assert not one.said()[1].startswith("In the log")


@pytest.mark.slow
def test_the_demo_in_a_browser(chromium: Chromium, tmp_path: Path) -> None:
    """A file that the demo logged, dropped on the page that it names, is in the log; a sabotaged copy is not."""
    (tmp_path / "logged").write_bytes(b"a file that is logged\n" * 99)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "s"), "XDG_CONFIG_HOME": str(tmp_path / "c")}
    run = {"cwd": tmp_path, "env": environment, "stdin": subprocess.DEVNULL, "text": True}
    demo = [sys.executable, "-m", "tiletree.demo", "demo-log", "logged"]
    shown = subprocess.run(demo, check=True, capture_output=True, **run).stdout
    assert re.search(r"serve demo-log\nIt is at http://127\.0\.0\.1:8765/", shown)
    serve = [sys.executable, "-m", "tiletree", "serve", "demo-log", "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, **run) as serving:
        assert serving.stdout is not None
        url = re.search(r"http://127\.0\.0\.1:\d+/", serving.stdout.readline())[0]
        try:
            with site(chromium, {}, own=True) as one:
                one.server.url = url
                one.open()
                assert one.said("#head")[1].startswith("Signed by the log")
                data = (tmp_path / "logged").read_bytes()
                one.drop(("logged", data))
                assert one.said()[1] == "In the log: entry 0 of 2"
                one.drop(("logged", data[:-2] + b"X\n"))
                assert not one.said()[1].startswith("In the log")
                print(one.said()[1])
        finally:
            serving.terminate()
