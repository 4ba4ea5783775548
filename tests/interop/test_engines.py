"""The page in Firefox and in WebKit: the words that it has in Chromium, and the verdicts of the core."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.interop.engine_page import WATCHING, EnginePage
from tests.interop.engines import ENGINES
from tests.interop.webdriver import ENTER, SHIFT, TAB
from tests.support.log_states import EXAMINED, STATES, State, reach
from tests.support.node import ROOT
from tests.support.sampling import quickly
from tests.support.web_answers import Case, Cases, answer
from tests.support.web_indexed import FEW, NAME, twins
from tests.support.web_logs import FILE, HELLO, NO_CRYPTO, NO_ED25519, PLAIN, POLICY, flip, proof_of
from tests.support.web_server import PAGE
from tests.support.web_vector_foreign import add_to
from tests.support.web_verdicts import FOLDER, Verdicts, differences
from tiles.notes.policy import parse_policy
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.page import VERIFY, verify_page
from tiles.tree.merkle import leaf_hash

pytest_plugins = ["tests.support.web_fixtures"]
pytestmark = [pytest.mark.interop]

FORGED = flip(proof_of(PLAIN, 300), 8 * len(proof_of(PLAIN, 300)) - 40)  # one bit of the log's signature is another


@pytest.fixture(scope="module", params=list(ENGINES))
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnginePage]:
    """Return a page in a window of an engine, which all tests use one after the other."""
    name, folder = request.param, tmp_path_factory.mktemp("engine")
    with ENGINES[name](folder) as window:
        print(f"{name}: {window.version}")
        page = EnginePage(name, window, folder)
        yield page
        page.close()


@pytest.mark.parametrize("state", quickly(STATES, EXAMINED[::4]), ids=lambda state: f"{state.name}-{state.where}")
def test_state(one: EnginePage, state: State) -> None:
    """Each state of the page is told in the words that it has in Chromium."""
    one.begin(state.before or state.objects, state.script)
    reach(one, state)
    one.save_picture(f"{STATES.index(state):02}-{state.name}{state.where}")
    one.judge()


def test_dropping(one: EnginePage) -> None:
    """Files that are let go of above the page are taken; a forged proof is refused."""
    proof = proof_of(PLAIN, 300)
    one.begin(PLAIN)
    one.open()
    one.drag(("a.txt", FILE), ("a.tlog-proof", proof))
    assert one.said()[:2] == ("verified-log-only", "In the log: entry 300 of 302")
    assert one.page.run("return document.querySelector('#drop.over')") is None
    one.drag(("b.txt", FILE + b"!"), ("a.tlog-proof", proof))
    assert one.said()[:2] == ("inclusion", "This proof is for another file, or altered")
    one.drag(("a.txt", FILE), ("a.tlog-proof", FORGED))
    assert one.said()[:2] == ("signature", "Wrong signature")
    one.judge()


def test_saving(one: EnginePage) -> None:
    """What "Save proof" saves is a proof that the core verifies."""
    one.begin(PLAIN)
    one.open()
    one.drag(("a.txt", FILE))
    one.said()
    one.page.click("#results .card > .row button")
    verify_tlog_proof(parse_tlog_proof(one.saved("*.tlog-proof")), leaf_hash(HELLO), parse_policy(POLICY))
    one.judge()


def test_clearing(one: EnginePage) -> None:
    """ "Clear results" is there while there are results, and only then."""
    shown = "return document.querySelector('#clear')?.checkVisibility() ?? false"
    one.begin(PLAIN)
    one.open()
    for _ in range(2):
        assert one.page.run(shown) is False
        one.drag(("a.txt", FILE))
        one.said()
        one.page.until(shown)
        one.page.click("#clear button")
        one.page.until(f"return !(() => {{ {shown} }})()")
    assert one.page.run("return document.activeElement.id") == "files"
    one.judge()


def test_searching(one: EnginePage) -> None:
    """By name and by digest, over an index of which parts are asked for; it says whether absence is proven."""
    one.begin({**twins(), **FEW})
    one.server.ranges = "yes"
    one.open()
    one.ask(NAME)
    state, headline, words = one.said()
    assert (state, headline) == ("found", "In the log: 2 entries"), words
    assert "There are no others." in words
    assert "the log's signed index of names" in one.page.run("return document.querySelector('#results').textContent")
    one.save_picture("found")
    one.ask(sha256(FILE).hexdigest())
    assert one.said()[:2] == ("verified-log-only", "In the log: entry 200 of 4,200")
    one.ask(sha256(b"nothing").hexdigest())  # which may be a leaf hash, too, and there is no index of those
    assert one.said()[0] == "not-found"
    one.ask("never.txt")
    assert one.said()[:2] == ("absent", "Not in the log")
    one.judge()


def test_entries(one: EnginePage) -> None:
    """The list shows the newest first, with its plot, goes to an index and on from there; a digest is copied."""
    row = "return document.querySelector(`#browse [data-entry='${arguments[0]}'] > button`)?.textContent"
    one.begin(twins())
    one.open()
    one.page.click("#browse > summary")
    one.page.until("return document.querySelector('#browse svg')")
    one.page.click("#where")
    one.page.press(f"4150{ENTER}")
    one.page.until(row, 4150)
    one.page.click("#browse [data-entry='4150'] > button")
    one.page.until(f"return (() => {{ {row} }})(...arguments) === 'Copied'", 4150)
    one.save_picture("entries")
    one.page.click("#browse .row:last-child button:last-child")
    one.page.until("return document.querySelector(\"#browse [data-entry='4130']\")")
    one.judge()


def test_keyboard(one: EnginePage) -> None:
    """All is reached by keys, in the order in which it is read, and what has the focus is seen to have it."""
    one.begin(PLAIN)
    one.open()
    stops = [one.stop() for _ in range(10)]
    assert [name for name, _ in stops] == [
        "files",
        "text",
        "Check",
        "About this log",
        "The newest entry",
        "The oldest entry",
        "A sabotaged copy",
        "Entries",
        "Whom this page trusts",
        "Check this yourself",
    ]
    assert [name for name, outline in stops if not outline] == []
    one.page.run("document.querySelector('#text').focus()")
    one.page.press(f"12{ENTER}")
    assert one.said()[1] == "In the log: entry 12 of 302"
    assert one.page.run("return document.activeElement.textContent") == "✓ In the log: entry 12 of 302"
    stops = [one.stop() for _ in range(3)]
    assert [name for name, _ in stops] == ["Save proof", "Link to this entry", "What was checked"]
    assert [name for name, outline in stops if not outline] == []
    one.page.press(ENTER)
    one.page.until("return document.activeElement.parentElement.open")
    one.save_picture("keyboard")
    one.page.press_with(SHIFT, TAB)
    assert one.page.run("return document.activeElement.textContent") == "Link to this entry"
    one.judge()


# ---- verify.html, from a disk


def opened_from_disk(one: EnginePage, path: Path, script: str = "") -> None:
    """Open verify.html with the keys of PLAIN; script: what runs before its own."""
    before = WATCHING + script
    encoded = b64encode(sha256(before.encode()).digest()).decode()
    page = verify_page(parse_policy(POLICY)).decode()
    page = page.replace("script-src '", f"script-src 'sha256-{encoded}' '").replace(
        "<title>", f"<script>{before}</script><title>"
    )
    path.write_text(page)
    one.page.open(path.as_uri())
    one.page.until("return document.querySelector('#head [data-state]') !== null")


def test_from_a_disk(one: EnginePage, tmp_path: Path) -> None:
    """verify.html verifies from file://, refuses what is forged, and can reach nobody."""
    proof = proof_of(PLAIN, 300)
    opened_from_disk(one, tmp_path / VERIFY)
    assert one.said("#head")[0] == "ready"
    one.drop(("a.txt", FILE), ("a.tlog-proof", proof))
    state, headline, words = one.said()
    assert (state, headline) == ("verified-log-only", "In the log: entry 300 of 302"), words
    assert "Signed by the log" in words
    one.save_picture("from-disk")
    one.drag(("b.txt", FILE + b"!"), ("a.tlog-proof", proof))
    assert one.said()[0] == "inclusion"
    one.drag(("a.txt", FILE), ("a.tlog-proof", FORGED))
    assert one.said()[0] == "signature"
    one.drag(("a.txt", FILE))
    assert one.said()[0] == "needs-proof"
    assert one.page.run("return window.trouble") == []
    one.page.run("fetch('http://127.0.0.1:9/').catch(() => (window.refused = true))")
    one.page.until("return window.refused && window.trouble.some((one) => one.startsWith('policy: connect-src'))")


