"""A log whose every text is made to harm a terminal, and what a terminal may be sent."""

from __future__ import annotations

from pathlib import Path

from tests.support.readers import make_log
from tests.support.signed_text import COSIGNATURE, key, sign
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, with_signatures
from tiles.records.paths import POLICY
from tiles.tree.layout import CHECKPOINT

CONTROLS = "\x9b31m\u202e\u200f"  # what a key's name may hold: colour, writing backwards
LINES = f"{CONTROLS}\x1b[2J\x7f\u2028\x85\r\nFORGED"  # what a file's name or an entry may hold besides
ESCAPED = "\\x9b31m\\u202e\\u200f"  # CONTROLS, made harmless

HOSTILE_LOG = key(f"log.example.com/{CONTROLS}", 41)
HOSTILE_WITNESS = key(f"witness.example.com/{CONTROLS}", 42, COSIGNATURE)


def write_hostile_log(directory: Path, size: int = 3, tag: str = "entry") -> None:
    """Write a log with hostile names of keys and a hostile entry at index 0 into a new directory.

    tag   another one makes another history
    """
    objects = make_log(size, tag=f"{tag} {LINES}")
    tree = parse_signed_checkpoint(objects[CHECKPOINT]).tree
    checkpoint = Checkpoint(HOSTILE_LOG.name, tree)
    signatures = [sign(checkpoint, by) for by in (HOSTILE_LOG, HOSTILE_WITNESS)]
    objects[CHECKPOINT] = with_signatures(checkpoint, signatures).data
    objects[POLICY] = hostile_policy().encode()
    for path, data in objects.items():
        if not path.startswith("checkpoints/"):  # which are signed by another key
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(data)


def hostile_policy() -> str:
    """Return the policy that the hostile log meets."""
    witness = f"witness w{CONTROLS} {HOSTILE_WITNESS.verifier.vkey}\nquorum w{CONTROLS}\n"
    return f"log {HOSTILE_LOG.verifier.vkey}\n{witness}"


def harm(text: str) -> list[str]:
    """Return what in a text a terminal must not be sent: characters that are not printed, lines that are not ours."""
    return [c for c in text if c != "\n" and not c.isprintable()] + [
        line for line in text.split("\n") if line.startswith("FORGED")
    ]
