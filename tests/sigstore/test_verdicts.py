"""Every bundle of Sigstore that the tests have gets the verdict of tests/sigstore/verdicts.py."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.sigstore.verdicts import ISSUER, KEY, VERDICTS, Expected
from tests.support.rekor_bundles import public_instance, root_of
from tests.support.signed_bundles import EXAMPLE, NOW, digests, trusted_root
from tiles import errors
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.sigstore.bundle import Bundle, EntryProof, LogEntry, MessageSignature, parse_bundle
from tiles.sigstore.identity import demand
from tiles.sigstore.logged import verify_entry
from tiles.sigstore.public_key import parse_public_key
from tiles.sigstore.trusted_root import parse_trusted_root
from tiles.sigstore.verdict import verify_bundle


def outcome(error: str, problem: str = "") -> AbstractContextManager[Any]:
    """Expect an error of that name, or none."""
    return pytest.raises(getattr(errors, error), match=problem or None) if error else nullcontext()


@pytest.mark.parametrize(("name", "expected"), VERDICTS.items(), ids=VERDICTS)
def test_verdict(name: str, expected: Expected, shared_vectors: Path) -> None:
    """The bundle with its artifact, whole, and as far as the log decides it."""
    folder = shared_vectors / "sigstore-bundles" / name
    data = (folder / "bundle.sigstore.json").read_bytes()
    root = root_of(folder) if (folder / "trusted_root.json").exists() else public_instance()
    artifact = digests((folder.parent / "a.txt").read_bytes())
    with outcome(expected.at_log_level):
        verify_entry(parse_bundle(data).entries[0], root)
    with outcome(expected.error, expected.problem):
        who = (
            parse_public_key((folder / KEY).read_bytes())
            if expected.demanded == KEY
            else demand(expected.demanded, ISSUER)
        )
        verdict = verify_bundle(parse_bundle(data), artifact, root, who, NOW)
        assert verdict.time
        with pytest.raises(errors.SignatureError):
            verify_bundle(parse_bundle(data), digests(b"another artifact"), root, who, NOW)


def test_every_bundle_is_in_the_table(shared_vectors: Path) -> None:
    """No bundle is left out, and the folders' names say what is expected."""
    folders = {path.name for path in (shared_vectors / "sigstore-bundles").iterdir() if path.is_dir()}
    assert folders == set(VERDICTS)
    assert {name for name in folders if name.endswith("_fail")} == {name for name in folders if VERDICTS[name].error}


# the log whose key has the seed 00 01 … 1f has signed this of the one entry
VKEY = "log.example.com+d57f2dee+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
CHECKPOINT = """log.example.com
1
Uym3efeSrMCTH0BDFLAnqwbi1GjOYfydlkHmJc5gw9o=

\u2014 log.example.com 1X8t7kK/QJmPsMdt3GE6VQX+2RzEkPFkrp6Jvp6gNpK+urMTFHBC9a8kt2P6O3/s+FS0ffWLxRPrGW5Vz9r2sGkJZgw=
"""


def test_the_worked_example() -> None:
    """The example of rekor-tiles' CLIENTS.md, in a log of one entry, written and read as a bundle."""
    log, signer = parse_vkey(VKEY), parse_public_key(EXAMPLE.raw)
    signed = parse_signed_checkpoint(CHECKPOINT.encode())
    proof = EntryProof(0, 1, signed.tree.root, (), signed.data)
    entry = LogEntry(0, log.log_id, "hashedrekord", "0.0.2", EXAMPLE.data, proof)
    content = MessageSignature(EXAMPLE.algorithm, EXAMPLE.digest, EXAMPLE.signature)
    bundle = parse_bundle(Bundle(content, (), "", (entry,)).data)
    artifact = {"SHA2_256": EXAMPLE.digest}
    for trust in (policy_for(log), parse_trusted_root(trusted_root(log))):
        verdict = verify_bundle(bundle, artifact, trust, signer, NOW)
        assert verdict.logged.leaf == verdict.logged.signed.tree.root
    with pytest.raises(errors.SignatureError):
        verify_bundle(bundle, digests(), policy_for(log), signer, NOW)
