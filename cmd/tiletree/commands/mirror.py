"""`tiletree mirror`: a verified copy of a log, kept up to date."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from tiles.errors import Malformed, NotFound, Refused, UsageError
from tiles.notes.log_identity import check_named_by
from tiles.read.client import LogClient
from tiles.read.fetcher import open_place
from tiles.read.layouts import name_of
from tiles.records.layout_names import TLOG_TILES
from tiles.records.paths import HEAD
from tiles.store import Store, StoreFetcher
from tiles.store.address import is_object_url, normal_url, with_suffix
from tiles.store.probe import probe
from tiles.user.places import private_store, public_store
from tiles.user.seen_checkpoints import Visits
from tiles.watch.mirror import Mirror, Mirrored, mirror_folder
from tiles.watch.mirror_signing import MirrorSigner
from tiles.write.prepare import as_public
from tiletree.opening import visit
from tiletree.options import PLACE_OF_KEY, json_option, output
from tiletree.pins import memory
from tiletree.reading import Pins, reading_options
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.signing.key_place import KeyPlace


@click.command()
@click.argument("src", metavar="SRC")
@click.argument("dst", metavar="DST")
@click.option("--all", "everything", is_flag=True, help="also what SRC keeps beside its tree; SRC has to be listable")
@click.option(
    "--cosign",
    "key",
    metavar="KEY",
    type=PLACE_OF_KEY,
    help="cosign what is stored with this key, and store it at DST/<SHA-256 of the origin>",
)
@click.option("--begin", is_flag=True, help="with --cosign, once: this mirror has cosigned nothing of SRC yet")
@reading_options("layout", "mirror")
@json_option
@output
def mirror(out: Output, src: str, dst: str, everything: bool, key: KeyPlace | None, begin: bool, pins: Pins) -> None:
    """Copy the log SRC to DST, a directory or a bucket: verified, exact, and only what DST lacks.

    \b
    Examples:
      tiletree mirror https://log.example.com ./mirror --vkey 'log.example.com+…'
      tiletree mirror ./log s3://mirror/log --all
      tiletree mirror https://log.example.com ./mirrors --cosign m.key --begin

    Each object is verified up to the signed root before it is written, and none is overwritten; the checkpoint comes
    last, and never gets smaller. An interrupted run is finished by the next one. Run it by a schedule to follow a log.

    A log of another layout is copied in that layout, a log of certificates with its issuers.

    --all copies kept checkpoints, payloads, records of withheld entries and the index as well. --cosign makes a mirror
    of tlog-mirror that asks the log by itself: its cosignature says that all of the tree is stored, and lasts.
    `tiletree key generate NAME --cosigner` makes its key.
    """
    signer = _signer(key) if key is not None else None
    if begin and signer is None:
        raise UsageError("--begin is for --cosign")
    if normal_url(src) == normal_url(dst):
        raise UsageError("SRC and DST are the same place")
    listing = _listing(src) if everything else None
    client, accepted, pinned = visit(out, src, pins)
    if signer is not None and pinned.is_first_use:
        raise UsageError(
            "a mirror that cosigns has to be told the log's key: with --vkey or --policy",
            hint="or `tiletree key trust SRC VKEY`, with a vkey from a source that you trust",
        )
    origin, layout = accepted.signed.origin, name_of(client.log_format)
    if listing is not None and layout != TLOG_TILES:
        raise UsageError(f"--all is for logs kept as {TLOG_TILES}, and {origin} is kept as {layout}")
    if signer is not None and layout == TLOG_TILES:
        check_named_by(accepted.log, origin)
    place = _below(dst, mirror_folder(origin)) if signer else dst
    store = public_store(place)
    target = as_public(store) if is_object_url(place) else store
    made = Mirror(client, target, memory(Visits), signer, begin=begin)
    _try_out(place, store, client.log_format.checkpoint)
    with out.progress("mirroring", client.tree.size) as progress:
        done = made.run(progress.advance)
    more = _copy_extras(client, listing, target) if listing is not None else {}
    _say(out, client, done)
    document: dict[str, Any] = {
        "origin": origin,
        "layout": layout,
        "place": target.url,
        "before": done.before.size if done.before else None,
        "size": done.tree.size,
        "root": done.tree.root.hex(),
        "trust": pinned.how,
        "objects": done.objects,
        "issuers": done.issuers,
        "published": done.published,
        "withheld": list(done.withheld),
        **more,
    }
    if signer is not None:
        document |= {"cosigned": done.cosigned, "cosigner": signer.verifier.vkey}
    before = done.before.size if done.before else 0
    out.result(
        document,
        f"mirrored {origin} to {target.url}: {done.tree.size - before} entries more, {done.objects} objects",
        f"{'published' if done.published else 'as before:'} size {done.tree.size}, root {done.tree.root.hex()}",
        *([f"cosigned by {signer.verifier}"] if signer is not None and done.cosigned is not None else []),
        *(
            [f"copied {more['copied']} objects beside the tree, {more['unverified']} of them unverified"]
            if more
            else []
        ),
    )


def _say(out: Output, client: LogClient, done: Mirrored) -> None:
    if done.tree.size > client.tree.size:
        out.remark(
            "behind",
            client.tree.size,
            f"the log shows an old copy: size {client.tree.size}, and the mirror has size {done.tree.size}",
        )
    if done.withheld:
        out.warn(f"the log withholds entries of {len(done.withheld)} bundles; the mirror has their hashes only")


def _copy_extras(client: LogClient, listing: Store, target: Store) -> dict[str, Any]:
    from tiles.watch.mirror_extras import copy_extras

    done = copy_extras(client, listing, target)
    return {
        "copied": done.copied,
        "unverified": done.unverified,
        "left": [{"path": path, "problem": problem} for path, problem in done.left],
    }


def _signer(place: KeyPlace) -> MirrorSigner:
    from tiles.signing.open_key import open_key

    try:
        return MirrorSigner(open_key(place), time.time)
    except (Malformed, NotFound) as error:
        raise UsageError(
            f"--cosign: {error.message}", hint="`tiletree key generate NAME --cosigner` makes one"
        ) from None


def _listing(src: str) -> Store:
    """Return the log in a store that lists it. Raises UsageError for an address that does not."""
    if not isinstance(open_place(src), StoreFetcher):
        raise UsageError(
            "--all needs a directory or a bucket: what a log keeps beside its tree is found by listing it",
            hint="without --all, the tree is mirrored from any address",
        )
    return public_store(src)


def _below(dst: str, folder: str) -> str:
    return with_suffix(dst, f"/{folder}") if is_object_url(dst) else f"{dst.rstrip('/')}/{folder}"


def _try_out(place: str, store: Store, checkpoint: str) -> None:
    """Try a bucket out, if no mirror is there yet. Raises Refused for a log that is written to."""
    if is_object_url(place):
        try:
            store.read(checkpoint)
        except NotFound:
            probe(store, secrets.token_hex(16))
        return
    with suppress(NotFound):
        private_store(place).read(HEAD)
        raise Refused(f"{store.url} is a log that is written to, no mirror", hint="choose another place")
