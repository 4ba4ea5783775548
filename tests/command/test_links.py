"""Links to entries: what stands in them is the address of the log as it may be shown."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.store.address import shown_address
from tiletree.links import link

LEAF = bytes(range(32))

PARTS = [
    "a",
    "Log",
    "x.y",
    "1",
    "-",
    ".",
    "..",
    "/",
    "//",
    ":",
    ":443",
    ":8080",
    "@",
    "u:p@",
    "?q",
    "%41",
    "%",
    "\u00e9",
    "_",
]


@given(
    st.lists(st.sampled_from([*PARTS, "log.example.com"]), min_size=1, max_size=6).map("".join)
    | st.lists(st.sampled_from(["", "a", "B-1", ".", "..", ".a", "a.", "_", "a_b", "~"]), max_size=4).map(
        lambda segments: "/".join(["log.example.com", *segments])
    )
)
def test_the_address_is_what_may_be_shown(place: str) -> None:
    """Whatever the address is, and whether it is looked at or known to be plain."""
    for url in (place, f"https://{place}", f"http://{place}"):
        assert link("log.example.com", LEAF, url) == f"{shown_address(url).rstrip('/')}/#uuid={LEAF.hex()}"


@pytest.mark.parametrize("origin", ["log.example.com", "log.example.com/2026-h1/releases"])
def test_a_plain_origin_takes_no_http_library(origin: str) -> None:
    """Importing one would be a sixth of the time of a small `add`."""
    program = (
        f"import sys; from tiletree.links import link; print(link({origin!r}, b'', None), 'urllib3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"https://{origin}/#uuid= False\n"
