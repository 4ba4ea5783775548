"""Who makes a checkpoint acceptable: logs, witnesses, nested groups, and every kind of signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.policy_sets import DEEP, EVERY_SET
from tests.support.signed_text import (
    CHECKPOINT,
    COSIGNATURE,
    ECDSA,
    ED25519,
    EXAMPLE,
    LOG,
    LOG_LINE,
    MLDSA44,
    ORIGIN,
    TIME,
    W1,
    W2,
    WITNESS_LINES,
    WITNESSES,
    cosigned,
    forged,
    key,
    policy,
    sign,
    signed,
)
from tiles.errors import PolicyError, SignatureError
from tiles.notes.checkpoint import with_signatures
from tiles.notes.cosignature import Cosignature, cosign
from tiles.notes.keys import SignatureType, parse_vkey
from tiles.notes.note import Signature
from tiles.notes.policy import MAX_POLICY_LINES, Log, policy_for


@pytest.mark.parametrize("names", EVERY_SET, ids="-".join)
def test_quorum_of_the_example(names: tuple[str, ...]) -> None:
    """ "At least two of the X-witnesses, and at least one of the Y-witnesses", for every set of cosigners."""
    enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
    checkpoint = cosigned(*names)
    if enough:
        accepted = policy(EXAMPLE).accept(checkpoint)
        assert accepted.signed is checkpoint
        assert accepted.log == LOG.verifier
        assert accepted.cosignatures == tuple(Cosignature(WITNESSES[name].verifier, TIME) for name in names)
    else:
        missing = ", ".join(name for name in WITNESSES if name not in names)
        with pytest.raises(PolicyError) as caught:
            policy(EXAMPLE).accept(checkpoint)
        assert caught.value.message == (
            f"quorum X-and-Y is not met: {len(names)} of its 6 witnesses have cosigned, missing {missing}"
        )
        assert caught.value.evidence == {"note": checkpoint.data, "policy": EXAMPLE.encode()}


def test_order_of_the_lines() -> None:
    """Signatures count wherever they stand in the note; "Never assume the log's line is first" either."""
    checkpoint = signed(CHECKPOINT, WITNESSES["Y1"], WITNESSES["X3"], LOG, WITNESSES["X1"])
    assert [cosignature.key.name[:2] for cosignature in policy(EXAMPLE).accept(checkpoint).cosignatures] == [
        "Y1",
        "X3",
        "X1",
    ]


@pytest.mark.parametrize(
    ("quorum", "names", "met"),
    [
        ("X1", ("X1",), True),
        ("X1", ("X2", "X3", "Y1", "Y2", "Y3"), False),
        ("a", ("X1", "X2"), True),
        ("a", ("X1", "X3"), False),
        ("b", ("X3",), True),
        ("b", ("X1",), False),
        ("b", ("X1", "X2"), True),
        ("c", ("X3", "Y1"), True),
        ("c", ("X1", "X2", "Y2"), True),
        ("c", ("X1", "Y1"), False),
        ("c", ("Y1", "Y2"), True),
        ("c", ("X1", "X2", "X3"), False),
        ("d", ("Y1", "Y2"), False),
        ("d", ("Y1", "Y2", "Y3"), True),
        ("d", ("X1", "X2", "Y2", "Y3"), True),
        ("none", (), True),
    ],
)
def test_nested_groups(quorum: str, names: tuple[str, ...], met: bool) -> None:
    """A group counts as one member of the group it is in, at any depth; what the quorum does not name is not needed."""
    parsed = policy(LOG_LINE + DEEP.format(quorum))
    if met:
        assert len(parsed.accept(cosigned(*names)).cosignatures) == len(names)
    else:
        with pytest.raises(PolicyError, match=f"quorum {quorum} is not met"):
            parsed.accept(cosigned(*names))


def test_message_names_only_the_witnesses_under_the_quorum() -> None:
    """Witnesses that could not help are not listed as missing, nor counted."""
    with pytest.raises(PolicyError) as caught:
        policy(LOG_LINE + DEEP.format("b")).accept(cosigned("X1", "Y1", "Y2"))
    assert caught.value.message == "quorum b is not met: 1 of its 3 witnesses have cosigned, missing X2, X3"


def test_one_witness_twice() -> None:
    """Two cosignatures of one witness are two cosignatures and one witness."""
    twice = [cosign(CHECKPOINT, WITNESSES["X1"], timestamp) for timestamp in (1, 2)]
    checkpoint = with_signatures(CHECKPOINT, [sign(CHECKPOINT, LOG), *twice])
    two_of_three = policy(LOG_LINE + WITNESS_LINES + "group g 2 X1 X2 X3\nquorum g\n")
    with pytest.raises(PolicyError, match="1 of its 3"):
        two_of_three.accept(checkpoint)
    one = policy(LOG_LINE + WITNESS_LINES + "quorum X1\n").accept(checkpoint)
    assert [cosignature.timestamp for cosignature in one.cosignatures] == [1, 2]


def test_many_levels() -> None:
    """A chain of groups as long as a policy may be is judged like any other."""
    names = [f"g{n}" for n in range(MAX_POLICY_LINES - 8)]
    groups = "".join(f"group {name} any {member}\n" for name, member in zip(names, ["X1", *names], strict=False))
    text = LOG_LINE + WITNESS_LINES + groups + f"quorum {names[-1]}\n"
    assert text.count("\n") == MAX_POLICY_LINES
    policy(text).accept(cosigned("X1"))
    with pytest.raises(PolicyError, match=r"missing X1$"):
        policy(text).accept(cosigned("X2"))


def test_no_quorum() -> None:
    """`quorum none` needs the log's signature only; known witnesses' cosignatures are verified all the same."""
    parsed = policy(LOG_LINE + WITNESS_LINES + "quorum none\n")
    assert parsed.quorum is None
    assert not parsed.needs_witnesses
    assert parsed.accept(cosigned()).cosignatures == ()
    assert len(parsed.accept(cosigned("X1")).cosignatures) == 1


@pytest.mark.parametrize("type_", [ED25519, COSIGNATURE, MLDSA44])
def test_log_key_types(type_: SignatureType) -> None:
    """A log may sign with "any note signature algorithm", cosignatures included; its own are not witnesses'."""
    log = key(ORIGIN, 40, type_)
    accepted = policy_for(log.verifier).accept(signed(CHECKPOINT, log))
    assert accepted.log == log.verifier
    assert accepted.cosignatures == ()
    with pytest.raises(SignatureError, match="no signature by"):
        policy_for(log.verifier).accept(signed(CHECKPOINT, LOG))
    with pytest.raises(SignatureError, match="wrong signature"):
        policy_for(log.verifier).accept(with_signatures(CHECKPOINT, [forged(sign(CHECKPOINT, log))]))


