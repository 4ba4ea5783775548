"""Search proofs of a log with an index, made from docs/index-format.md, for the page and for Node."""

from __future__ import annotations

from base64 import b64encode

from tests.support.readers import Objects as Fetcher
from tests.support.reference import Tree
from tests.support.signed_text import LOG
from tests.support.web_indexed import head_of, twins
from tests.support.web_logs import Objects
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash


def b64(data: bytes) -> str:
    """Return bytes as a line has them."""
    return b64encode(data).decode()


def proof(kind: str, value: bytes, indexes: list[int], objects: Objects | None = None) -> bytes:
    """Return a search proof of `twins`, made from docs/index-format.md; indexes: before the tail, of the candidates."""
    objects = objects or twins()
    client, head = LogClient(Fetcher(objects), policy_for(LOG.verifier)), head_of(objects, kind)
    data = objects[f"index/{kind}/0/000/000"]
    pages = [data[at : at + 4096] for at in range(0, len(data), 4096)]
    tree = Tree({number: leaf_hash(page) for number, page in enumerate(pages)})
    lines = ["tiletree/search-proof/v1", f"kind {kind}", f"value {b64(value)}"]
    lines += [f"index {b64(objects[f'index/{kind}/head'])}", "run 0"]
    for number, page in enumerate(pages):
        lines += [f"page {b64(page)}", *(f"hash {b64(one)}" for one in tree.path(number, len(pages)))]
    lines += [f"edge {b64(head.tree.root)}"]
    lines += [f"entry {b64(entry)}" for _, entry in client.entries(head.tree.size, client.tree.size)]
    for index in indexes:
        lines += [f"candidate {index}", f"entry {b64(client.entry(index))}"]
        lines += [f"hash {b64(one)}" for one in client.prove(index).hashes]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode() + objects[CHECKPOINT]