# ---- an engine that lacks something


@pytest.mark.parametrize("offline", [False, True], ids=["page", VERIFY])
def test_without_ed25519(one: EnginePage, tmp_path: Path, offline: bool) -> None:
    """Where an engine lacks Ed25519, the page says that it could not check, of what is right and of what is forged."""
    if offline:
        opened_from_disk(one, tmp_path / VERIFY, NO_ED25519)
    else:
        one.begin(PLAIN, NO_ED25519)
        one.open()
        assert one.said("#head")[:2] == ("unsupported", "1 signature could not be checked here")
    for proof in (proof_of(PLAIN, 300), FORGED):
        one.drag(("a.txt", FILE), ("a.tlog-proof", proof))
        state, headline, words = one.said()
        assert (state, headline) == ("unsupported", "1 signature could not be checked here"), words
        assert "Ed25519" in words
    one.save_picture(f"no-ed25519-{offline}")


def test_from_a_disk_without_cryptography(one: EnginePage, tmp_path: Path) -> None:
    """Where an engine gives files no cryptography, verify.html says so, and gives no verdict."""
    opened_from_disk(one, tmp_path / VERIFY, NO_CRYPTO)
    assert one.said("#head")[0] == "insecure"
    one.drag(("a.txt", FILE), ("a.tlog-proof", proof_of(PLAIN, 300)))
    assert one.said()[0] == "insecure"
    one.save_picture("no-crypto")


