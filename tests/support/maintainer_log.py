"""A log as a maintainer has it, for pictures of the page: 300 entries of several kinds over 40 days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from tests.support.endorsement_texts import note
from tests.support.readers import Objects as Fetcher
from tests.support.revocation_texts import revocation
from tests.support.signature_texts import DATA, stored
from tests.support.signed_text import LOG, ORIGIN, W1, W3, sign
from tests.support.web_bundles import authority as an_authority
from tests.support.web_bundles import by_certificate, by_key, message_of
from tests.support.web_logs import WITNESSED, Objects, log_of, with_times
from tiles.entries.blinded import blinded_entry
from tiles.entries.file_digest import DigestEntry, encode_name
from tiles.notes.checkpoint import Checkpoint, with_signatures
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.records.paths import day_path
from tiles.signatures.digests import signed as signed_digests
from tiles.signatures.entry import entry_by
from tiles.signatures.formats import parse_signature, parse_signer_key

SIZE, DAYS = 300, 40
SITE = b"name Orbit\nlink https://orbit.example.org/\ncontact mailto:releases@example.org\n"
RELEASE = b"the newest release"
NAMES = (  # names of files that are hard to show
    "orbit-handbuch-für-übermütige-anfängerinnen-und-anfänger-mit-vielen-beispielen-2.4.1-2026-11-03-final.pdf",
    "軌道-安装指南-2.4.1.pdf",
    "Орбита-руководство-2.4.1.pdf",
    "دليل-المدار-2.4.1.pdf",
    "מדריך-מסלול-2.4.1.pdf",
    "orbit-🚀-launch-👩‍🚀-2.4.1.zip",
    "orbit 2.4.1 (signed) [macOS, Apple silicon].dmg",
)
LONGEST = "a-name-without-a-space-" + "x" * 232  # 255 characters, as many as a name may have
WORD = b"https://orbit.example.org/?" + b"x" * 373  # 400 characters without a space


def file_of(data: bytes, name: str | None = None) -> bytes:
    """Return the entry of a file."""
    return DigestEntry(sha256(data).hexdigest(), len(data), name).data


def _other(at: int) -> bytes:
    """Return an entry that is of no file."""
    data = b"artifact %d" % at
    identity = "https://github.com/orbit/orbit/.github/workflows/release.yml@refs/tags/v2.4.1"
    return (
        by_key(message_of, data).body,
        by_certificate(message_of, data, an_authority().leaf(identity)).body,
        revocation(f"sha256 {sha256(data).hexdigest()}", reason=encode_name("built from the wrong commit")),
        note("private.example.com", str(at)),
        b'{"kind":"release-note","version":"2.%d","text":"Fixes the clock."}' % at,
        b"Meeting of %d November: the key moves to the new token." % (at % 28 + 1),
        blinded_entry(sha256(data).digest(), DigestEntry(sha256(data).hexdigest(), len(data), None)),
        ssh(),
    )[at // 8 % 8]


@cache
def ssh() -> bytes:
    """Return the entry of a signature by SSH, of DATA."""
    found = parse_signer_key("ssh", stored("ssh_ed25519.pub"))
    return entry_by(found, parse_signature("ssh", stored("ssh_ed25519.sig")), signed_digests(DATA)).data


@cache
def entries() -> list[bytes]:
    """Return the entries: mostly files of releases, with their names."""
    made = []
    for at in range(SIZE):
        version = f"2.{at // 40}.{at // 4 % 10}"
        name = ("orbit-%s.tar.gz", "orbit-%s-py3-none-any.whl", "orbit-%s-x86_64-linux.tar.xz", "orbit-%s.zip")[at % 4]
        made.append(_other(at) if at % 8 == 7 else file_of(b"%d" % at, name % version))
    for at, name in enumerate((*NAMES, LONGEST)):
        made[SIZE - 4 - 2 * at] = file_of(name.encode(), name)
    made[SIZE - 5] = WORD
    made[SIZE - 2] = file_of(RELEASE, "orbit-2.8.0-py3-none-any.whl")
    return made


@cache
def maintained() -> Objects:
    """Return the log, with its site.txt and a checkpoint of most days of the last 40."""
    objects = {path: data for path, data in log_of(entries()).items() if not path.startswith("checkpoints/days/")}
    client, now = LogClient(Fetcher(objects), policy_for(LOG.verifier)), datetime.now(UTC)
    for ago in range(DAYS):
        if ago % 9 != 4:  # nothing was published on these
            size = max(1, SIZE - 2 - 7 * ago - 5 * (ago % 3))
            head, then = Checkpoint(ORIGIN, client.tree_at(size)), now - timedelta(ago)
            lines = [sign(head, by, int(then.timestamp())) for by in (LOG, W1, W3)]
            objects[day_path(then.date())] = with_signatures(head, lines).data
    return {**with_times(objects, (W1, 120), (W3, 90)), "policy.txt": WITNESSED, "site.txt": SITE}
