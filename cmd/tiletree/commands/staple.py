"""`tiletree staple`: a bundle that was made without a log gets its entry."""

from __future__ import annotations

from pathlib import Path

import click

from tiles.read.trouble import judged
from tiles.rekor.staple import entry_for
from tiles.sigstore.bundle import MAX_BUNDLE_SIZE, parse_bundle
from tiles.sigstore.public_key import MAX_KEY_SIZE, parse_public_key
from tiletree.files import read_limited
from tiletree.options import Writer, json_option, log_option, log_writer_options, output, url_option
from tiletree.stapling import Unlogged, log_bundles, open_log
from tiletree.ui import Output

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("bundle", metavar="BUNDLE", type=_file)
@log_option
@click.option("--public-key", "--key", "public_key", type=_file, help="that signed, where BUNDLE has no certificate")
@click.option("-o", "--bundle", "target", type=click.Path(path_type=Path), help="write it here  [default: to BUNDLE]")
@url_option
@log_writer_options
@json_option
@output
def staple(
    out: Output,
    bundle: Path,
    log: str,
    public_key: Path | None,
    target: Path | None,
    url: str | None,
    writer: Writer,
) -> None:
    """Log the signature in BUNDLE, a file that was made without a log, and put its entry into it.

    \b
    Examples:
      cosign sign-blob --key cosign.key --signing-config signing_config.json --bundle app.whl.sigstore.json app.whl
      tiletree staple app.whl.sigstore.json --log ./log --key cosign.pub

    The signing configuration that `tiletree trust-root` writes names no log, so cosign signs without one. The signature
    is checked before it is logged; a wrong one is not: exit code 1. BUNDLE may be stapled again: it gets a newer proof.
    """
    key = None
    if public_key is not None:
        with judged(data := read_limited(public_key, MAX_KEY_SIZE), str(public_key)):
            key = parse_public_key(data)
    with judged(data := read_limited(bundle, MAX_BUNDLE_SIZE), str(bundle)):
        parsed = parse_bundle(data)
        entry_for(parsed, key)  # here, so that an error names the file
    if parsed.certificates and not parsed.timestamps:
        out.remark(
            "unstamped",
            True,
            "the bundle has a certificate and no signed timestamp: clients cannot tell whether it was valid when it "
            "signed, and refuse the bundle; have it timestamped when it is signed",
        )
    log_bundles(out, log, open_log(out, log, writer), [Unlogged(str(bundle), parsed, key, target or bundle)], url)
