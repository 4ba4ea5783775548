"""Which of some keys have signed a checkpoint: each by what its type signs."""

from __future__ import annotations

import pytest

from tests.support.other_logs import CT_ORIGIN, ct_key, ct_private, tree_head_signature
from tests.support.signed_text import TREE, W1, key, sign
from tiles.errors import SignatureError
from tiles.notes.checkpoint import Checkpoint, with_signatures
from tiles.notes.note import Signature
from tiles.notes.verified_signatures import verified_signatures

CHECKPOINT = Checkpoint(CT_ORIGIN, TREE)
LOG = key(CT_ORIGIN, 60)
HEAD = Signature(CT_ORIGIN, ct_key().key_id, tree_head_signature(TREE, ct_private(), 1))


def test_all_types_together() -> None:
    """Keys are found in the order of the note; a witness's comes with its cosignature."""
    signed = with_signatures(CHECKPOINT, [HEAD, sign(CHECKPOINT, W1), sign(CHECKPOINT, LOG)])
    found = verified_signatures(signed, [LOG.verifier, ct_key(), W1.verifier])
    assert [one for one, _ in found] == [ct_key(), W1.verifier, LOG.verifier]
    assert [cosignature is not None for _, cosignature in found] == [False, True, False]
    assert verified_signatures(signed, []) == []


@pytest.mark.parametrize("at", range(3))
def test_one_that_is_wrong(at: int) -> None:
    """One wrong signature of a known key is enough to refuse, whatever the others are."""
    lines = [HEAD, sign(CHECKPOINT, W1), sign(CHECKPOINT, LOG)]
    raw = lines[at].signature
    lines[at] = Signature(lines[at].name, lines[at].key_id, raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(SignatureError):
        verified_signatures(with_signatures(CHECKPOINT, lines), [LOG.verifier, ct_key(), W1.verifier])
