"""What `tiletree verify --require` demands: a gate, read together with the keys that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tiles.errors import UsageError
from tiletree.files import read_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiles.sigstore.gate import Gate, Required
    from tiles.sigstore.public_key import PublicKey
    from tiletree.subjects import Subject

OPTION = "--require"


@dataclass(frozen=True)
class OpenGate:
    """A gate. keys: those that it names by files, by these names; name: of the one file of the call, if it is given"""

    gate: Gate
    keys: Mapping[str, PublicKey]
    name: str | None

    def required(self, file: Subject) -> Required:
        """Return what is required of a file.

        Raises VerificationError if no line matches its name, UsageError if it has none.
        """
        name = file.name if self.name is None else self.name
        if name is None:
            raise UsageError(f"{file.shown} has no name, and {OPTION} decides by names", hint="say it with --name")
        return self.gate.required(name, self.keys)


def open_gate(path: Path | None, name: str | None, count: int) -> OpenGate | None:
    """Return the gate in a file the user named; None if there is none to read.

    name    that the call gives to its file, if it does
    count   of files in the call
    Raises UsageError for what is no gate, and for keys of it that cannot be read: they are looked for beside it.
    """
    if name is not None and (path is None or count > 1 or not name or "/" in name):
        raise UsageError(f"--name is what {OPTION} is to call one file, without folders")
    if path is None:
        return None
    from tiles.sigstore.gate import MAX_GATE_SIZE, parse_gate  # not for calls without one
    from tiles.sigstore.public_key import MAX_KEY_SIZE, parse_public_key

    gate = read_named(path, OPTION, MAX_GATE_SIZE, lambda data: parse_gate(data, str(path)))
    keys = {
        line.key_file: read_named(
            path.parent / line.key_file, f"{OPTION} {path}, line {line.number}:", MAX_KEY_SIZE, parse_public_key
        )
        for line in gate.lines
        if line.key_file
    }
    return OpenGate(gate, keys, name)
