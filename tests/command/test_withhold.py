"""`tiletree withhold`, and what commands make of a log whose host denies what it printed."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.fault_server import serving, status
from tests.support.sampling import quickly


@pytest.mark.parametrize("code", quickly([403, 404], [403]))
def test_denied_by_the_host(tiletree: Command, code: int) -> None:
    """Readers elsewhere are told why; proofs are made and verified; the log itself grows on."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")
    for name in ("a", "b", "c"):
        Path(name).write_bytes(name.encode())
    tiletree.ok("add", "log", "a", "b", "--payload", "--key", "k")
    vkey = tiletree("key", "show", "k").out.strip()
    done = tiletree.ok("withhold", "log", "0", "--reason", "case 17", "--key", "k")
    assert len(done["deny"]) == 3
    assert done["deny"][2].startswith("payload/sha256/")
    objects = {str(path.relative_to("log")): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()}
    with serving(objects) as server:
        denied = [path for path in objects if any(fnmatch(path, each) for each in done["deny"])]
        assert len(denied) == 2
        server.script |= {f"/{path}": [status(code)] for path in (*denied, "tile/entries/000")}
        audited = tiletree.ok("audit", server.url, "--vkey", vkey)
        assert audited["findings"] == []
        assert [(each["index"], each["reason"]) for each in audited["withheld"]] == [(0, "case 17")]
        for words in (("get", server.url, "1"), ("get", server.url, "0")):
            read = tiletree(*words, "--vkey", vkey)
            assert read.code == 3
            assert "entry 0: case 17" in read.err
        tiletree.ok("prove", server.url, "--index", "0", "-o", "p", "--vkey", vkey)
        tiletree.ok("verify", "a", "--proof", "p", "--vkey", vkey)
        del server.objects["withheld/000"]
        assert tiletree("audit", server.url, "--vkey", vkey).code == 1
        assert "case 17" not in tiletree("get", server.url, "0", "--vkey", vkey).err
    assert tiletree.ok("add", "log", "c", "--key", "k")["size"] == 3
    assert tiletree.ok("audit", "log", "--vkey", vkey)["findings"] == []
