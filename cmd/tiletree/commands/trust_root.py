"""`tiletree trust-root`: what clients of Sigstore need to verify what is in a log, and to sign for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiles.errors import AccessError, UsageError
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.read.trouble import judged
from tiles.sigstore.given_files import MAX_FILE_SIZE, parse_authority, parse_ct_log
from tiles.sigstore.log_key import log_key_pem, trusted_log
from tiles.sigstore.origin import base_url
from tiles.sigstore.signing_config import SigningConfig, trust_config
from tiles.sigstore.trusted_root import MAX_ROOT_SIZE, Period, TrustedRoot, format_time, parse_trusted_root
from tiles.store.address import parse_http_url, shown_address
from tiletree.files import read_limited, read_named, write_file
from tiletree.key_use import keys_used, listed_days, use_fields
from tiletree.opening import visit
from tiletree.options import json_option, log_argument, output
from tiletree.reading import Pins, reading_options
from tiletree.remarks import remark_origin
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.notes.key_history import Use
    from tiles.read.key_times import Times

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

    If the log has changed its key, the keys before are in it as well, each with its time. What they signed in it stays
    good, where a timestamp shows when that was; what they sign after it is not accepted.
    """
    for url in (*log_urls, *stamp_urls):
        parse_http_url(url)
    client, accepted, pinned = visit(out, log, pins)
    origin = accepted.log.name
    since = (start or _first_day(log)).replace(tzinfo=UTC)
    own = trusted_log(accepted.log, Period(since))  # which says why, if it can be in no trusted root
    used, left_out = _to_trust(keys_used(out, log, client))
    if left_out:
        out.remark(
            "left_out",
            [use.key.vkey for use, _ in left_out],
            f"{', '.join(f'{use.key} ({_why_not(use)})' for use, _ in left_out)}: not in the trusted root",
        )
    now = datetime.now(UTC)
    periods = {use.key: _period(use, times, since, now) for use, times in used}
    root = TrustedRoot(
        tuple(trusted_log(key, period) for key, period in periods.items()),
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
        "log.pub": log_key_pem(own),
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
            "start": format_time(periods[accepted.log].start or since),
            "keys": [_fields(use, times, periods[use.key]) for use, times in used],
            "files": written,
            "trust": pinned.how,
        },
        f"log    {origin}, since {format_time(since)}",
        f"vkey   {accepted.log.vkey}",
        f"trust  {pinned.how}",
        *_lines(used, periods),
        *(f"wrote  {path}" for path in written),
    )


def _to_trust(used: Sequence[tuple[Use, Times]]) -> tuple[list[tuple[Use, Times]], list[tuple[Use, Times]]]:
    """Return the keys that go into a trusted root, and those that do not.

    Those that are pinned go in, and those before them of which a pinned key itself has signed that they were its.
    """
    pinned = [use for use, _ in used if use.vouched and use.key.type in SIGNS_TEXT]
    return [each for each in used if each[0] in pinned], [each for each in used if each[0] not in pinned]


def _why_not(use: Use) -> str:
    if use.key.type not in SIGNS_TEXT:
        return "ML-DSA-44, which no client of Sigstore verifies"
    if use.until is None:
        return "the log says that it is its key, and it is not pinned"
    return "no pinned key has signed that it was the log's: name an older trusted root with --also, or a policy"


def _period(use: Use, times: Times, since: datetime, now: datetime) -> Period:
    """Return when a key is to be trusted: until it was retired at the latest, as far as anything shows when that was.

    Where nothing does, it was retired by now, when its retirement was read.
    """
    end = None if use.until is None else min(times.end or now, now)
    start = max(times.start or since, since)
    return Period(start if end is None or start <= end else min(since, end), end)


def _fields(use: Use, times: Times, period: Period) -> dict[str, Any]:
    start, end = (format_time(time) if time else None for time in (period.start, period.end))
    return {**use_fields(use, times), "start": start, "end": end, "end_by": _end_by(use, times)}


def _end_by(use: Use, times: Times) -> str:
    if use.until is None or times.end is not None:
        return times.end_by
    return f"{times.end_by}; it is the time at which this was written: by then it was retired"


def _lines(used: Sequence[tuple[Use, Times]], periods: Mapping[VerifierKey, Period]) -> list[str]:
    """Return how long each key is trusted, of a log that has had several."""
    if len(used) == 1 and used[0][0].until is None:
        return []
    return [
        line
        for use, times in used
        for line in (
            f"key    {use.key.vkey}",
            f"       trusted {periods[use.key]}, for it has signed from size {use.since} to {use.until or 'now'}",
            *([f"       until then: {_end_by(use, times)}"] if use.until is not None else []),
        )
    ]


def _first_day(log: str) -> datetime:
    """Return the first day of which a log keeps a checkpoint. Raises UsageError where it keeps none, or tells none."""
    hint = "say with --start since when the key of the log is trusted, such as --start 2026-01-31"
    days = listed_days(log)
    if days is None:
        raise UsageError(f"{shown_address(log)} cannot be asked which days it keeps checkpoints of", hint=hint)
    if not days:
        raise UsageError(f"{shown_address(log)} keeps no checkpoint of any day", hint=hint)
    return datetime.combine(min(days), time())


def _read(path: Path, parse: Callable[[bytes], Parsed]) -> Parsed:
    with judged(data := read_limited(path, MAX_FILE_SIZE), str(path)):
        return parse(data)
