"""How each state of the page is reached that docs/page.md names, in the log of a maintainer where that is possible."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import quote

from tests.support.browser import Site
from tests.support.maintainer_log import RELEASE, SIZE, entries, maintained, ssh
from tests.support.readers import OTHER_KEY
from tests.support.signature_texts import DATA
from tests.support.signed_text import LOG, W1, W2, W3, signed
from tests.support.web_bundles import NAME, OTHER, PROOF, changed, pem, signed_log
from tests.support.web_indexed import NAME as LOGGED_NAME
from tests.support.web_indexed import OTHER as TWICE
from tests.support.web_indexed import head_of, indexed, twins
from tests.support.web_logs import (
    FILE,
    MLDSA,
    NO_CRYPTO,
    NO_MLDSA,
    POLICY,
    Objects,
    flip,
    log_of,
    proof_of,
    with_times,
    without_time,
)
from tests.support.web_search_proofs import proof as search_proof
from tests.support.web_server import PAGE
from tests.support.web_vector_bundles import by_another_hash
from tiles.entries.file_digest import name_in
from tiles.entries.proof_extra import ProofExtra
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.index_head import sign_index_head
from tiles.notes.policy import parse_policy
from tiles.notes.tlog_proof import parse_tlog_proof
from tiles.page import VERIFY, verify_page
from tiles.tree.layout import CHECKPOINT

WHEEL, ZIP = "orbit-2.8.0-py3-none-any.whl", "orbit-2.8.0.zip"
NEVER = (ZIP, b"never logged")
WHERE = SIZE - 2  # of RELEASE
DIGEST = f"sha256:{hashlib.sha256(FILE).hexdigest()}"
RUN = "index/sha256/1/1/000/000"
BUNDLE = f"{NAME}.sigstore.json"
HEAD, RESULTS = "#head", "#results"

Act = Callable[[Site], None]


@dataclass(frozen=True)
class Shown:
    """A state, and how to get there.

    objects   of the log; before: what the browser saw at an earlier visit
    act       what is done on the page then
    where     "#head" or "#results", in which the card is
    knobs     of the server
    script    what runs before the page's own scripts
    path      of the page
    """

    name: str
    objects: Callable[[], Objects]
    act: Act = lambda _one: None
    where: str = RESULTS
    before: Callable[[], Objects] | None = None
    fragment: str = ""
    knobs: Mapping[str, Any] = field(default_factory=dict)
    script: str = ""
    path: str = ""

    def reach(self, one: Site) -> Any:
        """Reach the state, and return its card."""
        one.begin({**PAGE, **(self.before or self.objects)()}, script=self.script, faults=True)
        if self.before:
            one.open()
            one.become(self.objects())
        one.server.ranges = "yes"
        for knob, value in self.knobs.items():
            setattr(one.server, knob, value)
        one.open(self.fragment, self.path)
        if self.before:
            one.reload()
        self.act(one)
        one.page.wait_for_selector(f"{self.where} .card[data-state={self.name}]")
        one.page.evaluate("document.activeElement.blur()")
        return one.page.wait_for_selector(f"{self.where} .card[data-state={self.name}]")


def drop(*files: tuple[str, bytes]) -> Act:
    """Return the act of dropping files."""
    return lambda one: one.drop(*files)


def ask(text: str) -> Act:
    """Return the act of asking."""
    return lambda one: one.ask(text)


@cache
def bare() -> Objects:
    """Return the log without witnesses."""
    kept = {path: data for path, data in log_of(entries()).items() if not path.startswith("checkpoints/days/")}
    return {**kept, "policy.txt": POLICY, "site.txt": maintained()["site.txt"]}


def with_site(objects: Callable[[], Objects]) -> Callable[[], Objects]:
    """Return a log as the maintainer's: it says whose it is."""
    return lambda: {**objects(), "site.txt": maintained()["site.txt"]}


@cache
def others() -> Objects:
    """Return the log with another history."""
    return {**bare(), **log_of([b"another", *entries()[1:], b"more"])}


@cache
def smaller() -> Objects:
    """Return the log as it was before."""
    return {**log_of(entries()[:200]), "policy.txt": POLICY, "site.txt": maintained()["site.txt"]}


@cache
def large() -> Objects:
    """Return a log that is too large to be looked through without asking."""
    return {**bare(), **log_of([b"%d" % at for at in range(17_000)])}


