"""`tiletree sign`: files are signed, the signatures logged, and each file gets a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from tiles.rekor.sign import digest_of, sign_artifact
from tiles.signing.artifact_key import ArtifactKey
from tiles.signing.key_place import KeyPlace
from tiles.sigstore.bundle import SUFFIX
from tiletree.files import open_binary
from tiletree.keys import read_signing_key
from tiletree.options import Writer, json_option, log_option, log_writer_options, output, url_option
from tiletree.picking import pick
from tiletree.stapling import Unlogged, bundle_before, keep_signature, log_bundles, open_log, signing_key_option
from tiletree.ui import Output


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@log_option
@signing_key_option
@click.option(
    "-o", "--bundle", "target", type=click.Path(path_type=Path), help=f"the bundle's file  [default: FILE{SUFFIX}]"
)
@url_option
@log_writer_options
@json_option
@output
def sign(
    out: Output, files: tuple[str, ...], log: str, key: KeyPlace, target: Path | None, url: str | None, writer: Writer
) -> None:
    """Sign files, log the signatures, and write a bundle beside each file.

    \b
    Examples:
      tiletree key generate --signing --out s.key
      tiletree sign dist/app-1.0.whl --log ./log --key s.key
      tiletree verify dist/app-1.0.whl --key s.key.pub --vkey log.example.com+c4f0a2b1+AQ...

    The bundle, FILE.sigstore.json, holds the signature and the proof that it is in the log. cosign and other clients of
    Sigstore verify it offline, with what `tiletree trust-root` writes. A bundle that is there already is replaced.
    Proof files are left out, and so is a file that signs another one of the call: `dist/*` has them after a first call.

    Who signs the same file with the same key again gets the same signature, which is not logged twice: a call that was
    interrupted may be made again. A key of a service signs differently each time; there, the signature that an earlier
    call has left in the bundle is logged.
    """
    if target is not None and len(files) > 1:
        raise click.UsageError("--bundle is for one file", click.get_current_context())
    if target is None and "-" in files:
        raise click.UsageError("standard input needs --bundle", click.get_current_context())
    picked = pick(files)
    picked.say(out)
    signer = read_signing_key(key)
    opened = open_log(out, log, writer)
    log_bundles(out, log, opened, _signed(signer, picked.files, target), url)


def _signed(key: ArtifactKey, files: tuple[str, ...], target: Path | None) -> Iterator[Unlogged]:
    for name in dict.fromkeys(files):
        with open_binary(name) as stream:
            digest = digest_of(stream, key.public.algorithm)
        place = target or Path(f"{name}{SUFFIX}")
        bundle = sign_artifact(key, digest, bundle_before(key, place))
        keep_signature(key, place, bundle)
        yield Unlogged(name, bundle, key.public, place)