def test_ecdsa_log_key() -> None:
    """An ECDSA key may be a log's, where it is named as the origin."""
    rekor = parse_vkey(
        "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l"
        "+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc="
    )
    assert policy_for(rekor).logs == (Log(rekor),)
    assert rekor.type == ECDSA


def test_extension_lines() -> None:
    """Every line of an accepted checkpoint is signed by the log; a witness may sign less."""
    extended = replace(CHECKPOINT, extensions=("extension",))
    ml_dsa = key(ORIGIN, 41, MLDSA44)
    both = policy(f"log {ml_dsa.verifier.vkey}\n{LOG_LINE}{WITNESS_LINES}quorum X2\n")
    witness = WITNESSES["X2"]
    assert witness.verifier.type == MLDSA44
    assert both.accept(signed(CHECKPOINT, ml_dsa, witness)).log == ml_dsa.verifier
    assert both.accept(signed(extended, ml_dsa, LOG, witness)).log == LOG.verifier
    half_signed = signed(extended, ml_dsa, witness)
    with pytest.raises(SignatureError, match=r"^nothing by the log signs the extension lines$") as caught:
        both.accept(half_signed)
    assert caught.value.evidence == {"note": half_signed.data}


def test_a_log_that_is_its_own_witness() -> None:
    """One key may stand on a log and on a witness line; its signature counts as both."""
    log = key(ORIGIN, 42, MLDSA44)
    parsed = policy(f"log {log.verifier.vkey}\nwitness w {log.verifier.vkey}\nquorum w\n")
    accepted = parsed.accept(signed(CHECKPOINT, log))
    assert accepted.log == log.verifier
    assert accepted.cosignatures == (Cosignature(log.verifier, TIME),)


