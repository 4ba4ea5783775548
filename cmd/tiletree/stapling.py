"""What `sign`, `attest`, `upload` and `staple` have in common: bundles are logged, and written with their entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click

from tiles.errors import Malformed, Unfinished
from tiles.log import Log
from tiles.rekor.staple import staple
from tiles.signatures.entry import SignatureEntry
from tiles.signing.artifact_key import ArtifactKey
from tiles.sigstore.bundle import Bundle, parse_bundle
from tiles.sigstore.public_key import PublicKey
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiletree.files import replace_file
from tiletree.keys import find_key
from tiletree.links import link, named
from tiletree.opening import open_sequencer, remark_readable, remark_undeleted
from tiletree.options import PLACE_OF_KEY, Writer
from tiletree.publishing import published_line, remark_made
from tiletree.remarks import remark_index, remark_unsure
from tiletree.ui import Output

signing_key_option = click.option(
    "--key",
    required=True,
    type=PLACE_OF_KEY,
    help="the key that signs: a PEM file, awskms:///…, gcpkms://… or pkcs11:…",
)

BATCH = 256  # bundles that are logged at a time


@dataclass(frozen=True)
class Unlogged:
    """A bundle that is to be logged.

    name     what it is of, as the call names it
    key      that signed, where the bundle does not hold it
    target   the file that it is written to, with its entry; None: none is written
    """

    name: str
    bundle: Bundle
    key: PublicKey | None
    target: Path | None


def bundle_before(key: ArtifactKey, target: Path) -> Bundle | None:
    """Return what an earlier call has written, where the key would sign anew and that would be another entry."""
    if key.repeats:
        return None
    try:
        return parse_bundle(target.read_bytes())
    except (OSError, Malformed):
        return None


def keep_signature(key: ArtifactKey, target: Path, bundle: Bundle) -> None:
    """Write a bundle before it is logged, if its signature could not be made again: the next call takes it then."""
    before = bundle_before(key, target)
    if not key.repeats and (before is None or before.content != bundle.content):
        replace_file(target, bundle.data)


def open_log(out: Output, log: str, writer: Writer) -> Log:
    """Return the log that is written to, and remark what of it others may read."""
    opened = open_sequencer(log, writer, find_key(log, writer))
    remark_readable(out, opened.readable())
    return opened


def log_bundles(out: Output, log: str, opened: Log, bundles: Iterable[Unlogged], url: str | None) -> None:
    """Log bundles, write each with its entry as soon as that is published, and report."""
    report = _Report(out, opened, url)
    given = iter(bundles)
    is_sure = True
    while part := list(islice(given, BATCH)):
        try:
            done = staple(opened, [one.bundle for one in part], [one.key for one in part])
        except Unfinished as error:
            out.partial |= {"committed": True, "published": error.published}
            error.hint = "call it again: the same signatures are the same entries, and their bundles are written then"
            raise
        for one, stapled in zip(part, done.stapled, strict=True):
            if one.target is not None:
                replace_file(one.target, stapled.bundle.data)
            report.add(_Entry(one.name, stapled.index, stapled.leaf, stapled.already), "bundle", one.target, done.tree)
        is_sure = is_sure and done.appended.once
        opened.update_index(more=True)
    remark_undeleted(out, opened.undeleted())
    remark_index(out, log, opened.update_index())
    if not is_sure:
        remark_unsure(out)
    report.finish()


def log_other(
    out: Output, log: str, opened: Log, name: str, entry: SignatureEntry, target: Path | None, url: str | None
) -> None:
    """Log a signature by SSH, minisign or OpenPGP that was verified, write its proof, and report.

    name     of the file that it is over, as the call names it
    target   where the proof is written to; None: nowhere
    """
    from tiles.rekor.others import log_signature  # few calls need it

    try:
        done = log_signature(opened, entry)
    except Unfinished as error:
        out.partial |= {"committed": True, "published": error.published}
        error.hint = "call it again: the same signature is the same entry, and its proof is written then"
        raise
    if target is not None:
        replace_file(target, done.proof.data)
        if not done.proof.extra:
            out.remark(
                "large",
                True,
                f"{target} has no room for the entry: verify it with --signature, too",
            )
    report = _Report(out, opened, url)
    report.add(_Entry(name, done.proof.index, done.leaf, done.already), "proof", target, done.proof.checkpoint.tree)
    remark_undeleted(out, opened.undeleted())
    remark_index(out, log, opened.update_index())
    if not done.appended.once:
        remark_unsure(out)
    report.finish()


@dataclass(frozen=True)
class _Entry:
    """What is reported of an entry. name: what it is of, as the call names it"""

    name: str
    index: int
    leaf: Hash
    already: bool


class _Report:
    def __init__(self, out: Output, opened: Log, url: str | None) -> None:
        self._out = out
        self._log = opened
        self._origin = opened.verifier.name
        self._url = url
        self._entries: list[dict[str, Any]] = []
        self._tree = EMPTY_TREE

    def add(self, one: _Entry, what: str, target: Path | None, tree: TreeHead) -> None:
        """Take down where one is. what: "bundle" or "proof", which is in `target`; tree: to which its proof leads"""
        self._tree = tree
        self._entries.append(
            {
                "index": one.index,
                "name": one.name,
                **named(one.leaf, link(self._origin, one.leaf, self._url)),
                **({what: str(target)} if target is not None else {}),
                **({"already": True} if one.already else {}),
            }
        )
        where = f"  {target}" if target is not None else ""
        already = ", already in the log" if one.already else ""
        self._out.line(f"{one.index}  {one.leaf.hex()}  {one.name}{where}{already}")
        self._out.partial = self._document()

    def finish(self) -> None:
        """Print the outcome."""
        last = self._entries[-1]["url"] if len(self._entries) == 1 else ""
        made = remark_made(self._out, self._log)
        added = sum("already" not in entry for entry in self._entries)
        self._out.result(
            self._document(),
            published_line(self._origin, self._tree, made, added),
            *([f"see {last}"] if last else []),
        )

    def _document(self) -> dict[str, Any]:
        return {
            "entries": self._entries,
            "origin": self._origin,
            "size": self._tree.size,
            "root": self._tree.root.hex(),
            "published": True,
        }
