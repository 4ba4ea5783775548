"""What commands share that have to do with two logs: the private one, and the public one that endorses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiles.errors import TilesError
from tiles.notes.endorsement import Endorsed
from tiles.notes.policy import Accepted, Policy
from tiles.notes.tlog_proof import FILE_SUFFIX
from tiles.user.pinned import Pinned
from tiletree.files import ENDORSEMENT_SUFFIX
from tiletree.reading import Pins
from tiletree.remarks import cosigned
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.read.client import LogClient

NOT_ALL = "it does not show that this is the log's only history"  # said with each endorsement that verifies

# remarks on a visit, and as what they stand in the document where the public log is visited
_OF_A_VISIT = {"trust": "public_trust", "newer": "public_newer", "not_remembered": "public_not_remembered"}


def visit_public(out: Output, log: str, pins: Pins) -> tuple[LogClient, Accepted, Pinned]:
    """Visit the public log; what there is to say of that visit stands in the document as of the public log."""
    from tiletree.opening import visit  # verifying visits nothing

    before = {name: out.remarks.pop(name) for name in _OF_A_VISIT if name in out.remarks}
    try:
        return visit(out, log, pins)
    except TilesError as error:
        error.message = f"the public log: {error.message}"
        error.args = (error.message,)
        raise
    finally:
        of_public = {name: out.remarks.pop(old) for old, name in _OF_A_VISIT.items() if old in out.remarks}
        out.remarks |= {**before, **of_public}


def shown_endorsement(endorsed: Endorsed, public: Policy, how: str) -> tuple[dict[str, Any], list[str]]:
    """Return what an endorsement shows: as a field of a JSON document, and as lines.

    public   by which its proof was accepted; how: that came to be known
    """
    signed, holder = endorsed.tree.signed, endorsed.public.signed
    fields, lines = cosigned(endorsed.public, public)
    dated = f"by {lines.pop().removeprefix('time').strip().partition(',')[0]}" if "time" in fields else "undated"
    document = {
        "origin": holder.origin,
        "index": endorsed.index,
        "size": holder.tree.size,
        "trust": how,
        **fields,
        "tree": {"size": signed.tree.size, "root": signed.tree.root.hex()},
    }
    holds = f"{holder.origin} holds, as its entry {endorsed.index}, the checkpoint of size {signed.tree.size}"
    return document, [
        f"endorsed  {holds} that {signed.origin} signed, {dated}",
        *(f"          {line}" for line in lines),
        f"          {NOT_ALL}",
    ]


def endorsement_path(proof: Path) -> Path:
    """Return where the endorsement is written that goes with a proof: app.tlog-proof → app.endorsement."""
    return proof.with_name(f"{proof.name.removesuffix(FILE_SUFFIX)}{ENDORSEMENT_SUFFIX}")
