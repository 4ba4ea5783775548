"""The page in a real Chromium: each state reached by a log that is in it, and told in its words."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Site, check_accessible, site
from tests.support.readers import OTHER_KEY, entry, make_log
from tests.support.reference import OTHER_LEAF, Tree
from tests.support.signed_text import LOG, ORIGIN, W1, W2, W3, sign, signed
from tests.support.sigstore_bundles import entry_of, log_key
from tests.support.web_server import PAGE, WEB
from tests.support.web_vectors import all_vectors
from tests.web.test_vectors import compare
from tiles.entries.file_digest import digest_entry
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import SigningKey
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT, parse_tile_path
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import build_proof, inclusion_nodes
from tiles.write.sequencer import Sequencer

pytest_plugins = ["tests.support.browser_fixture"]

Objects = dict[str, bytes]
ROOT = Path(__file__).resolve().parents[2]

FILE = b"hello, world"
HELLO = digest_entry(hashlib.sha256(FILE).hexdigest(), len(FILE))
POLICY = f"log {LOG.verifier.vkey}\nquorum none\n".encode()
WITNESSED = (
    f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w3 {W3.verifier.vkey}\n"
    "group both all w1 w3\nquorum both\n"
).encode()
MLDSA = f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w2 {W2.verifier.vkey}\n"


def log_of(entries: list[bytes], key: SigningKey = LOG) -> Objects:
    """Return the public objects of a log of these entries."""
    public, memory = MemoryStore(), MemoryStore()
    sequencer = Sequencer(public, MemoryStore(), Signer(key, memory))
    sequencer.create()
    if entries:
        sequencer.append(entries)
    return {listed.path: public.read(listed.path).data for listed in public.list("")}


def with_times(objects: Mapping[str, bytes], *by: tuple[SigningKey, float]) -> Objects:
    """Return the log with cosignatures of these keys, so many seconds ago."""
    found = parse_signed_checkpoint(objects[CHECKPOINT])
    lines = [sign(found.checkpoint, key, max(0, int(time.time() - ago))) for key, ago in by]
    return {**objects, CHECKPOINT: with_signatures(found.checkpoint, [*found.note.signatures, *lines]).data}


def without_time(objects: Mapping[str, bytes], *by: SigningKey) -> Objects:
    """Return the log with cosignatures that say no time."""
    return with_times(objects, *((key, 1e12) for key in by))


PLAIN = {**log_of([*(entry(index) for index in range(300)), HELLO, b"raw entry"]), "policy.txt": POLICY}
FRESH = {**with_times(PLAIN, (W1, 120), (W3, 90)), "policy.txt": WITNESSED}


def proof_of(objects: Objects, index: int) -> bytes:
    """Return the proof file of an entry of a log."""
    from tests.support.readers import Objects as Fetcher
    from tiles.read.client import LogClient

    return LogClient(Fetcher(objects), policy_for(LOG.verifier)).prove(index).data


def flip(data: bytes, bit: int) -> bytes:
    """Return data with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# ---- every state, by its headline


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
    act: Callable[[Site], None] = lambda _site: None
    script: str = ""
    faults: bool = False
    knobs: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    fragment: str = ""


def drop(*files: tuple[str, bytes]) -> Callable[[Site], None]:
    """Return the act of dropping files."""
    return lambda page: page.drop(*files)


def ask(text: str) -> Callable[[Site], None]:
    """Return the act of asking."""
    return lambda page: page.ask(text)


