"""`tiletree search`: the entries of a log that are of a file, or have a digest or a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from tiles.entries.kind import IDENTITY, ISSUER, KEY, LEAF, NAME, SHA256, SIGNATURE, SUBJECT, Key
from tiles.entries.other_keys import keys_in
from tiles.entries.other_logs import kind_in
from tiles.entries.signer_keys import claims_in
from tiles.errors import TilesError, UsageError
from tiles.index.key_text import image_keys, key_from, spellings, text_of
from tiles.index.opened import Elsewhere
from tiles.index.revocations import find_revocations, relied_on
from tiles.index.scan import is_few, too_large
from tiles.index.search import MOST, Found, Query, index_for
from tiles.index.search import search as find_all
from tiles.index.search_prover import make_search_proof
from tiles.index.search_verdict import verify_search_proof
from tiles.notes.index_head import MAX_COVERED
from tiles.read.client import LogClient
from tiles.read.fetcher import open_place
from tiles.read.layouts import name_of
from tiles.records.layout_names import TLOG_TILES
from tiles.signatures.entry import parse_signature_entry
from tiles.sigstore.revocation import Relied
from tiles.tree.merkle import leaf_hash
from tiletree.files import digest_named, read_file, write_file
from tiletree.finding import read_key_hint, remarks, revoked_by
from tiletree.opening import tiles_of, visit
from tiletree.options import json_option, log_argument, output
from tiletree.pins import to_verifier
from tiletree.reading import Pins, reading_options
from tiletree.ui import Output
from tiletree.when import When, when_option


class _File(click.Path):
    """A file, or sha256: and the digest of one."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word. Fails for a digest that is none, and if there is no such file."""
        try:
            is_digest = digest_named(str(value)) is not None
        except UsageError as error:
            self.fail(error.message, param, ctx)
        return value if is_digest else super().convert(value, param, ctx)


