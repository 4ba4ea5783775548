"""Every state of the page that a log brings about: how it is reached, and in which words it is told.

`tests/web/test_states.py` reaches them in Chromium, `tests/interop/test_engines.py` in other engines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.readers import OTHER_KEY, make_log
from tests.support.signed_text import LOG, W1, W2, W3, signed
from tests.support.web_logs import (
    FILE,
    FRESH,
    GROWN,
    MLDSA,
    NO_CRYPTO,
    NO_ED25519,
    NO_MLDSA,
    OTHERS,
    PLAIN,
    POLICY,
    SMALLER,
    WITNESSED,
    Objects,
    flip,
    proof_of,
    with_times,
    without_time,
)
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.tree.layout import CHECKPOINT


class Shown(Protocol):
    """A page in some browser."""

    page: Any
    server: Any

    def become(self, objects: Mapping[str, bytes]) -> None:
        """Serve another log from now on."""

    def open(self, fragment: str = "") -> None:
        """Open the page, and wait for what it says of the log."""

    def reload(self) -> None:
        """Open the page again."""

    def said(self, where: str = "#results") -> tuple[str, str, str]:
        """Return the state of the first card, its headline, and all words there."""

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Choose files."""

    def ask(self, text: str) -> None:
        """Type into the field."""


@dataclass
class State:
    """One state of the page, and how to get there.

    objects    of the log
    where      "#head" or "#results"
    before     what the browser saw at an earlier visit
    act        what is done on the page then
    script     what runs before the page's own scripts
    """

    name: str
    headline: str
    objects: Objects
    where: str = "#results"
    before: Objects | None = None
    act: Callable[[Shown], None] = lambda _shown: None
    script: str = ""
    faults: bool = False
    knobs: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    fragment: str = ""

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be done: the log is as it has to be, and nothing was asked yet."""
        return self.where == "#head" and self.name.startswith("verified")


def reach(page: Shown, state: State) -> None:
    """Bring a page, which shows the log that the browser is to see first, to a state, and hold its words."""
    if state.before:
        page.open()
        page.become(state.objects)
    for knob, value in state.knobs.items():
        setattr(page.server, knob, value)
    page.open(state.fragment)
    if state.before:
        page.reload()
    state.act(page)
    name, headline, words = page.said(state.where)
    assert (name, headline) == (state.name, state.headline), words
    assert state.words in words
    assert ("What to do" in words) == (not state.quiet), words


def drop(*files: tuple[str, bytes]) -> Callable[[Shown], None]:
    """Return the act of dropping files."""
    return lambda page: page.drop(*files)


def ask(text: str) -> Callable[[Shown], None]:
    """Return the act of asking."""
    return lambda page: page.ask(text)


NO_LIBRARY = {"status": {"verifier/mldsa.js": 404}}
FORGED = {**PLAIN, CHECKPOINT: flip(PLAIN[CHECKPOINT], 8 * len(PLAIN[CHECKPOINT]) - 40)}
OLD_COPY = {**GROWN, CHECKPOINT: SMALLER[CHECKPOINT]}
BIG = {**make_log(17_000), "policy.txt": POLICY}
ONE_TIME = with_times(without_time(PLAIN, W1), (W3, 5))  # of two that are needed, one says no time
BY_W2 = {**with_times(PLAIN, (W2, 5)), "policy.txt": f"{MLDSA}quorum w2\n".encode()}
DIGEST = hashlib.sha256(FILE).hexdigest()
ELSEWHERE = Checkpoint("other.example.com", parse_signed_checkpoint(PLAIN[CHECKPOINT]).tree)
ALL = "All 302 entries were checked"
DAMAGED = {**PLAIN, "tile/0/000": flip(PLAIN["tile/0/000"], 77)}
A_PAGE = b"<!doctype html><title>Welcome</title>"
SAMPLE = "[data-sample=sabotaged]"

STATES = [
    State("verified", "In the log: entry 300 of 302", FRESH, act=drop(("a.txt", FILE)), words="2 of 2 witnesses"),
    State("verified", "Signed by the log and 2 of 2 witnesses: 302 entries", FRESH, "#head"),
    State("verified-log-only", "In the log: entry 300 of 302", PLAIN, act=drop(("a.txt", FILE)), words="no witnesses"),
    State(
        "verified-log-only", "Signed by the log (no witnesses): 302 entries", PLAIN, "#head", words="Nobody independent"
    ),
    State(
        "verified-log-only", "In the log: entry 301 of 302", PLAIN, act=drop(("b", b"raw entry")), words="byte for byte"
    ),
    State("verified-log-only", "In the log: entry 7 of 302", PLAIN, act=ask("7")),
    State("verified-log-only", "In the log: entry 300 of 302", PLAIN, act=ask(DIGEST.upper()), faults=True),
    State("verified-log-only", "In the log: entry 5 of 302", PLAIN, fragment="#i=5"),
    State("absent", "Not in the log", PLAIN, act=drop(("c.txt", b"never logged")), words=ALL),
    State("absent", "Not in the log", PLAIN, act=ask("0" * 64), words=ALL),
    State(
        "not-searched",
        "Not looked for among 17,000 entries",
        BIG,
        act=drop(("c.txt", b"new")),
        faults=True,
        words="Look through all",
    ),
    State(
        "stale",
        "Last confirmed 3 days ago",
        {**FRESH, **with_times(PLAIN, (W1, 260_000), (W3, 270_000)), "policy.txt": WITNESSED},
        "#head",
        words="Your clock says",
    ),
    State(  # of two that are needed, one says "now": the tree head is as old as the other says
        "stale",
        "Last confirmed 3 days ago",
        {**with_times(PLAIN, (W1, 1), (W3, 270_000)), "policy.txt": WITNESSED},
        "#head",
        words="Since then too few of them have confirmed anything",
    ),
    State(  # one that is far ahead makes nothing newer than the other says, nor of the future
        "verified",
        "Signed by the log and 2 of 2 witnesses: 302 entries",
        {**with_times(PLAIN, (W1, -90_000), (W3, 7500)), "policy.txt": WITNESSED},
        "#head",
        words="Witnesses saw it 2 hours ago",
    ),
    State("time-unknown", "The log's age is not known", {**ONE_TIME, "policy.txt": WITNESSED}, "#head"),
    State(
        "future",
        "Your clock is wrong, or a witness's",
        {**with_times(PLAIN, (W1, -90_000), (W3, -90_000)), "policy.txt": WITNESSED},
        "#head",
        words="tomorrow",
    ),
    State(
        "verified",
        "In the log: entry 300 of 302",
        {**with_times(PLAIN, (W1, -90_000), (W3, -90_000)), "policy.txt": WITNESSED},
        act=drop(("a.txt", FILE)),
        words="The witnesses say they saw this tree head tomorrow.",
    ),
    State(
        "time-unknown",
        "The log's age is not known",
        {**without_time(PLAIN, W1, W3), "policy.txt": WITNESSED},
        "#head",
    ),
    State("verified", "Signed by the log and 1 of 1 witnesses: 302 entries", BY_W2, "#head"),
    State(
        "verified",
        "Signed by the log and 1 of 1 witnesses: 302 entries",
        {**with_times(PLAIN, (W1, 5), (W2, 5)), "policy.txt": f"{MLDSA}quorum w1\n".encode()},
        "#head",
        script=NO_MLDSA,
        knobs=NO_LIBRARY,
        faults=True,
        words="1 signature could not be checked here",
    ),
    State("verified", "Signed by the log and 1 of 1 witnesses: 302 entries", BY_W2, "#head", script=NO_MLDSA),
    State(
        "unsupported",
        "1 signature could not be checked here",
        BY_W2,
        "#head",
        script=NO_MLDSA,
        knobs=NO_LIBRARY,
        faults=True,
        words="lacks ML-DSA-44. So it cannot check a signature that is needed",
    ),
    State(
        "unsupported",
        "1 signature could not be checked here",
        PLAIN,
        "#head",
        script=NO_ED25519,
        words="lacks Ed25519.",
    ),
    State("signature", "Wrong signature", FORGED, "#head", words="Do not rely on what this page says"),
    State("signature", "Wrong signature", {**make_log(300, key=OTHER_KEY), "policy.txt": POLICY}, "#head"),
    State(
        "origin",
        "This is a different log",
        {**PLAIN, CHECKPOINT: signed(ELSEWHERE, LOG).data},
        "#head",
        words="got other.example.com",
    ),
    State(
        "quorum",
        "Too few witnesses: 1 of 2",
        {**with_times(PLAIN, (W1, 9)), "policy.txt": WITNESSED},
        "#head",
        words="Missing: w3",
    ),
    State(
        "inclusion",
        "This proof is for another file, or altered",
        PLAIN,
        act=drop(("x.tlog-proof", proof_of(PLAIN, 9)), ("a.txt", FILE)),
    ),
    State(
        "inclusion",
        "This proof is for another file, or altered",
        PLAIN,
        act=lambda page: page.page.click(SAMPLE),
        words="one bit flipped",
    ),
    State("tile", "The log sent damaged data", DAMAGED, act=ask("9"), words="tile/0/000"),
    State(
        "web-page",
        "A web page came instead",
        {**PLAIN, "tile/0/000": A_PAGE},
        act=ask("9"),
        words="answers every address",
    ),
    State("tile", "The log sent damaged data", {**PLAIN, "tile/0/000": PLAIN["tile/0/000"][:-1]}, act=ask("9")),
    State(
        "tile",
        "The log sent damaged data",
        {**PLAIN, "tile/entries/000": PLAIN["tile/entries/000"] + b"\0"},
        act=ask("9"),
    ),
    State("web-page", "A web page came instead", {**PLAIN, CHECKPOINT: A_PAGE}, "#head", words="sent as checkpoint is"),
    State("web-page", "A web page came instead", {**PLAIN, "policy.txt": b"\n <HTML>"}, "#head", words="policy.txt is"),
    State("web-page", "Nothing came", {**PLAIN, CHECKPOINT: b""}, "#head", words="sent as checkpoint is empty"),
    State("web-page", "Nothing came", {**PLAIN, "tile/0/000": b""}, act=ask("9"), words="sent as tile/0/000 is empty"),
    State("web-page", "Something else came instead", {**PLAIN, "policy.txt": b"<?xml?><Error/>"}, "#head"),
    State("tile", "The log sent damaged data", {**PLAIN, CHECKPOINT: b"no checkpoint"}, "#head"),
    State(
        "rollback",
        "You were shown an old copy",
        OLD_COPY,
        "#head",
        before=GROWN,
        words="You saw 600 entries before; now 300",
    ),
    State("rollback-unproven", "The log is smaller than before", SMALLER, "#head", before=GROWN, faults=True),
    State(
        "verified-log-only",
        "Signed by the log (no witnesses): 600 entries",
        GROWN,
        "#head",
        before=SMALLER,
        words="It extends what you saw",
    ),
    State("fork", "Two different histories", OTHERS, "#head", before=SMALLER, words="The log signed both"),
    State(
        "fork-above",
        "Not checked: this log has two histories",
        OTHERS,
        before=SMALLER,
        act=drop(("a.txt", FILE)),
        words="The red card above says what to do",
    ),
    State(
        "key-changed",
        "This log's key changed",
        {**make_log(300, key=OTHER_KEY), "policy.txt": f"log {OTHER_KEY.verifier.vkey}\nquorum none\n".encode()},
        "#head",
        before=PLAIN,
        words=LOG.verifier.vkey,
    ),
    State(
        "network",
        "Could not reach the log",
        PLAIN,
        "#head",
        knobs={"status": {CHECKPOINT: 500}},
        faults=True,
        words="This says nothing about your file",
    ),
    State(
        "network",
        "Could not reach the log",
        {key: data for key, data in PLAIN.items() if key != CHECKPOINT},
        "#head",
        faults=True,
    ),
    State(
        "network", "Could not reach the log", PLAIN, knobs={"status": {"tile/0/000": 503}}, act=ask("3"), faults=True
    ),
    State("insecure", "Open this page over https", PLAIN, "#head", script=NO_CRYPTO),
    State("format", "Not a proof file", PLAIN, act=drop(("x.tlog-proof", b"c2sp.org/tlog-proof@v1\nhash\n\nx"))),
    State(
        "no-key",
        "No key is known for this log",
        {key: data for key, data in PLAIN.items() if key != "policy.txt"},
        "#head",
        faults=True,
    ),
    State("call", "There is no such entry", PLAIN, act=ask("302")),
    State("call", "This log cannot be opened", PLAIN, "#head", fragment="#vkey=example.com%2Bnonsense"),
    State("call", "Not understood", PLAIN, act=ask("sha256:what")),
    State("same-history", "The same history", GROWN, act=drop(("old", SMALLER[CHECKPOINT]))),
    State("fork", "Two different histories", OTHERS, act=drop(("old", SMALLER[CHECKPOINT]))),
    State("signature", "Wrong signature", PLAIN, act=drop(("old", FORGED[CHECKPOINT]))),
    State("needs-file", "Now drop the file it is for", PLAIN, act=drop(("x.tlog-proof", proof_of(PLAIN, 300)))),
]


# the first of each state in each place: only words differ between them
EXAMINED = list({(state.name, state.where): state for state in reversed(STATES)}.values())