def test_any_one_of_the_logs() -> None:
    """A checkpoint is "signed by any one of the listed logs", and by the one its origin names."""
    other = key("other.example.com", 43)
    second = key(ORIGIN, 44)
    parsed = policy(f"log {other.verifier.vkey}\n{LOG_LINE}log {second.verifier.vkey}\nquorum none\n")
    assert parsed.accept(signed(CHECKPOINT, LOG)).log == LOG.verifier
    assert parsed.accept(signed(CHECKPOINT, second, other)).log == second.verifier
    assert parsed.accept(signed(replace(CHECKPOINT, origin=other.name), other)).log == other.verifier
    with pytest.raises(SignatureError) as caught:
        parsed.accept(signed(CHECKPOINT, other))
    assert caught.value.message == f"no signature by {LOG.verifier}, {second.verifier}; signed by {other.verifier}"


def test_unknown_log() -> None:
    """A checkpoint of an origin that no log key is named after is refused, also if a listed log signed it."""
    other = replace(CHECKPOINT, origin="other.example.com")
    with pytest.raises(PolicyError, match=r"no log of the policy has the origin 'other\.example\.com'"):
        policy_for(LOG.verifier).accept(signed(other, LOG))
    with pytest.raises(PolicyError, match="no log of the policy"):
        policy("quorum none\n").accept(signed(CHECKPOINT, LOG))


def test_expected_origin() -> None:
    """Whoever asks for one log gets no other one from a policy of several."""
    assert policy_for(LOG.verifier).accept(cosigned(), ORIGIN).log == LOG.verifier
    with pytest.raises(PolicyError, match=r"the origin is 'log\.example\.com', not 'other'"):
        policy_for(LOG.verifier).accept(cosigned(), "other")


def test_unknown_signatures_are_ignored() -> None:
    """Signatures by keys that the policy does not list do no harm, right or wrong."""
    stranger = Signature("stranger.example.com", b"1234", b"wrong")
    lines = [stranger, sign(CHECKPOINT, LOG), sign(CHECKPOINT, W1), forged(sign(CHECKPOINT, W2))]
    assert policy_for(LOG.verifier).accept(with_signatures(CHECKPOINT, lines)).log == LOG.verifier


@pytest.mark.parametrize("name", ["X1", "X2"])
def test_a_wrong_cosignature_of_a_known_witness(name: str) -> None:
    """One wrong signature of any listed key refuses the checkpoint, even if the quorum is met without it."""
    lines = [sign(CHECKPOINT, LOG), forged(sign(CHECKPOINT, WITNESSES[name])), sign(CHECKPOINT, WITNESSES["Y1"])]
    checkpoint = with_signatures(CHECKPOINT, lines)
    for quorum in ("none", "Y1"):
        with pytest.raises(SignatureError, match=f"wrong signature by {name}") as caught:
            policy(f"{LOG_LINE}{WITNESS_LINES}quorum {quorum}\n").accept(checkpoint)
        assert caught.value.evidence == {"note": checkpoint.data}


def test_a_wrong_signature_of_a_known_log() -> None:
    """A wrong signature of any listed log refuses the checkpoint, even if another log key's is right."""
    second = key(ORIGIN, 44)
    parsed = policy(f"{LOG_LINE}log {second.verifier.vkey}\nquorum none\n")
    checkpoint = with_signatures(CHECKPOINT, [sign(CHECKPOINT, second), forged(sign(CHECKPOINT, LOG))])
    with pytest.raises(SignatureError, match=f"wrong signature by {ORIGIN}"):
        parsed.accept(checkpoint)


def test_a_witness_does_not_sign_for_the_log() -> None:
    """Cosignatures alone are not enough, however many."""
    with pytest.raises(SignatureError, match="no signature by log"):
        policy(EXAMPLE).accept(signed(CHECKPOINT, *WITNESSES.values()))