def of_head(*by: tuple[Any, float], policy: bytes = b"") -> Callable[[], Objects]:
    """Return the log whose checkpoint is cosigned so many seconds ago."""
    return lambda: {**with_times(bare(), *by), "policy.txt": policy or maintained()["policy.txt"]}


def replaced(path: str, data: bytes | None, objects: Callable[[], Objects] = bare) -> Callable[[], Objects]:
    """Return the log with an object replaced, or without it."""
    return lambda: {key: one for key, one in {**objects(), path: data}.items() if one is not None}


def offline() -> Objects:
    """Return the log with its verify.html."""
    return {**maintained(), VERIFY: verify_page(parse_policy(maintained()["policy.txt"]))}


def working(one: Site) -> None:
    """Look for a file at a server that does not answer any more."""
    one.server.hang = {"tile/0/000", "tile/0/001.p/44"}
    one.drop((WHEEL, RELEASE))


def many(one: Site) -> None:
    """Drop many files."""
    logged = ((name_in(entry) or "", b"%d" % at) for at, entry in enumerate(entries()[:6]))
    one.drop(*logged, NEVER, (WHEEL, RELEASE))
    one.page.wait_for_selector("#results h2:has-text('not in the log')")


def spoil(one: Site) -> None:
    """Damage what the browser remembers."""
    script = (
        "for (const id of Object.keys(localStorage)) if (/^tlog:[0-9a-f]+$/.test(id)) localStorage.setItem(id, 'x')"
    )
    one.page.evaluate(script)
    one.reload()


def proof(index: int = WHERE) -> bytes:
    """Return a proof of the log without witnesses."""
    return proof_of(bare(), index)


def ssh_proof() -> bytes:
    """Return the proof of the entry of a signature by SSH."""
    return replace(parse_tlog_proof(proof(entries().index(ssh()))), extra=ProofExtra(ssh()).data).data


def lying() -> Objects:
    """Return a log whose signed index is wrong."""
    head = head_of(indexed(), "sha256/1")
    wrong = type(head)(head.origin, head.kind, type(head.tree)(head.tree.size, head.runs[0].root), head.runs)
    return {**indexed(), "index/sha256/1/head": sign_index_head(wrong, LOG).data}


def damaged() -> Objects:
    """Return a log with a damaged index."""
    return {**indexed(), RUN: indexed()[RUN][:-16]}


def named_then(*files: tuple[str, bytes]) -> Act:
    """Return the act of naming a key, and dropping files then."""

    def act(one: Site) -> None:
        one.drop(("signer.pub", pem()))
        one.said(state="key-named")
        one.drop(*files)

    return act


