"""`tiletree search`: the entries of a log that are of a file, or have a digest or a name."""

from __future__ import annotations

from collections import deque
from typing import Any

import click

from tiles.entries.kinds import LEAF, NAME, SHA256, Key, keys_of, kind_of
from tiles.errors import NotLogged, UsageError
from tiles.index.key_text import key_from, spellings, text_of
from tiles.index.scan import scan
from tiles.tree.merkle import leaf_hash
from tiletree.opening import read_file, tiles_of, visit
from tiletree.options import Pins, json_option, log_argument, output, trust_options
from tiletree.ui import Output

MOST = 100  # hits that are shown


@click.command()
@log_argument
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--sha256", metavar="HEX", help="whose SHA-256 this is: of a file, signed content, or the entry's bytes")
@click.option("--leaf", metavar="HEX", help="the entry with this leaf hash")
@click.option("--name", metavar="TEXT", help="files that were logged under this name")
@click.option("--kind", "others", metavar="KIND=VALUE", multiple=True, help="any key, such as sha512/1=HEX")
@click.option("--before", type=click.IntRange(min=0), metavar="INDEX", help="older entries than this one only")
@click.option("--most", type=click.IntRange(min=1), default=MOST, show_default=True, help="how many hits to show")
@click.option("--scan", "any_size", is_flag=True, help="look through a log of any size, entry by entry")
@trust_options
@json_option
@output
def search(
    out: Output,
    log: str,
    file: str | None,
    sha256: str | None,
    leaf: str | None,
    name: str | None,
    others: tuple[str, ...],
    before: int | None,
    most: int,
    any_size: bool,
    pins: Pins,
) -> None:
    """Find the entries that are of FILE, or have a digest or a name; with several options, those that have all.

    \b
    Examples:
      tiletree search ./log dist/app.whl
      tiletree search ./log --name app.whl
      tiletree search ./log --sha256 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b

    FILE is found by its SHA-256, under whatever name it was logged. All entries are looked at, and each is verified
    against the checkpoint, so what is not found is not in the log: exit code 8. The newest come first.
    """
    wanted = [spellings(key) for key in _wanted(file, sha256, leaf, name, others)]
    if not wanted:
        raise click.UsageError("name a file, or what to look for", click.get_current_context())
    client, accepted, pinned = visit(out, log, pins)
    size, origin = client.tree.size, accepted.signed.origin
    hits: deque[tuple[int, bytes]] = deque(maxlen=most)
    found = 0
    with tiles_of(log, client), out.progress("looking through", size) as progress:
        for index, entry in scan(client, wanted, any_size=any_size, progress=progress.advance):
            if before is None or index < before:
                hits.append((index, entry))
                found += 1
    out.partial = {"hits": [], "covered": size, "size": size, "proven": True, "origin": origin, "trust": pinned.how}
    if not hits:
        older = "" if before is None else f" before {before}"
        raise NotLogged(f"none of the {size} entries of {origin}{older} has what is looked for; all were looked at")
    shown = [_document(index, entry) for index, entry in reversed(hits)]
    more = {"more": found - len(shown)} if found > len(shown) else {}
    lines = [f"{hit['index']}  {hit['leaf_hash']}  {hit['kind']}{_named(hit)}" for hit in shown]
    if more:
        lines.append(f"and {found - len(shown)} older ones: --before {shown[-1]['index']} shows them")
    out.answer({**out.partial, "hits": shown, **more}, *lines)


def _wanted(
    file: str | None, sha256: str | None, leaf: str | None, name: str | None, others: tuple[str, ...]
) -> list[Key]:
    digest = read_file(file).sha256 if file is not None else None
    pairs = [(SHA256, digest), (SHA256, sha256), (LEAF, leaf), (NAME, name)]
    for other in others:
        kind, equals, value = other.partition("=")
        if not equals:
            raise UsageError(f"--kind {other}: it is KIND=VALUE, such as name/1=app.whl")
        pairs.append((kind, value))
    return [key_from(kind, value) for kind, value in pairs if value is not None]


def _document(index: int, entry: bytes) -> dict[str, Any]:
    keys = [{"kind": key.kind, "value": text_of(key)} for key in keys_of(entry)]
    return {"index": index, "leaf_hash": leaf_hash(entry).hex(), "kind": kind_of(entry).name, "keys": keys}


def _named(hit: dict[str, Any]) -> str:
    return "".join(f"  {key['value']}" for key in hit["keys"] if key["kind"] == NAME)
