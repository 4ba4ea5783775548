"""What `submit --bundle` submits: the entry of a bundle, and what the bundle has by which that is judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tiles.inbox.attachments import Attachments
from tiles.notes.keys import VerifierKey
from tiles.read.client import LogClient
from tiles.read.key_changes import history_of_client
from tiles.read.trouble import judged
from tiles.rekor.log_entry import log_entry, proven
from tiles.rekor.staple import attachments_of, check_unlogged, entry_for
from tiles.sigstore.bundle import MAX_BUNDLE_SIZE, Bundle, parse_bundle
from tiles.sigstore.public_key import MAX_KEY_SIZE, parse_public_key
from tiletree.files import read_limited, replace_file


@dataclass(frozen=True)
class Submitting:
    """A bundle that is submitted.

    path       its file, which gets the entry once that is logged
    entry      of its signature, which was verified
    attached   by what the entry is judged
    """

    path: Path
    bundle: Bundle = field(repr=False)
    entry: bytes = field(repr=False)
    attached: Attachments

    def put_entry(self, client: LogClient, key: VerifierKey, index: int) -> None:
        """Put the entry at that index of the log into the bundle, with its proof. Raises AccessError."""
        entry = log_entry(self.entry, proven(client, index, self.entry), key)
        replace_file(self.path, replace(self.bundle, entries=(entry,)).data)


def read_bundles(paths: Iterable[Path], public_key: Path | None) -> list[Submitting]:
    """Return what files hold. public_key: a file with the key that signed, where bundles have no certificate

    Raises what `parse_bundle` and `entry_for` raise; each error names the file.
    """
    key = None
    if public_key is not None:
        with judged(data := read_limited(public_key, MAX_KEY_SIZE), str(public_key)):
            key = parse_public_key(data)
    found = []
    for path in paths:
        with judged(data := read_limited(path, MAX_BUNDLE_SIZE), str(path)):
            bundle = parse_bundle(data)
            entry = entry_for(bundle, key)
        found.append(Submitting(path, bundle, entry, attachments_of(bundle)))
    return found


def check_all_unlogged(bundles: Sequence[Submitting], client: LogClient) -> None:
    """Raise Refused if a bundle that is to get its entry has one of another log than the one that is read."""
    keys = [client.accepted.log]
    if any(entry.log_id != keys[0].log_id for one in bundles for entry in one.bundle.entries):
        keys += [use.key for use in history_of_client(client).uses]  # by a key that it had before
    for one in bundles:
        check_unlogged(one.bundle, keys)