@cache
def states() -> tuple[Shown, ...]:
    """Return all states, in the order of docs/page.md."""
    log, bundles = signed_log()
    signed_objects = with_site(lambda: log)
    bundle = lambda name: drop((NAME, FILE), (BUNDLE, bundles[name]))  # noqa: E731
    elsewhere = Checkpoint("other.example.com", parse_signed_checkpoint(bare()[CHECKPOINT]).tree)
    damaged_tile = replaced("tile/0/000", flip(bare()["tile/0/000"], 77))
    forged = replaced(CHECKPOINT, log_of(entries(), OTHER_KEY)[CHECKPOINT])
    by_w2 = of_head((W2, 5), policy=f"{MLDSA}quorum w2\n".encode())
    another = f"log {OTHER_KEY.verifier.vkey}\nquorum none\n".encode()
    changed_key = lambda: {**bare(), **log_of(entries(), OTHER_KEY), "policy.txt": another}  # noqa: E731
    root = b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    no_library = {"status": {"verifier/mldsa.js": 404}}
    unproven = changed(bundles["key"], *PROOF, "checkpoint", to={})
    told = search_proof("name/1", LOGGED_NAME.encode(), [100])
    altered = told.replace(b"candidate 100", b"candidate 101")
    too_many = b"\n".join([bundles["key"]] + [b"{}"] * 70)
    return (
        Shown("ready", offline, where=HEAD, path=VERIFY),
        Shown("working", bare, working),
        Shown("verified", maintained, drop((WHEEL, RELEASE))),
        Shown("verified-log-only", bare, drop((WHEEL, RELEASE))),
        Shown("found", with_site(twins), ask(f"sha256:{TWICE}")),
        Shown("many", maintained, many),
        Shown("absent", maintained, drop(NEVER)),
        Shown("not-found", with_site(damaged), ask(DIGEST)),
        Shown("not-searched", large, drop(NEVER)),
        Shown("needs-file", bare, drop((f"{WHEEL}.tlog-proof", proof()))),
        Shown("needs-proof", offline, drop((WHEEL, RELEASE)), path=VERIFY),
        Shown("same-history", bare, drop(("checkpoint-of-october", smaller()[CHECKPOINT]))),
        Shown("search-proof", with_site(twins), drop(("resume.search-proof", told))),
        Shown("search-wrong", with_site(twins), drop(("resume.search-proof", altered))),
        Shown("inclusion", bare, drop((f"{WHEEL}.tlog-proof", proof(9)), (WHEEL, RELEASE))),
        Shown("format", bare, drop((f"{WHEEL}.tlog-proof", b"c2sp.org/tlog-proof@v1\nhash\n\nx"))),
        Shown("call", bare, ask("302")),
        Shown("tile", damaged_tile, ask("9")),
        Shown("web-page", replaced("tile/0/000", b"<!doctype html><title>Welcome</title>"), ask("9")),
        Shown("network", bare, where=HEAD, knobs={"status": {CHECKPOINT: 500}}),
        Shown("insecure", bare, where=HEAD, script=NO_CRYPTO),
        Shown("stale", of_head((W1, 260_000), (W3, 270_000)), where=HEAD),
        Shown(
            "time-unknown",
            lambda: {**without_time(bare(), W1, W3), "policy.txt": maintained()["policy.txt"]},
            where=HEAD,
        ),
        Shown("future", of_head((W1, -90_000), (W3, -90_000)), where=HEAD),
        Shown("unsupported", by_w2, where=HEAD, script=NO_MLDSA, knobs=no_library),
        Shown("quorum", of_head((W1, 9)), where=HEAD),
        Shown("signature", forged, where=HEAD),
        Shown("origin", replaced(CHECKPOINT, signed(elsewhere, LOG).data), where=HEAD),
        Shown("rollback", lambda: {**bare(), CHECKPOINT: smaller()[CHECKPOINT]}, where=HEAD, before=bare),
        Shown("rollback-unproven", smaller, where=HEAD, before=bare),
        Shown("fork", others, where=HEAD, before=bare),
        Shown("fork-above", others, drop((WHEEL, RELEASE)), before=bare),
        Shown("memory", bare, spoil, where=HEAD),
        Shown("no-key", replaced("policy.txt", None), where=HEAD),
        Shown("unknown-key", bare, where=HEAD, fragment=f"#vkey={quote(OTHER_KEY.verifier.vkey)}"),
        Shown("key-changed", changed_key, where=HEAD, before=bare),
        Shown("index-wrong", with_site(lying), ask(DIGEST)),
        Shown("unread", signed_objects, drop(("releases.jsonl", too_many))),
        Shown("unproven", signed_objects, drop((BUNDLE, unproven))),
        Shown("signer-unchecked", bare, drop(("app", DATA), ("app.tlog-proof", ssh_proof()))),
        Shown("signed", signed_objects, named_then((NAME, FILE), (BUNDLE, bundles["key"]))),
        Shown("key-unnamed", signed_objects, bundle("key")),
        Shown("key-named", signed_objects, drop(("signer.pub", pem()))),
        Shown("another-key", signed_objects, named_then((NAME, FILE), (BUNDLE, bundles["P-384"]))),
        Shown("certificate", signed_objects, bundle("certificate")),
        Shown("trusted-root", signed_objects, drop(("trusted_root.json", root))),
        Shown("of-no-file", signed_objects, drop((BUNDLE, bundles["of no file"]))),
        Shown("other-file", signed_objects, drop((NAME, OTHER), (BUNDLE, bundles["key"]))),
        Shown("artifact-signature", signed_objects, bundle("forged")),
        Shown("bundle", signed_objects, drop((BUNDLE, changed(bundles["key"], *PROOF, "treeSize", to="9")))),
        Shown("not-checked", signed_objects, drop((NAME, FILE), (BUNDLE, by_another_hash("PKIX_ED25519_PH")))),
        Shown("page", bare, ask("7"), knobs={"status": {"page/check.js": 404}}),
    )