NO_MLDSA = """
const original = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
  if (algorithm.name === "ML-DSA-44") return Promise.reject(new DOMException("unknown", "NotSupportedError"));
  return original.call(this, format, key, algorithm, ...rest);
};
"""
NO_LIBRARY = {"status": {"verifier/mldsa.js": 404}}
NO_CRYPTO = "Object.defineProperty(Crypto.prototype, 'subtle', {get: () => undefined});"
FORGED = {**PLAIN, CHECKPOINT: flip(PLAIN[CHECKPOINT], 8 * len(PLAIN[CHECKPOINT]) - 40)}
GROWN, SMALLER = make_log(300, 600), make_log(300)
OTHERS = make_log(600, tag="other")
OLD_COPY = {**GROWN, CHECKPOINT: SMALLER[CHECKPOINT]}
BIG = {**make_log(17_000), "policy.txt": POLICY}
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
    State(
        "verified-log-only", "In the log: entry 300 of 302", PLAIN, act=ask(hashlib.sha256(FILE).hexdigest().upper())
    ),
    State("verified-log-only", "In the log: entry 5 of 302", PLAIN, fragment="#i=5"),
    State(
        "absent", "Not in the log", PLAIN, act=drop(("c.txt", b"never logged")), words="All 302 entries were checked"
    ),
    State("absent", "Not in the log", PLAIN, act=ask("0" * 64), words="All 302 entries were checked"),
    State(
        "not-searched",
        "Not looked for among 17,000 entries",
        BIG,
        act=drop(("c.txt", b"new")),
        words="Look through all",
    ),
    State(
        "stale",
        "Last confirmed 3 days ago",
        {**FRESH, **with_times(PLAIN, (W1, 260_000), (W3, 270_000)), "policy.txt": WITNESSED},
        "#head",
        words="Your clock says",
    ),
    State(
        "future",
        "Confirmed in the future",
        {**with_times(PLAIN, (W1, -90_000), (W3, 1)), "policy.txt": WITNESSED},
        "#head",
        words="tomorrow",
    ),
    State("time-unknown", "Verified, but not dated", {**without_time(PLAIN, W1, W3), "policy.txt": WITNESSED}, "#head"),
    State(
        "verified",
        "Signed by the log and 1 of 1 witnesses: 302 entries",
        {**with_times(PLAIN, (W2, 5)), "policy.txt": f"{MLDSA}quorum w2\n".encode()},
        "#head",
    ),
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
    State(
        "verified",
        "Signed by the log and 1 of 1 witnesses: 302 entries",
        {**with_times(PLAIN, (W2, 5)), "policy.txt": f"{MLDSA}quorum w2\n".encode()},
        "#head",
        script=NO_MLDSA,
    ),
    State(
        "unsupported",
        "1 signature could not be checked here",
        {**with_times(PLAIN, (W2, 5)), "policy.txt": f"{MLDSA}quorum w2\n".encode()},
        "#head",
        script=NO_MLDSA,
        knobs=NO_LIBRARY,
        faults=True,
        words="do not suffice",
    ),
    State("signature", "Wrong signature", FORGED, "#head", words="Do not rely on it"),
    State("signature", "Wrong signature", {**make_log(300, key=OTHER_KEY), "policy.txt": POLICY}, "#head"),
    State(
        "origin",
        "This is a different log",
        {
            **PLAIN,
            CHECKPOINT: signed(
                Checkpoint("other.example.com", parse_signed_checkpoint(PLAIN[CHECKPOINT]).tree), LOG
            ).data,
        },
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
        "tile",
        "The log sent damaged data",
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
    State("tile", "The log sent damaged data", {**PLAIN, CHECKPOINT: A_PAGE}, "#head"),
    State(
        "rollback",
        "You were shown an old copy",
        OLD_COPY | {"policy.txt": POLICY},
        "#head",
        before=GROWN | {"policy.txt": POLICY},
        words="You saw 600 entries before; now 300",
    ),
    State(
        "rollback-unproven",
        "The log is smaller than before",
        SMALLER | {"policy.txt": POLICY},
        "#head",
        before=GROWN | {"policy.txt": POLICY},
        faults=True,
    ),
    State(
        "verified-log-only",
        "Signed by the log (no witnesses): 600 entries",
        GROWN | {"policy.txt": POLICY},
        "#head",
        before=SMALLER | {"policy.txt": POLICY},
        words="It extends what you saw",
    ),
    State(
        "fork",
        "Two different histories",
        OTHERS | {"policy.txt": POLICY},
        "#head",
        before=SMALLER | {"policy.txt": POLICY},
        words="The log signed both",
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
        words="Nothing is wrong with your file",
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
    State("call", "Not understood", PLAIN, act=ask("what?")),
    State("same-history", "The same history", GROWN | {"policy.txt": POLICY}, act=drop(("old", SMALLER[CHECKPOINT]))),
    State("fork", "Two different histories", OTHERS | {"policy.txt": POLICY}, act=drop(("old", SMALLER[CHECKPOINT]))),
    State("signature", "Wrong signature", PLAIN, act=drop(("old", FORGED[CHECKPOINT]))),
    State("needs-file", "Now drop the file it is for", PLAIN, act=drop(("x.tlog-proof", proof_of(PLAIN, 300)))),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.name}-{state.where}")
def test_state(chromium: Any, state: State) -> None:
    """Each state has its own words, nothing else happens, and axe-core finds nothing in light or dark."""
    with site(chromium, state.before or state.objects, faults=state.faults) as one:
        if state.script:
            one.page.add_init_script(state.script)
        if state.before:
            one.open()
            one.server.objects = {**PAGE, **state.objects}
        for knob, value in state.knobs.items():
            setattr(one.server, knob, value)
        one.open(state.fragment)
        if state.before:
            one.reload()
        state.act(one)
        name, headline, words = one.said(state.where)
        assert (name, headline) == (state.name, state.headline), words
        assert state.words in words
        check_accessible(one.page)


def test_every_state_is_reached() -> None:
    """No state is told in words that no test has seen."""
    words = "".join(
        (WEB / "page" / name).read_text() for name in ("error_card.js", "tree_head.js", "check.js", "proof_card.js")
    )
    told = set(re.findall(r'(?:say\(|\bstate:)\s*"([a-z-]+)"', words))
    elsewhere = {"working", "page", "memory", "needs-proof"}  # those that are at work, and those of other tests
    assert len(told) > 20
    assert told <= {state.name for state in STATES} | elsewhere


# ---- what a visit remembers


def downloads(one: Site, card: str) -> dict[str, bytes]:
    """Press each button that saves something, and return the files."""
    saved = {}
    for button in one.page.query_selector_all(f"{card} button"):
        if button.inner_text().startswith("Save"):
            with one.page.expect_download() as download:
                button.click()
            saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    return saved


def test_evidence_of_a_fork(chromium: Any) -> None:
    """The evidence that the page saves is what the core accepts; a reload finds the fork again."""
    with site(chromium, SMALLER | {"policy.txt": POLICY}, accept_downloads=True) as one:
        one.open()
        one.server.objects = {**PAGE, **OTHERS, "policy.txt": POLICY}
        for _ in range(2):
            one.reload()
            assert one.said("#head")[0] == "fork"
        older, newer = check_fork(downloads(one, "#head"), policy_for(LOG.verifier))
        assert (older.data, newer.data) == (SMALLER[CHECKPOINT], OTHERS[CHECKPOINT])
        one.server.objects = {**PAGE, **GROWN, "policy.txt": POLICY}
        one.reload()
        assert one.said("#head")[0] == "verified-log-only"


def test_damaged_memory(chromium: Any) -> None:
    """A memory that is damaged is said to be, and can be forgotten."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.page.evaluate(
            "for (const id of Object.keys(localStorage)) if (/^tlog:[0-9a-f]+$/.test(id)) localStorage.setItem(id, 'x')"
        )
        one.reload()
        assert one.said("#head")[:2] == ("memory", "This browser's memory is damaged")
        check_accessible(one.page)
        one.page.click("#keys > summary")
        one.page.click("text=Forget what this browser remembers")
        one.page.wait_for_selector("#head [data-state=verified-log-only]")


def test_a_browser_that_keeps_nothing(chromium: Any) -> None:
    """Where there is no storage, the page works, and says that it is the first visit."""
    with site(chromium, PLAIN) as one:
        one.page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }});"
        )
        for _ in range(2):
            one.open()
            assert "First visit on this browser" in one.said("#head")[2]


@pytest.mark.parametrize("known", [True, False])
def test_the_key_in_the_link(chromium: Any, known: bool) -> None:
    """A key in the link goes before what is remembered and what the site says, and the page says so."""
    with site(chromium, {**PLAIN, "policy.txt": POLICY} if known else {**PLAIN, "policy.txt": b"quorum none\n"}) as one:
        one.open(f"#vkey={LOG.verifier.vkey}")
        assert "pinned by the link" in one.said("#head")[2]
        one.page.goto("about:blank")
        one.open()
        assert "remembered from an earlier visit" in one.said("#head")[2]
        one.page.goto("about:blank")
        one.open(f"#vkey={OTHER_KEY.verifier.vkey}")
        assert one.said("#head")[0] == "signature"
        other = make_log(300, key=OTHER_KEY)
        one.server.objects = {**PAGE, **other, "policy.txt": one.server.objects["policy.txt"]}
        one.reload()
        assert "though another one is remembered" in one.said("#head")[2]


# ---- proofs and files


def test_offline(chromium: Any) -> None:
    """With the network gone, a proof and its file are checked all the same, in either order."""
    with site(chromium, FRESH, faults=True) as one:
        one.open()
        one.ask("1")
        one.said()
        one.context.set_offline(True)
        one.drop(("a.tlog-proof", proof_of(FRESH, 300)))
        assert one.said()[0] == "needs-file"
        one.drop(("a.txt", FILE))
        assert one.said()[:2] == ("verified", "In the log: entry 300 of 302")
        one.drop(("a.txt", FILE), ("a.tlog-proof", proof_of(FRESH, 300)))
        assert "2 of 2 witnesses" in one.said()[2]
        one.drop(("b.txt", b"other"), ("a.tlog-proof", proof_of(FRESH, 300)))
        assert one.said(state="inclusion")[0] == "inclusion"


def test_files_and_proofs_in_any_order(chromium: Any) -> None:
    """Each file finds its proof, whatever the order; what failed once does not stand in the way of the next file."""
    first, second = proof_of(PLAIN, 300), proof_of(PLAIN, 301)
    with site(chromium, PLAIN) as one:
        one.open()
        for files in (
            [("1", first), ("2", second), ("a", FILE), ("b", b"raw entry")],
            [("b", b"raw entry"), ("c", b"never logged"), ("2", second), ("1", first), ("a", FILE)],
        ):
            one.drop(*files)
            one.page.wait_for_selector("h2:has-text('entry 300')")
            one.page.wait_for_selector("h2:has-text('entry 301')")
        one.page.wait_for_selector("#results > [data-state=absent]")  # no proof was left: it was looked for
        one.drop(("c", b"never logged"), ("1", first))
        one.said(state="inclusion")
        one.drop(("a", FILE))
        assert one.said()[1] == "In the log: entry 300 of 302"
        one.drop(("2", second), ("1", first), ("a", FILE))
        one.page.wait_for_selector("h2:has-text('entry 300')")
        one.said(state="needs-file")
        one.drop(("b", b"raw entry"))
        assert one.said()[1] == "In the log: entry 301 of 302"


def test_the_proof_that_is_saved(chromium: Any) -> None:
    """What "Save proof" saves is a proof that the core verifies."""
    with site(chromium, PLAIN, accept_downloads=True) as one:
        one.open()
        one.drop(("a.txt", FILE))
        one.said()
        (proof,) = downloads(one, "#results").values()
        verify_tlog_proof(parse_tlog_proof(proof), leaf_hash(HELLO), policy_for(LOG.verifier))


def test_several_files(chromium: Any) -> None:
    """Each of several files gets its own card."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.drop(("a.txt", FILE), ("b", b"raw entry"), ("c", b"nothing"))
        one.page.wait_for_selector("#results > .card:nth-child(3)")
        one.page.wait_for_selector("#results > [data-state=absent]")
        states = one.page.eval_on_selector_all("#results > .card", "cards => cards.map(card => card.dataset.state)")
        assert sorted(states) == ["absent", "verified-log-only", "verified-log-only"]


def test_a_sigstore_bundle(chromium: Any) -> None:
    """A Sigstore bundle whose entry is in this log is verified from the bundle alone; one of another log is not."""
    digest = b64encode(hashlib.sha256(FILE).digest()).decode()
    spec = {"hashedRekordV002": {"data": {"algorithm": "SHA2_256", "digest": digest}}}
    body = json.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}).encode()
    objects = {**log_of([b"x", body, b"y"]), "policy.txt": POLICY}
    proof = parse_tlog_proof(proof_of(objects, 1))

    def bundle(checkpoint: bytes) -> bytes:
        hashes = [b64encode(one).decode() for one in proof.hashes]
        inclusion = {"logIndex": "1", "hashes": hashes, "checkpoint": {"envelope": checkpoint.decode()}}
        line = {"canonicalizedBody": b64encode(body).decode(), "inclusionProof": inclusion}
        material = {"tlogEntries": [line]}
        made = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": material}
        return json.dumps(made).encode()

    with site(chromium, objects) as one:
        one.open()
        one.drop(("a.sigstore.json", bundle(objects[CHECKPOINT])))
        assert one.said()[:2] == ("verified-log-only", "In the log: entry 1 of 3")
        assert "Drop the file with it" in one.said()[2]
        one.drop(("hello.txt", FILE), ("a.sigstore.json", bundle(objects[CHECKPOINT])))
        one.page.wait_for_selector("text=It is about hello.txt: it holds its SHA-256.")
        other = signed(
            Checkpoint("other.example.com", parse_signed_checkpoint(objects[CHECKPOINT]).tree), OTHER_KEY
        ).data
        one.drop(("b.sigstore.json", bundle(other)))
        assert one.said(state="origin")[1] == "This is a different log"