@click.command()
@log_argument
@click.argument("file", required=False, type=_File(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--sha256", "--sha", metavar="HEX", help="whose SHA-256 this is: of a file, signed content, or the entry's bytes"
)
@click.option("--leaf", metavar="HEX", help="the entry with this leaf hash")
@click.option("--name", metavar="TEXT", help="files that were logged under this name")
@click.option(
    "--key", "--public-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="signed by this key"
)
@click.option(
    "--identity",
    "--email",
    metavar="TEXT",
    help="signed by this e-mail address or URI, or one below it; @ and a domain",
)
@click.option("--issuer", metavar="TEXT", help="signed by somebody for whom this OIDC issuer vouched")
@click.option("--subject", metavar="HEX", help="attestations of what has this digest, if they are logged themselves")
@click.option("--image", metavar="[NAME@]sha256:HEX", help="cosign's signature of this image, made without annotations")
@click.option("--kind", "others", metavar="KIND=VALUE", multiple=True, help="any key, such as sha512/1=HEX")
@click.option(
    "--operator", type=click.Choice(["and", "or"]), default="and", show_default=True, help="all of it, or any of it"
)
@click.option("--before", type=click.IntRange(min=0), metavar="INDEX", help="older entries than this one only")
@click.option("--most", type=click.IntRange(min=1), default=MOST, show_default=True, help="how many hits to show")
@click.option("--scan", "any_size", is_flag=True, help="look through a log of any size, entry by entry")
@click.option("--index", "place", metavar="PLACE", help="use the index that somebody else has built there")
@click.option("--index-key", metavar="VKEY", help="with --index, whose index is believed to be complete")
@click.option(
    "--prove", "target", type=click.Path(path_type=Path), help="write a search proof, for `verify --search-proof`"
)
@when_option
@reading_options("mirror", "layout")
@json_option
@output
def search(
    out: Output,
    log: str,
    file: str | None,
    sha256: str | None,
    leaf: str | None,
    name: str | None,
    key: Path | None,
    identity: str | None,
    issuer: str | None,
    subject: str | None,
    image: str | None,
    others: tuple[str, ...],
    operator: str,
    before: int | None,
    most: int,
    any_size: bool,
    place: str | None,
    index_key: str | None,
    target: Path | None,
    when: bool,
    pins: Pins,
) -> None:
    """Find the entries that are of FILE, or have a digest, a name or a signer; with several options, those with all.

    If nothing is named to be looked for, the newest entries are listed, and with --before older ones.

    \b
    Examples:
      tiletree search ./log
      tiletree search ./log dist/app.whl
      tiletree search ./log --name app.whl
      tiletree search ./log --sha256 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b
      tiletree search ./log --identity https://github.com/org/repo --issuer https://token.actions.githubusercontent.com
      tiletree search ./log --image app@sha256:3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b
      tiletree search ./log --name app.whl --prove app.search-proof

    FILE is found by its SHA-256, under whatever name it was logged; sha256:… may stand in its place. Each hit, shown
    by its index, leaf hash and kind, is verified against the checkpoint. A log of more than 16,384 entries is searched
    by its index, which proves that there are no other hits. What is not in the log: exit code 8. The newest come first.

    With --index, an index is used that somebody else has built of the log (`index build LOG DST`). It leads to hits; to
    those who name the key of whoever built it with --index-key, it proves that there are no others.

    Identity and issuer are what the certificate in an entry claims, and nothing of it is verified: `verify` does that.
    Entries that were revoked are shown with the entry that says so, if that one is signed by whoever may revoke them.
    """
    hint = read_key_hint(key).hex() if key is not None else None
    named = [(SHA256, sha256), (LEAF, leaf), (NAME, name), (KEY, hint)]
    named += [(IDENTITY, identity), (ISSUER, issuer), (SUBJECT, subject)]
    wanted = _wanted(file, named, image, others)
    if not wanted and (target is not None or place is not None):
        raise click.UsageError("name a file, or what to look for", click.get_current_context())
    if target is not None and (len(wanted) > 1 or image is not None or before is not None):
        raise click.UsageError(
            "--prove takes one thing to look for, no --image and no --before", click.get_current_context()
        )
    elsewhere = _elsewhere(place, index_key)
    client, accepted, pinned = visit(out, log, pins)
    query = Query(wanted, MAX_COVERED if before is None else before, most, any_size, elsewhere)
    times = len(wanted) if operator == "or" else 1
    with tiles_of(log, client), out.progress("looking through", client.tree.size * times) as progress:
        if target is not None:
            found = _prove(out, client, wanted[0][0], query, target)
        else:
            look = partial(find_all, client, remark=remarks(out), progress=progress.advance)
            find = look if wanted else partial(_newest, client)
            found = (_any_of if operator == "or" and wanted else _all_of)(find, query)
        layout = name_of(client.log_format)
        # entries of other formats are revoked by nobody here, whatever they look like
        relied = [relied_on(entry) if layout == TLOG_TILES else Relied(()) for _, entry in found.hits]
        revocations = find_revocations(client, relied, remarks(out))
        days = When(out, client) if when else None
        by = [{} if days is None else {"by": days.fields(index)} for index, _ in found.hits]
    size, origin = client.tree.size, accepted.signed.origin
    fields = {"covered": found.covered, "size": size, "proven": not found.unproven}
    out.partial = {"hits": [], **fields, "origin": origin, "trust": pinned.how}
    if target is not None:
        out.partial["path"] = str(target)
    if found.unproven:
        out.remark("unproven", found.unproven, f"there may be other hits: {found.unproven}")
    if not found.hits and wanted:
        older = "" if before is None else f", before {before},"
        what = file if file not in (None, "-") and len(wanted) == 1 else "what is looked for"
        raise _with_hint(found.absent(f"{what}{older}", origin, size), sha256, name)
    if revocations.unproven:
        out.remark("revocations", revocations.unproven, f"revocations were not checked: {revocations.unproven}")
    shown = [
        {**_document(index, entry, layout), **revoked_by(one, revocations), **day}
        for (index, entry), one, day in zip(found.hits, relied, by, strict=True)
    ]
    more = {"more": found.more} if found.more else {}
    lines = [f"{hit['index']}  {hit['leaf_hash']}  {hit['kind']}{_said(hit)}" for hit in shown]
    if more:
        older_ones = f"and {found.more} older ones{' or more' if wanted else ''}"
        lines.append(f"{older_ones}: --before {shown[-1]['index']} shows them")
    if not found.unproven and found.covered < size:
        lines.append(f"the last {size - found.covered} entries are not in the index yet: --scan looks at them, too")
    out.answer({**out.partial, "hits": shown, **more}, *lines)


def _prove(out: Output, client: LogClient, key: Key, query: Query, target: Path) -> Found:
    """Write the search proof of a key, verified, and return what it shows."""
    index = None
    if not query.any_size and not is_few(client.tree.size):
        index = index_for(client, [[key]], remarks(out), query.elsewhere)
        if index.doubt or not is_few(client.tree.size - index.covered):
            why = index.doubt or f"the index covers {index.covered} of {client.tree.size} entries"
            raise too_large(client.tree.size, f", as nothing can be proven otherwise: {why}")
    proof = make_search_proof(client, key, index)
    searched = verify_search_proof(proof, client.policy, query.elsewhere.key if query.elsewhere else None)
    write_file(target, proof.data)
    found = [(one, entry if entry is not None else client.entry(one)) for one, entry in searched.hits]
    hits = tuple(reversed(found))
    return Found(hits[: query.most], max(0, len(hits) - query.most), client.tree.size)


def _newest(client: LogClient, query: Query) -> Found:
    """Return the last entries, or the last before the index that the call names."""
    stop = min(query.before, client.tree.size)
    start = max(0, stop - query.most)
    return Found(tuple(reversed(list(client.entries(start, stop)))), start, client.tree.size)


def _all_of(find: Callable[[Query], Found], query: Query) -> Found:
    """Return the entries that have all of what is wanted."""
    return find(query)


def _any_of(find: Callable[[Query], Found], query: Query) -> Found:
    """Return the entries that have any of what is wanted, each looked for by itself."""
    each = [find(replace(query, wanted=[one])) for one in query.wanted]
    hits = {index: entry for found in each for index, entry in found.hits}
    shown = tuple(sorted(hits.items(), reverse=True)[: query.most])
    more = max(found.more + len(set(found.hits) - set(shown)) for found in each)
    unproven = next((found.unproven for found in each if found.unproven), "")
    damage = next((found.damage for found in each if found.damage is not None), None)
    return Found(shown, max(more, len(hits) - len(shown)), min(found.covered for found in each), unproven, damage)


def _elsewhere(place: str | None, index_key: str | None) -> Elsewhere | None:
    """Return the index of somebody else that the call names."""
    if place is None:
        if index_key is not None:
            raise click.UsageError("--index-key goes with --index", click.get_current_context())
        return None
    return Elsewhere(open_place(place), to_verifier(index_key, "--index-key") if index_key is not None else None)


def _with_hint(absent: TilesError, sha256: str | None, name: str | None) -> TilesError:
    if sha256 is not None and not absent.hint:
        absent.hint = "if it is the digest of an image, --image finds what cosign signed of it"
    if name is not None and not absent.hint:
        absent.hint = "a file has a name in the log only if `add --name` logged it; FILE and --sha256 find it without"
    return absent


def _wanted(
    file: str | None, named: list[tuple[str, str | None]], image: str | None, others: tuple[str, ...]
) -> list[tuple[Key, ...]]:
    digest = None if file is None else digest_named(file) or read_file(file).sha256
    pairs = [(SHA256, digest), *named]
    for other in others:
        kind, equals, value = other.partition("=")
        if not equals:
            raise UsageError(f"--kind {other}: it is KIND=VALUE, such as name/1=app.whl")
        pairs.append((kind, value))
    wanted = [spellings(key_from(kind, value)) for kind, value in pairs if value is not None]
    return wanted if image is None else [*wanted, image_keys(image)]


def _document(index: int, entry: bytes, layout: str) -> dict[str, Any]:
    keys = [{"kind": key.kind, "value": text_of(key)} for key in keys_in(layout, entry)]
    kind = kind_in(layout, entry)
    shown = {"index": index, "leaf_hash": leaf_hash(entry).hex(), "kind": kind, "keys": keys}
    if layout != TLOG_TILES:
        return shown
    if kind == SIGNATURE:
        return {**shown, "signer": parse_signature_entry(entry).signer}
    if (claims := claims_in(entry)) is None:
        return shown
    return {**shown, "claimed": {"identities": list(claims.identities), "issuer": claims.issuer}}


def _named(hit: dict[str, Any]) -> str:
    name = "".join(f"  {key['value']}" for key in hit["keys"] if key["kind"] == NAME)
    if "signer" in hit:
        return f"  by {hit['signer']}, as it says"
    if "claimed" not in hit:
        return name
    who, issuer = ", ".join(hit["claimed"]["identities"]) or "nobody", hit["claimed"]["issuer"]
    return f"  claimed by the certificate: {who}{'' if issuer is None else f', issuer {issuer}'}"


def _said(hit: dict[str, Any]) -> str:
    return f"{_named(hit)}{_by(hit)}{_revoked(hit)}"


def _by(hit: dict[str, Any]) -> str:
    return (
        "" if "by" not in hit else "  not known yet by which day" if hit["by"] is None else f"  by {hit['by']['day']}"
    )


def _revoked(hit: dict[str, Any]) -> str:
    return "".join(f"  REVOKED by entry {one['index']}: {one['reason']}" for one in hit.get("revoked_by", ()))
