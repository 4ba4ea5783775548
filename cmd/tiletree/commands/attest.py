"""`tiletree attest`: a statement about a file is signed, and logged."""

from __future__ import annotations

from pathlib import Path

import click

from tiles.entries.payload import store_signed
from tiles.errors import UsageError
from tiles.log import Log
from tiles.read.trouble import judged
from tiles.rekor.sign import MAX_PREDICATE_SIZE, PREDICATE_TYPES, attest_artifacts, digest_of, predicate_type_of
from tiles.signing.key_place import KeyPlace
from tiles.sigstore.bundle import SUFFIX, Bundle
from tiles.sigstore.dsse import Envelope
from tiletree.files import open_binary, read_limited
from tiletree.keys import read_signing_key
from tiletree.options import Writer, json_option, log_option, log_writer_options, output, url_option
from tiletree.stapling import Unlogged, bundle_before, keep_signature, log_bundles, open_log, signing_key_option
from tiletree.ui import Output


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--predicate",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="a file with what is stated of FILE: a JSON object",
)
@click.option(
    "--type", "type_", metavar="TYPE", required=True, help=f"of the predicate: {', '.join(PREDICATE_TYPES)}, or a URI"
)
@log_option
@signing_key_option
@click.option(
    "-o",
    "--bundle",
    "target",
    type=click.Path(path_type=Path),
    help=f"the bundle's file  [default: FILE.TYPE{SUFFIX}; FILE.attestation{SUFFIX} where TYPE is a URI]",
)
@click.option("--payload", is_flag=True, help="publish the statement as well, for `tiletree get --payload`")
@url_option
@log_writer_options
@json_option
@output
def attest(
    out: Output,
    file: str,
    predicate: Path,
    type_: str,
    log: str,
    key: KeyPlace,
    target: Path | None,
    payload: bool,
    url: str | None,
    writer: Writer,
) -> None:
    """Sign a statement about FILE (in-toto, in a DSSE envelope), log the signature, and write a bundle.

    \b
    Examples:
      tiletree attest app.whl --predicate provenance.json --type slsaprovenance1 --log ./log --key s.key
      tiletree attest app.whl --predicate bom.json --type cyclonedx --log ./log --key s.key

    The bundle holds the statement, the signature, and the proof that it is in the log; the log holds no more than the
    digest of the statement. With --payload, the statement is published beside it, at payload/sha256/.
    `cosign verify-blob-attestation` and `tiletree verify` take the bundle.
    """
    uri = predicate_type_of(type_)
    with judged(data := read_limited(predicate, MAX_PREDICATE_SIZE), str(predicate)):
        signer = read_signing_key(key)
        with open_binary(file) as stream:
            subjects = {Path(file).name: digest_of(stream, "SHA2_256")}
        called = type_ if type_ in PREDICATE_TYPES else "attestation"
        place = target or Path(f"{file}.{called}{SUFFIX}")
        bundle = attest_artifacts(signer, subjects, uri, data, bundle_before(signer, place))
    opened = open_log(out, log, writer)
    if payload:
        _publish(opened, bundle, signer.public.algorithm)
    keep_signature(signer, place, bundle)
    one = Unlogged(file, bundle, signer.public, place)
    log_bundles(out, log, opened, [one], url)


def _publish(log: Log, bundle: Bundle, algorithm: str) -> None:
    """Publish what is signed, before its entry is logged. Raises UsageError if the entry would not lead to it."""
    if algorithm != "SHA2_256" or not isinstance(bundle.content, Envelope):
        raise UsageError(f"--payload: a statement is found by SHA-256, and the key signs {algorithm}")
    log.finish()  # refuses what cannot be written soundly, before anything is stored
    store_signed(log.public, bundle.content)
    log.public.barrier()  # what is logged is never missing, not even after a power cut
