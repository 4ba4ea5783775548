"""Which signatures of a checkpoint count, and what is odd about a policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.policy_sets import EVERY_SET
from tests.support.signed_text import (
    CHECKPOINT,
    COSIGNATURE,
    EXAMPLE,
    LOG,
    LOG_LINE,
    MLDSA44,
    ORIGIN,
    TIME,
    W1,
    W2,
    W3,
    cosigned,
    forged,
    key,
    policy,
    sign,
    signed,
)
from tiles.errors import PolicyError, SignatureError
from tiles.notes.checkpoint import SignedCheckpoint, with_signatures
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy
from tiles.notes.policy_report import remarks, report

OTHER = key("other.example.org", 90)
OLD = key(ORIGIN, 91, MLDSA44)  # the log's other key
W = f"witness w1 {W1.verifier.vkey}\nwitness w2 {W2.verifier.vkey}\n"
RULES = policy(
    f"{LOG_LINE}log {OTHER.verifier.vkey}\nlog {OLD.verifier.vkey}\n{W}witness w3 {W3.verifier.vkey}\n"
    "group g any w1 w2\nquorum g\n"
)


def comes_to(checkpoint: SignedCheckpoint, rules: Policy = RULES) -> list[tuple[str, str, int | None]]:
    """Return what each line comes to, of which witness it is, and its time."""
    return [(line.comes_to, line.witness, line.time) for line in report(rules, checkpoint).lines]


def test_every_kind_of_line() -> None:
    """Each line of a checkpoint says what it is good for."""
    stranger = key("stranger.example.com", 92)
    checkpoint = signed(CHECKPOINT, W1, LOG, W3, OTHER, OLD, stranger)
    assert comes_to(checkpoint) == [
        ("cosignature", "w1", TIME),
        ("log", "", None),
        ("outside", "w3", TIME),
        ("other-log", "", None),
        ("log", "", TIME),
        ("unknown", "", None),
    ]
    found = report(RULES, checkpoint)
    assert found.refusal is None
    assert [line.counts for line in found.lines] == [True, True, False, False, True, False]


def test_a_wrong_line_refuses_all() -> None:
    """A line by a known key that does not verify is named, and counts for no quorum."""
    checkpoint = with_signatures(CHECKPOINT, [sign(CHECKPOINT, LOG), forged(sign(CHECKPOINT, W1))])
    found = report(RULES, checkpoint)
    assert [line.comes_to for line in found.lines] == ["log", "wrong"]
    assert "wrong signature by" in found.lines[1].problem
    assert isinstance(found.refusal, SignatureError)
    assert found.quorum is not None
    assert not found.quorum.met


def test_extension_lines() -> None:
    """What ML-DSA-44 signs has no extension lines, so it is no signature of the log over all of the text."""
    extended = replace(CHECKPOINT, extensions=("more",))
    assert comes_to(signed(extended, OLD, W2)) == [("no-extensions", "", TIME), ("cosignature", "w2", TIME)]
    assert report(RULES, signed(extended, OLD, W2)).refusal is not None
    assert report(RULES, signed(extended, OLD, LOG, W2)).refusal is None


@pytest.mark.parametrize("names", EVERY_SET[::3], ids="-".join)
def test_it_agrees_with_the_policy(names: tuple[str, ...]) -> None:
    """The report refuses what the policy refuses, for the reason that the policy names, and the quorum stands so."""
    rules, checkpoint = policy(EXAMPLE), cosigned(*names)
    found = report(rules, checkpoint)
    assert found.quorum is not None
    assert found.quorum.met == (found.refusal is None)
    if found.refusal is None:
        rules.accept(checkpoint)
        return
    with pytest.raises(PolicyError) as caught:
        rules.accept(checkpoint)
    assert caught.value.message == found.refusal.message


def test_a_key_that_is_log_and_witness() -> None:
    """One line may be both; it is the log's, and the quorum counts it."""
    both = key(ORIGIN, 93, COSIGNATURE)
    rules = policy(f"log {both.verifier.vkey}\nwitness w {both.verifier.vkey}\nquorum w\n")
    found = report(rules, signed(CHECKPOINT, both))
    assert [(line.comes_to, line.witness) for line in found.lines] == [("log", "w")]
    assert found.refusal is None
    assert found.quorum is not None
    assert found.quorum.met


def test_an_origin_that_the_policy_does_not_know() -> None:
    """The checkpoint of another log is refused, whatever has cosigned it."""
    checkpoint = signed(replace(CHECKPOINT, origin="elsewhere.example.com"), LOG, W1)
    found = report(RULES, checkpoint)
    assert [line.comes_to for line in found.lines] == ["other-log", "cosignature"]
    assert found.refusal is not None


def lone(count: int) -> str:
    """Return a policy that needs `count` witnesses, none of which seem to have one operator."""
    keys = [key(f"w.operator{n}.org", n + 120, COSIGNATURE).verifier for n in range(count)]
    lines = "".join(f"witness w{n} {one.vkey}\n" for n, one in enumerate(keys))
    return f"{LOG_LINE}{lines}group g all {' '.join(f'w{n}' for n in range(count))}\nquorum g\n"