# ---- vectors


RUNNER = """
import { mldsa, run } from "/tests/web/operations.js";
const { cases, ...shared } = await (await fetch("/vectors")).json();
window.answers = [];
for (const one of cases) answers.push(await run(one, shared));
window.mldsa = await mldsa();
"""


def answers_of(one: EnginePage, vectors: Path) -> list[dict[str, Any]]:
    """Return what the verifier says of vectors in the engine."""
    files = {f"web/{name}": data for name, data in PAGE.items()}
    files |= {"tests/web/operations.js": (ROOT / FOLDER / "operations.js").read_bytes(), "run.js": RUNNER.encode()}
    files |= {"vectors": vectors.read_bytes(), "vectors.html": b'<script type="module" src="/run.js"></script>'}
    one.begin(files)
    one.page.open(f"{one.server.url}vectors.html")
    mldsa = one.page.until("return window.mldsa")
    print(f"{one.name}: ML-DSA-44: {mldsa}")
    answers: list[dict[str, Any]] = json.loads(one.page.run("return JSON.stringify(window.answers)"))
    return answers


def test_vectors(one: EnginePage, verdicts: Verdicts) -> None:
    """The verifier says of the vectors what the core says, by the engine's own cryptography."""
    answers = answers_of(one, verdicts.path)
    assert differences(zip(verdicts.cases, answers, verdicts.answers, strict=True)) == []


def is_odd(case: Case) -> bool:
    """Return whether the key of a case is of low order, or has a component of low order, or is encoded in another way.

    Only whoever has such a key can sign by it, and no tool makes one. Firefox refuses some of them, as WebCrypto's
    specification asks of all engines; WebKit's port to GTK ends the page, or computes something else than it should.
    """
    return any(word.endswith("_A") for word in case["id"].split())


def test_foreign_vectors(one: EnginePage, shared_vectors: Path, tmp_path: Path) -> None:
    """So it does of other projects' cases: among them are signatures by Ed25519 of which implementations disagree."""
    made = Cases()
    list(add_to(made, shared_vectors))
    cases = [case for case in made.cases if one.name != "webkit" or not is_odd(case)]
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"logs": {}, "cases": cases}))
    compared = list(zip(cases, answers_of(one, path), [answer(case, {}) for case in cases], strict=True))
    assert sum(case["op"] == "signature" for case in cases) >= 28
    stricter = [is_odd(case) and theirs["code"] == "SignatureError" for case, theirs, _ in compared]
    assert differences(each for each, refused in zip(compared, stricter, strict=True) if not refused) == []
