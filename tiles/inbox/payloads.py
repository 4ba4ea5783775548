"""The payloads of a submission: files that are to be published with their entries, and which of them may be. Pure.

A payload is believed once it has the size and the SHA-256 that its entry says. It is published at the path by which
readers of the entry look for it, where nothing else can ever be: the path holds that SHA-256.
"""

from __future__ import annotations

from hashlib import sha256

from tiles.entries.file_digest import parse_digest_entry
from tiles.errors import Malformed
from tiles.inbox.rules import NotAdmitted
from tiles.inbox.submission import Submission
from tiles.records.paths import payload_path


def payloads_of(submission: Submission, most: int) -> dict[str, bytes]:
    """Return the payloads of a submission, by the paths at which they are published. Raises NotAdmitted.

    most   bytes that one may have; 0 if there may be none
    """
    found: dict[str, bytes] = {}
    for position, attached in submission.attached.items():
        if attached.payload is None:
            continue
        entry = f"entry {position} has a payload"
        if not most:
            raise NotAdmitted(f"{entry}, and the policy has no max-payload-bytes that admits one")
        if (size := len(attached.payload)) > most:
            raise NotAdmitted(f"{entry} of {size} bytes, {most} is the most")
        try:
            file = parse_digest_entry(submission.entries[position])
        except Malformed:
            raise NotAdmitted(f"{entry}, and is not the digest of a file") from None
        if size != file.size:
            raise NotAdmitted(f"{entry} of {size} bytes, and says {file.size}")
        if sha256(attached.payload).hexdigest() != file.sha256:
            raise NotAdmitted(f"{entry} with another SHA-256 than it says")
        found[payload_path(file.sha256)] = attached.payload
    return found
