"""Each command in odd environments: clocks, locales, terminals, masks, limits. None changes what it comes to."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.every_command import CALLS, SIGHTS, again
from tests.support.forking_tiletree import EMPTY, Forks
from tests.support.sampling import one_in, soaking

pytest_plugins = ["tests.support.every_command_fixtures"]

YEAR_1, YEAR_9999 = -62_135_596_800.0, 253_402_300_799.0  # the first and the last second that a date can have


def environment(**variables: str | None) -> dict[str, Any]:
    """Return an odd environment with these variables."""
    return {"environment": variables}


ODD: dict[str, dict[str, Any]] = {
    "year 1": {"clock": [YEAR_1]},
    "year 9999": {"clock": [YEAR_9999]},
    "before 1970": {"clock": [-1.5]},
    "a clock that goes back": {"clock": [time.time(), time.time() - 1e6]},
    "a clock that goes back and forth": {"clock": [0.0, time.time(), YEAR_9999, 1e9, YEAR_1]},
    "no locale": environment(LC_ALL="C", LANG=None, PYTHONUTF8="0"),
    "a Turkish locale": environment(LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8"),
    "a locale that is none": environment(LC_ALL="xx_YY.nonsense"),
    "a time zone far away": environment(TZ="Pacific/Kiritimati"),
    "a time zone that is none": environment(TZ="../../nonsense"),
    "a narrow terminal": environment(COLUMNS="1", LINES="1", TERM="dumb"),
    "a terminal of nonsense": environment(COLUMNS="wide", TERM="\x1b[31m", NO_COLOR="0"),
    "no HOME": environment(HOME=None, XDG_CONFIG_HOME=None, XDG_STATE_HOME=None, XDG_CACHE_HOME=None, PATH=None),
    "proxies of nonsense": environment(http_proxy=":::", https_proxy="ftp://[", all_proxy="x", no_proxy=","),
    "authorities of nonsense": environment(SSL_CERT_FILE="/nowhere", REQUESTS_CA_BUNDLE="", AWS_CA_BUNDLE="x"),
    "credentials of nonsense": environment(AWS_PROFILE="nobody", AWS_REGION="\u20ac", AWS_ENDPOINT_URL="x"),
    "nothing is masked": {"umask": 0},
    "everything of others is masked": {"umask": 0o077},
    "few files": {"files": 40},
}
QUICK = [
    ("add", "year 1"),
    ("info", "year 9999"),
    ("audit", "a clock that goes back and forth"),
    ("sequence", "before 1970"),
    ("verify", "no locale"),
    ("status", "a terminal of nonsense"),
    ("init", "everything of others is masked"),
    ("submit", "few files"),
]


def check(forks: Forks, vkey: str, name: str, odd: str) -> None:
    """Run one command in an odd environment: it comes to what it always comes to."""
    call = CALLS[name]
    stdin = call.stdin if call.stdin is not None else EMPTY
    words = call.words.replace("VKEY", vkey).split()
    done = forks(
        [*words, *([] if name in SIGHTS else ["--json"])], interrupted=call.interrupted, odd=ODD[odd], stdin=stdin
    )
    case = (name, odd, done)
    assert done.code == call.code, case
    assert "Traceback" not in done.err + done.out, case
    assert int(Path("log/checkpoint").read_text().splitlines()[1]) == call.size, case


def test_odd_environments(forks: Forks, prepared: str, tmp_path: Path) -> None:
    """Some commands, each in another environment."""
    for name, odd in again(tmp_path, QUICK):
        check(forks, prepared, name, odd)


@pytest.mark.slow
def test_every_command_in_odd_environments(forks: Forks, prepared: str, tmp_path: Path) -> None:
    """All commands, all environments."""
    cells = [(name, odd) for name in CALLS for odd in ODD]
    cells = one_in(soaking(6, 1), cells)
    for name, odd in again(tmp_path, cells):
        check(forks, prepared, name, odd)
    sys.stdout.write(
        f"tried: {len(cells)} cells of the table of {len(CALLS)} calls of commands and {len(ODD)} environments: "
        f"{', '.join(ODD)}\n"
    )
