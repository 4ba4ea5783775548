"""Very many submissions, and a large import, through the real command, on an S3 server, in bounded memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.measured import MEMORY, ORIGIN, command
from tests.support.object_server import ObjectServer
from tests.support.sampling import soaking
from tiles.inbox.submission import Name, format_submission
from tiles.records.staged_batch import digest

PLACES = (
    "init",
    "s3://public/log",
    "--private",
    "s3://own/log",
    "--origin",
    ORIGIN,
    "--key",
    "k",
    "--readable-private",
)


@pytest.mark.slow
def test_very_many_submissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 100,000 submissions of one entry, and as much junk: each is logged once or refused, in bounded memory."""
    count = soaking(30_000, 100_000)
    with ObjectServer("s3") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        command(tmp_path, *PLACES)
        for number in range(count):
            good = format_submission([b"%d" % number])
            server.put("own", f"log/{Name('ann', f'{number:032x}', digest(good)).path}", good)
            server.put("own", f"log/inbox/eve/{number}", b"junk")
        began = time.monotonic()
        done, peak = command(tmp_path, "sequence", "s3://public/log")
        print(f"{count} submissions and {count} junk: {time.monotonic() - began:.0f} s, peak {peak / 1e6:.0f} MB")
        assert sum(batch["count"] for batch in done["batches"]) == done["size"] == count
        assert done["refused"] == {"eve": count}
        assert done["backlog"]["objects"] == 0
        assert peak < MEMORY
        assert not any(key.startswith("log/inbox/") for key in server.objects["own"])
        audited, _ = command(tmp_path, "audit", "s3://public/log")
        assert (audited["size"], audited["root"], audited["findings"]) == (count, done["root"], [])


@pytest.mark.slow
def test_a_million_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000,000 entries imported from a directory have the same root in a bucket; memory follows the batch."""
    count = 1_000_000
    with (tmp_path / "lines").open("wb") as file:
        for start in range(0, count, 10_000):
            file.write(b"".join(b"%0200d\n" % number for number in range(start, start + 10_000)))
    vkey = command(tmp_path, "init", "log", "--origin", ORIGIN, "--no-remember", "--key", "source.key")[0]["vkey"]
    with (tmp_path / "lines").open("rb") as stream:
        added, _ = command(tmp_path, "add", "log", "--stdin-lines", "--key", "source.key", stdin=stream)
    with ObjectServer("s3") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        command(tmp_path, *PLACES)
        began = time.monotonic()
        done, peak = command(tmp_path, "import", "log", "s3://public/log", "--vkey", vkey)
        print(f"{count} entries imported: {time.monotonic() - began:.0f} s, peak {peak / 1e6:.0f} MB")
        assert (done["size"], done["root"]) == (count, added["root"])
        assert peak < MEMORY
        audited, peak = command(tmp_path, "audit", "s3://public/log")
        assert (audited["size"], audited["root"], audited["findings"]) == (count, added["root"], [])
        assert peak < MEMORY