A, B, C, D = (key(f"witness.{letter * 5}.org", 100 + n, COSIGNATURE).verifier.vkey for n, letter in enumerate("abcd"))
SPREAD = f"witness a {A}\nwitness b {B}\nwitness c {C}\n"
PQ_LOG = f"log {OLD.verifier.vkey}\n"
PQ_WITNESS = key("witness.ddddd.org", 110, MLDSA44).verifier.vkey
SELF = VerifierKey("self.eeeee.org", COSIGNATURE, LOG.verifier.public).vkey

ODD = {
    "sound": (f"{LOG_LINE}{SPREAD}group g 2 a b c\nquorum g\n", []),
    "no witness asked for": (f"{LOG_LINE}quorum none\n", ["no-quorum"]),
    "no log": (f"{SPREAD}group g 2 a b c\nquorum g\n", ["no-log"]),
    "one of the quorum": (f"{LOG_LINE}witness a {A}\nquorum a\n", ["no-spare"]),
    "one that all depends on": (
        f"{LOG_LINE}{SPREAD}group h any b c\ngroup g all a h\nquorum g\n",
        ["no-spare"],
    ),
    "a witness outside": (f"{LOG_LINE}{SPREAD}group g any a b\nquorum g\n", ["outside"]),
    "a group outside": (f"{LOG_LINE}{SPREAD}group h any c\ngroup g any a b\nquorum g\n", ["outside"]),
    "witnesses and no quorum": (f"{LOG_LINE}{SPREAD}quorum none\n", ["no-quorum", "outside"]),
    "two keys of one kind": (
        f"{LOG_LINE}log {key(ORIGIN, 94).verifier.vkey}\n{SPREAD}group g any a b c\nquorum g\n",
        ["either-key"],
    ),
    "a pair of keys": (
        f"{LOG_LINE}{PQ_LOG}{SPREAD}group g any a b c\nquorum g\n",
        ["either-key", "not-post-quantum"],
    ),
    "two logs": (
        f"{LOG_LINE}log {OTHER.verifier.vkey}\n{SPREAD}group g any a b c\nquorum g\n",
        ["either-log"],
    ),
    "post-quantum but for the witnesses": (
        f"{PQ_LOG}witness a {A}\nwitness d {PQ_WITNESS}\ngroup g any a d\nquorum g\n",
        ["cosignatures-not-post-quantum"],
    ),
    "post-quantum": (f"{PQ_LOG}witness d {PQ_WITNESS}\nquorum d\n", ["no-spare"]),
    "many": (lone(16), ["many", "no-spare"]),
    "never": (lone(100), ["never", "no-spare"]),
    "the log as its witness": (
        f"{LOG_LINE}witness s {SELF}\nwitness a {A}\ngroup g any s a\nquorum g\n",
        ["log-as-witness"],
    ),
    "one operator": (
        (
            f"{LOG_LINE}witness a {A}\nwitness d {key('two.aaaaa.org/x', 111, COSIGNATURE).verifier.vkey}\n"
            "group g any a d\nquorum g\n"
        ),
        ["same-operator"],
    ),
    "one operator by the addresses": (
        (
            f"{LOG_LINE}witness a {A} https://hosting.org/a/\nwitness b {B} https://hosting.org/b/\n"
            "group g any a b\nquorum g\n"
        ),
        ["same-operator"],
    ),
    "the log's operator": (
        (
            f"{LOG_LINE}witness a {key('w.example.com', 112, COSIGNATURE).verifier.vkey}\nwitness b {B}\n"
            "group g any a b\nquorum g\n"
        ),
        ["log-operator"],
    ),
    "names that are no hosts": (
        (
            f"{LOG_LINE}witness a {key('one', 113, COSIGNATURE).verifier.vkey}\n"
            f"witness b {key('two', 114, COSIGNATURE).verifier.vkey}\ngroup g any a b\nquorum g\n"
        ),
        [],
    ),
    "domains that are not anybody's": (
        (
            f"{LOG_LINE}witness a {key('one.co.uk', 115, COSIGNATURE).verifier.vkey}\n"
            f"witness b {key('two.co.uk', 116, COSIGNATURE).verifier.vkey}\ngroup g any a b\nquorum g\n"
        ),
        [],
    ),
}


@pytest.mark.parametrize(("text", "kinds"), ODD.values(), ids=ODD.keys())
def test_remarks(text: str, kinds: list[str]) -> None:
    """What whoever wrote a policy may not have meant is remarked, and nothing else is."""
    assert [remark.kind for remark in remarks(policy(text))] == kinds


def test_what_remarks_say() -> None:
    """A remark names the witnesses that it is about, and what to do where something can be done."""
    said = {remark.kind: remark.text for name in ("a pair of keys", "a witness outside", "one that all depends on")
            for remark in remarks(policy(ODD[name][0]))}  # fmt: skip
    assert "pins the ML-DSA-44 line alone" in said["not-post-quantum"]
    assert "a signature by any one of these keys is enough" in said["either-key"]
    assert said["outside"].endswith(": c")
    assert said["no-spare"].startswith("without a nothing is accepted")


def test_the_most_that_a_checkpoint_has() -> None:
    """As many witnesses as there is room for beside the log's line can be asked for."""
    assert [one.kind for one in remarks(policy(lone(99)))] == ["many", "no-spare"]  # with the log's line, 100
