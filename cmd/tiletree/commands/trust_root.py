"""`tiletree trust-root`: what clients of Sigstore need to verify what is in a log, and to sign for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TypeVar

import click

from tiles.errors import AccessError, UsageError
from tiles.read.trouble import judged
from tiles.records.paths import DAYS, kept_day
from tiles.sigstore.given_files import MAX_FILE_SIZE, parse_authority, parse_ct_log
from tiles.sigstore.log_key import log_key_pem, trusted_log
from tiles.sigstore.origin import base_url
from tiles.sigstore.signing_config import SigningConfig, trust_config
from tiles.sigstore.trusted_root import MAX_ROOT_SIZE, Period, TrustedRoot, format_time, parse_trusted_root
from tiles.store.address import Kind, kind_of, parse_http_url, shown_address
from tiles.user.places import public_store
from tiletree.files import read_limited, read_named, write_file
from tiletree.opening import visit
from tiletree.options import json_option, log_argument, output
from tiletree.reading import Pins, reading_options
from tiletree.remarks import remark_origin
from tiletree.ui import Output

Parsed = TypeVar("Parsed")

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="trust-root")
@log_argument
@click.option("--out", "target", required=True, type=click.Path(path_type=Path), help="the folder that gets the files")
@click.option("--ca", "authorities", multiple=True, type=_file, help="a certificate authority: its chain in PEM")
@click.option("--ct-key", "ct_keys", multiple=True, type=_file, help="the key, in PEM, of a log of its certificates")
@click.option("--tsa", "stampers", multiple=True, type=_file, help="a timestamp authority: its chain in PEM")
@click.option("--rekor-url", "log_urls", multiple=True, metavar="URL", help="where clients have signatures logged")
@click.option("--tsa-url", "stamp_urls", multiple=True, metavar="URL", help="where clients have them timestamped")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    help="since when the log's key is trusted  [default: the first day of which the log keeps a checkpoint]",
)
@click.option(
    "--also",
    "others",
    multiple=True,
    type=_file,
    help="a trusted root that goes in as well, such as of last year's log",
)
@reading_options("mirror")
@json_option
@output
def trust_root(
    out: Output,
    log: str,
    target: Path,
    authorities: Sequence[Path],
    ct_keys: Sequence[Path],
    stampers: Sequence[Path],
    log_urls: Sequence[str],
    stamp_urls: Sequence[str],
    start: datetime | None,
    others: Sequence[Path],
    pins: Pins,
) -> None:
    """Write what cosign and other clients of Sigstore need, to verify what is in LOG and to sign for it.

    \b
    Examples:
      tiletree trust-root ./log --out trust
      cosign verify-blob --key s.key.pub --bundle app.whl.sigstore.json --trusted-root trust/trusted_root.json app.whl

    trusted_root.json says that the log is trusted; with --ca, --ct-key and --tsa, also who may issue certificates and
    timestamps. signing_config.json is for cosign: without --rekor-url it names no log, so cosign signs without one, and
    `tiletree staple` logs that. trust_config.json is both, for `sigstore --trust-config`. log.vkey and log.pub are the
    log's key. Hand them out in a way that nobody who serves the log can change. A chain goes from the lowest
    certificate to the root. Where a log is followed by another one, --also puts both into one trusted root.
    """
    for url in (*log_urls, *stamp_urls):
        parse_http_url(url)
    _, accepted, pinned = visit(out, log, pins)
    origin = accepted.log.name
    since = (start or _first_day(log)).replace(tzinfo=UTC)
    key = trusted_log(accepted.log, Period(since))
    root = TrustedRoot(
        (key,),
        tuple(_read(path, parse_authority) for path in authorities),
        tuple(_read(path, lambda data: parse_ct_log(data, base_url(origin), since)) for path in ct_keys),
        tuple(_read(path, parse_authority) for path in stampers),
    )
    for path in others:
        root = root.with_other(read_named(path, "--also", MAX_ROOT_SIZE, parse_trusted_root))
    signing = SigningConfig(origin, since, tuple(log_urls), tuple(stamp_urls))
    files = {
        "trusted_root.json": root.data,
        "signing_config.json": signing.data,
        "trust_config.json": trust_config(root, signing),
        "log.vkey": f"{accepted.log.vkey}\n".encode(),
        "log.pub": log_key_pem(key),
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AccessError(f"{target} cannot be made: {error.strerror}") from error
    for name, data in files.items():
        write_file(target / name, data)
    remark_origin(out, origin)
    written = [str(target / name) for name in files]
    out.result(
        {
            "origin": origin,
            "vkey": accepted.log.vkey,
            "start": format_time(since),
            "files": written,
            "trust": pinned.how,
        },
        f"log    {origin}, since {format_time(since)}",
        f"vkey   {accepted.log.vkey}",
        f"trust  {pinned.how}",
        *(f"wrote  {path}" for path in written),
    )


def _first_day(log: str) -> datetime:
    """Return the first day of which a log keeps a checkpoint. Raises UsageError where it keeps none, or tells none."""
    hint = "say with --start since when the key of the log is trusted, such as --start 2026-01-31"
    if kind_of(log) not in (Kind.DIRECTORY, Kind.BUCKET):
        raise UsageError(f"{shown_address(log)} cannot be asked which days it keeps checkpoints of", hint=hint)
    days: list[date] = [day for each in public_store(log).list(DAYS) if (day := kept_day(each.path)) is not None]
    if not days:
        raise UsageError(f"{shown_address(log)} keeps no checkpoint of any day", hint=hint)
    return datetime.combine(min(days), time())


def _read(path: Path, parse: Callable[[bytes], Parsed]) -> Parsed:
    with judged(data := read_limited(path, MAX_FILE_SIZE), str(path)):
        return parse(data)
