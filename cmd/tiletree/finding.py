"""What a call names to be found in a log, and what is said about the index that leads there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tiles.entries.content import Content
from tiles.entries.kind import SHA256
from tiles.entries.proof_extra import extra_for
from tiles.entries.signer_keys import key_value
from tiles.errors import NotLogged, UsageError
from tiles.index.find_file import find_digest, find_file
from tiles.index.key_text import key_from
from tiles.index.revocations import Revocations
from tiles.read.client import LogClient
from tiles.read.layouts import name_of
from tiles.records.layout_names import TLOG_TILES
from tiles.signatures.formats import MAX_FILE_SIZE
from tiles.sigstore.revocation import Relied, is_revoked
from tiletree.blinding import known_secrets
from tiletree.files import read_file, read_named
from tiletree.ui import Output

_DIGEST = "sha256:"


def check_named(what: str) -> None:
    """Raise UsageError unless `find_entry` can look for that: before anything is read."""
    if what.startswith(_DIGEST):
        key_from(SHA256, what.removeprefix(_DIGEST))
    elif what != "-" and not Path(what).is_file():
        raise UsageError(f"{what} is no file", hint="name a file, or sha256:HEX")


def digest_of(what: str) -> str:
    """Return the SHA-256 in hex of what a call names. Raises UsageError unless it is a file, -, or sha256:HEX."""
    check_named(what)
    return (
        key_from(SHA256, what.removeprefix(_DIGEST)).value.hex() if what.startswith(_DIGEST) else read_file(what).sha256
    )


def find_entry(
    out: Output, client: LogClient, what: str, log: str, *, any_size: bool
) -> tuple[int, bytes, Content | None]:
    """Return index and entry of what a call names: a file, - for standard input, or sha256:HEX; and what a file holds.

    what   `check_named` has said that it can be looked for
    log    as the call names it: blinding secrets of its owner are tried
    Raises NotLogged if the log does not hold it; what `tiles.index.find_file` raises.
    """
    remark = remarks(out)
    if what.startswith(_DIGEST):
        key = key_from(SHA256, what.removeprefix(_DIGEST))
        return *find_digest(client, key.value, remark, any_size=any_size), None
    content = read_file(what, partial(known_secrets, log, client.accepted.signed.origin))
    try:
        return *find_file(client, content, what, remark, any_size=any_size), content
    except NotLogged as error:
        error.hint = "it may have changed since; `tiletree search` finds signatures over it as well, if there are any"
        raise


def find_provable(out: Output, client: LogClient, file: str, log: str, *, scan: bool) -> tuple[int, bytes]:
    """Return the index of a file's entry, and what its proof is to say besides."""
    index, entry, content = find_entry(out, client, file, log, any_size=scan)
    # entries of other formats are no kinds of ours
    return index, extra_for(entry, content) if name_of(client.log_format) == TLOG_TILES else b""


def read_key_hint(path: Path) -> bytes:
    """Return by what the key in a file that the user named with --key is found. Raises UsageError if there is none."""
    return read_named(path, "--key", MAX_FILE_SIZE, key_value)


def revoked_by(relied: Relied, revocations: Revocations) -> dict[str, Any]:
    """Return what a document says of the revocations that count for something; nothing if there are none."""
    found = [(index, each.statement) for index, each in revocations.found if is_revoked(relied, each.statement)]
    shown = [
        {
            "index": index,
            "what": said.what,
            "value": said.value,
            "reason": said.reason,
            "by": "log" if said.log else "key",
        }
        for index, said in found
    ]
    return {"revoked_by": shown} if shown else {}


def remarks(out: Output) -> Callable[[str], None]:
    """Return what says what somebody should know of an index that is not believed; each is said once."""
    said: list[str] = []

    def remark(text: str) -> None:
        if text not in said:
            said.append(text)
            out.remark("index_problems", list(said), text)

    return remark