@pytest.mark.parametrize("folder", ["rekor2-happy-path", "rekor2-checkpoint-cosigned"])
def test_a_bundle_of_rekor(chromium: Any, shared_vectors: Path, folder: str) -> None:
    """A real Sigstore bundle and its artifact are verified from them alone, by the key of its log."""
    path = shared_vectors / "sigstore-bundles" / folder
    key_of_log = log_key(path, entry_of(path))
    files = [("a.txt", (path.parent / "a.txt").read_bytes()), ("b.json", (path / "bundle.sigstore.json").read_bytes())]
    with site(chromium, {"policy.txt": policy_for(key_of_log).data}, faults=True) as one:
        one.open()
        assert one.said("#head")[0] == "network"
        one.drop(*files)
        words = one.said(state="verified-log-only")[2]
        assert "It is about a.txt" in words
        changed = json.loads(files[1][1])
        changed["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["logIndex"] = "0"
        one.drop(("c.json", json.dumps(changed).encode()))
        assert one.said(state="inclusion")[0] == "inclusion"


def test_looking_through_a_large_log(chromium: Any) -> None:
    """A log above the limit is looked through when told to, and then absence is an answer."""
    with site(chromium, BIG) as one:
        one.open()
        for name, data, state in (("in", entry(16_999), "verified-log-only"), ("out", b"never", "absent")):
            one.drop((name, data))
            one.said(state="not-searched")
            one.page.click("#results button:has-text('Look through all')")
            one.said(state=state)


def test_a_big_file(chromium: Any, tmp_path: Path) -> None:
    """A file of 100 MB is read as a stream, in seconds, with progress."""
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with site(chromium, PLAIN) as one:
        one.open()
        started = time.monotonic()
        one.page.set_input_files("#files", path)
        one.page.wait_for_selector("progress")
        assert one.said(state="absent")[0] == "absent"
        assert time.monotonic() - started < 20


# ---- the server


@pytest.mark.parametrize("knobs", [{"gzipped": True}, {"missing": 403}, {"delay": 0.02}], ids=str)
def test_servers(chromium: Any, knobs: dict[str, Any]) -> None:
    """Servers gzip, and say 403 for what is not there; partial tiles that are gone are cut from the full ones."""
    objects = {path: data for path, data in GROWN.items() if ".p/44" not in path}
    objects |= {CHECKPOINT: SMALLER[CHECKPOINT], "policy.txt": POLICY}
    with site(chromium, objects, faults=True) as one:
        for knob, value in knobs.items():
            setattr(one.server, knob, value)
        one.open()
        for index in (280, 3):
            one.ask(str(index))
            one.page.wait_for_selector(f"h2:has-text('In the log: entry {index} of 300')")


def test_a_server_that_never_answers(chromium: Any) -> None:
    """A request that is never answered ends, and is the network's trouble, not the log's."""
    with site(chromium, PLAIN, faults=True) as one:
        one.page.add_init_script(
            "const wait = AbortSignal.timeout; AbortSignal.timeout = () => wait.call(AbortSignal, 300);"
        )
        one.open()
        one.server.hang = {"tile/0/000"}
        one.ask("5")
        assert "no answer within" in one.said(state="network")[2]


# ---- hostile entries


HOSTILE = [
    b"<img src=x onerror=\"document.title='owned'\">",
    b"<script>document.title='owned'</script>",
    "\u202e✓ Verified by the log\u202c\u200b".encode(),
    b"\0\x1b[2J\xff\xfe",
    b"x" * 65_535,
    b"",
    b'{"kind":"<img src=x onerror=alert(1)>","__proto__":{"a":1},"spec":null}',
    b'{"kind":"hashedrekord","spec":{"signature":{"verifier":{"x509Certificate":{"rawBytes":"BgNVHREEAf8w"}}}}}',
    b"\xef\xbb\xbftiletree/file/v1\nsha256 " + b"0" * 64 + b"\nsize 1\n",
    b"javascript:alert(1)",
]


def test_hostile_entries(chromium: Any) -> None:
    """Entries are text: nothing in them runs, turns other words around, or makes the page wider."""
    with site(chromium, {**log_of(HOSTILE), "policy.txt": POLICY}, viewport={"width": 320, "height": 700}) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse svg")
        for summary in one.page.query_selector_all("#browse .card > summary"):
            summary.click()
        for index in range(len(HOSTILE)):
            one.ask(str(index))
            one.page.wait_for_selector(f"h2:has-text('entry {index} of')")
        text = one.page.inner_text("body")
        assert "<img src=x onerror=" in text
        assert "⟨U+202E⟩" in text
        assert "\u202e" not in text
        assert one.page.title() == "Is my file in the log?"
        assert one.page.query_selector_all("img, iframe, main script, a[href^='javascript']") == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
        check_accessible(one.page)


def test_hostile_names(chromium: Any) -> None:
    """Origins, witness names and file names are text too."""
    from tests.support.signed_text import key

    name = "<img/src=x/onerror=document.title='owned'>"
    other = key(name, 91)
    policy = f"log {other.verifier.vkey}\nwitness <b>w</b> {W1.verifier.vkey}\nquorum <b>w</b>\n".encode()
    objects = {**with_times(log_of([b"x"], other), (W1, 3)), "policy.txt": policy}
    with site(chromium, objects) as one:
        one.open()
        assert name in one.said("#head")[2]
        one.page.click("#keys > summary")
        one.drop((name, b"x"))
        one.said(state="verified")
        assert one.page.query_selector_all("img, b") == []


def test_bundles_are_no_scripts(chromium: Any) -> None:
    """An entry bundle that is a script is not run as one: the server says that it is none."""
    with site(
        chromium,
        {
            **PLAIN,
            "evil.html": b"<!doctype html><script src='tile/entries/evil'></script>",
            "tile/entries/evil": b"document.title = 'owned'",
        },
    ) as one:
        one.page.goto(f"{one.server.url}evil.html")
        assert one.page.title() != "owned"
        assert one.trouble != []  # refused, and said so
        one.trouble.clear()


# ---- using it


def test_keyboard_only(chromium: Any) -> None:
    """All of it can be reached and used without a mouse."""
    with site(chromium, PLAIN) as one:
        one.open()
        reached = []
        for _ in range(12):
            one.page.keyboard.press("Tab")
            reached.append(one.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert reached[:3] == ["files", "text", "Check"]
        assert {"The newest entry", "The oldest entry", "A sabotaged copy", "Entries", "Whom this page trusts"} <= set(
            reached
        )
        one.page.focus("#text")
        one.page.keyboard.type("12")
        one.page.keyboard.press("Enter")
        one.said()
        assert "entry 12" in one.page.evaluate("document.activeElement.textContent")


def test_flip_one_bit(chromium: Any) -> None:
    """The picture shows the path, as text too; one bit flipped, and it leads elsewhere."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.ask("12")
        one.said()
        for summary in one.page.query_selector_all("#results .card > details > summary"):
            summary.click()
        one.page.click("#results summary:has-text('The same as text')")
        assert one.page.query_selector("svg .broken") is None
        assert "✓ This is the signed root" in one.page.inner_text("#results")
        check_accessible(one.page)
        one.page.check("#results input[type=checkbox]")
        assert one.page.query_selector("svg .broken") is not None
        assert "every hash on the way is another" in one.page.inner_text("#results")
        check_accessible(one.page)


def test_browsing(chromium: Any) -> None:
    """Entries are shown newest first, ten at a time, with a plot, and each can be proven."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse svg[aria-label*='newest 256 entries']")
        assert "Entries 292 to 301 of 302" in one.page.inner_text("#browse")
        one.page.click("#browse button:has-text('Older')")
        one.page.wait_for_selector("text=Entries 282 to 291")
        one.page.click("#browse [data-entry='290'] > summary")
        one.page.click("#browse [data-entry='290'] button")
        assert one.said()[1] == "In the log: entry 290 of 302"
        check_accessible(one.page)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_sideways_scrolling(chromium: Any, width: int) -> None:
    """Nothing is wider than the screen, with everything open; 320 pixels is a small phone, and 200 % of 640."""
    with site(chromium, FRESH, viewport={"width": width, "height": 800}) as one:
        one.open()
        one.drop(("a" * 100, FILE))
        one.said()
        one.page.click("[data-sample=sabotaged]")
        one.said(state="inclusion")
        one.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        one.page.wait_for_selector("#browse svg")
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width


# ---- speed and size


class Tall(dict[str, bytes]):
    """The objects of a log of any size, made when they are asked for; all entries but one are the same."""

    def __init__(self, size: int, index: int, content: bytes) -> None:
        tree = Tree({index: leaf_hash(content)})
        super().__init__(
            {**PAGE, CHECKPOINT: signed(Checkpoint(ORIGIN, tree.head(size)), LOG).data, "policy.txt": POLICY}
        )
        self.tree, self.special = tree, (index, content)

    def get(self, path: str, default: Any = None) -> Any:
        """Return an object."""
        if not path.startswith("tile/"):
            return super().get(path, default)
        tile = parse_tile_path(path)
        if tile.level >= 0:
            return self.tree.tile(tile)
        entries = [b"every other entry"] * tile.width
        index, content = self.special
        if tile.index == index // 256:
            entries[index % 256] = content
        return b"".join(len(one).to_bytes(2, "big") + one for one in entries)


@pytest.mark.parametrize(("throttle", "limit"), [(1, 0.3), (6, 1.0)])
def test_time_to_a_verdict(chromium: Any, throttle: int, limit: float, record_property: Any) -> None:
    """A log of a million entries: an entry by index, or a proof with its file, is judged in no time."""
    index, size = 654_321, 1_000_000
    objects = Tall(size, index, HELLO)
    hashes = build_proof(
        inclusion_nodes(index, size), lambda node: objects.tree.mth(range(node.index << node.height, node.end))
    )
    proof = TlogProof(index, hashes, parse_signed_checkpoint(objects[CHECKPOINT])).data
    for path in ("tile/0/x002/555", "tile/1/009", "tile/2/000.p/15", "tile/1/015.p/66", "tile/0/x003/906.p/64"):
        objects[path] = objects.get(path)
    assert leaf_hash(b"every other entry") == OTHER_LEAF
    with site(chromium, {}) as one:
        one.server.objects = objects
        one.open()
        one.ask("0")
        one.said()  # what is loaded when it is first needed is loaded
        one.clear()
        one.context.new_cdp_session(one.page).send("Emulation.setCPUThrottlingRate", {"rate": throttle})
        started = time.monotonic()
        one.ask(str(index))
        assert one.said()[1] == "In the log: entry 654,321 of 1,000,000"
        by_index = time.monotonic() - started
        one.clear()
        started = time.monotonic()
        one.drop(("a.tlog-proof", proof), ("a.txt", FILE))
        assert one.said()[1] == "In the log: entry 654,321 of 1,000,000"
        by_proof = time.monotonic() - started
    print(f"{throttle}× slower: by index {by_index:.3f} s, by proof {by_proof:.3f} s")
    record_property("seconds", (by_index, by_proof))
    assert min(by_index, by_proof) < 3 * limit  # a shared machine is no failure; the figures are printed


def test_scanning_in_time(chromium: Any) -> None:
    """The largest log that is looked through without asking takes about a second."""
    objects = {**make_log(16_384), "policy.txt": POLICY}
    with site(chromium, objects) as one:
        one.open()
        started = time.monotonic()
        one.drop(("x", entry(16_383)))
        one.said(state="verified-log-only")
        print(f"16,384 entries looked through in {time.monotonic() - started:.3f} s")
        assert time.monotonic() - started < 5


def test_sizes(chromium: Any) -> None:
    """The verifier has at most 8 KiB gzipped; what is loaded before anything is asked, at most 20 KiB."""
    verifier = gzip.compress(PAGE["verifier/sha256.js"] + PAGE["verifier/tlog.js"], 9, mtime=0)
    assert len(verifier) <= 8 << 10
    with site(chromium, PLAIN) as one:
        one.open()
        loaded = [path for path in dict.fromkeys(one.server.asked) if path in PAGE]
    total = sum(len(gzip.compress(PAGE[path], 9, mtime=0)) for path in loaded)
    print(f"verifier {len(verifier)} bytes, first load {total} bytes: {loaded}")
    assert total <= 20 << 10


# ---- the same vectors


def test_chromium_gives_the_same_verdicts(chromium: Any) -> None:
    """Chromium runs all vectors, ML-DSA-44 included where it has it, and says what the core says."""
    vectors = all_vectors(None)
    files = {f"web/{name}": data for name, data in PAGE.items()}
    files["tests/web/operations.js"] = (ROOT / "tests" / "web" / "operations.js").read_bytes()
    files |= {"blank.html": b"<!doctype html><title>vectors</title>", "vectors": json.dumps(vectors).encode()}
    with site(chromium, files) as one:
        one.page.goto(f"{one.server.url}blank.html")
        mldsa, answers = one.page.evaluate(
            """async () => {
                const { mldsa, run } = await import("/tests/web/operations.js");
                const { cases, ...shared } = await (await fetch("/vectors")).json();
                const answers = [];
                for (const one of cases) answers.push(await run(one, shared));
                return [await mldsa(), JSON.stringify(answers)];
            }"""
        )
        assert compare(vectors, json.loads(answers), bool(mldsa)) == []
    print(f"ML-DSA-44: {mldsa}")
