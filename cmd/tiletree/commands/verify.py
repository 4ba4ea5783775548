"""`tiletree verify`: files, and what proves and signs them, are verified offline; so are search proofs and forks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tiles.errors import NotLogged, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.freshness import check_age, quorum_time, undated
from tiles.read.trouble import judged
from tiles.tree.merkle import leaf_hash
from tiletree.brought import brought
from tiletree.commands.verify_files import Call
from tiletree.commands.verify_many import named_files, verify_files
from tiletree.durations import DURATION
from tiletree.files import read_limited
from tiletree.gating import open_gate
from tiletree.named import FileWord, MaterialWord, SubjectWord
from tiletree.options import json_option, output
from tiletree.pins import to_verifier
from tiletree.reading import Pins, public_options, trust_options
from tiletree.subjects import LocalMaterial, Material, Subject
from tiletree.trusting import Who, explained, pinned, read_trusted_root, who_options
from tiletree.ui import Output


@click.command()
@click.argument("files", metavar="[FILE|FOLDER]...", nargs=-1, type=SubjectWord(allow_dash=True))
@click.option("--proof", type=MaterialWord(exists=True, dir_okay=False), help="the .tlog-proof file, or its URL")
@click.option("--bundle", type=MaterialWord(exists=True, dir_okay=False), help="the .sigstore.json file, or its URL")
@click.option(
    "--checksums",
    type=FileWord(exists=True, dir_okay=False, path_type=Path),
    help="verify each file that a list such as SHA256SUMS names, and its digest",
)
@click.option(
    "--signature",
    type=FileWord(exists=True, dir_okay=False, path_type=Path),
    help="one by SSH, minisign or OpenPGP",
)
@click.option(
    "--search-proof",
    type=FileWord(exists=True, dir_okay=False, path_type=Path),
    help="a file that `search --prove` wrote",
)
@click.option("--index-key", metavar="VKEY", help="with --search-proof, whose index is believed  [default: the log's]")
@click.option(
    "--endorsement",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="with --proof, the file that `prove --through` wrote beside it",
)
@click.option(
    "--disclosure", type=click.Path(exists=True, file_okay=False, path_type=Path), help="what `disclose` wrote"
)
@click.option("--fork", type=click.Path(exists=True, file_okay=False, path_type=Path), help="evidence of a fork")
@trust_options
@public_options
@click.option(
    "--trusted-root", "root", type=click.Path(path_type=Path), help="accept what a log in this file has signed"
)
@who_options
@click.option("--require", type=click.Path(path_type=Path), help="a file that says who has to have signed which files")
@click.option("--name", metavar="TEXT", help="what --require is to call the one FILE; needed for a digest")
@click.option(
    "--max-age", type=DURATION, metavar="AGE", help="how long ago witnesses have to have confirmed the log, such as 7d"
)
@click.option("--log", help="compare with the log as it is served now, and look for revocations")
@click.option("--explain", is_flag=True, help="show every hash from the entry to the root")
@json_option
@output
def verify(
    out: Output,
    files: tuple[Subject, ...],
    proof: Material | None,
    bundle: Material | None,
    checksums: Path | None,
    signature: Path | None,
    search_proof: Path | None,
    index_key: str | None,
    endorsement: Path | None,
    disclosure: Path | None,
    fork: Path | None,
    pins: Pins,
    public: Pins,
    root: Path | None,
    who: Who,
    require: Path | None,
    name: str | None,
    max_age: int | None,
    log: str | None,
    explain: bool,
) -> None:
    """Verify, offline, that each FILE, or file of a FOLDER, is in the log that signed its proof, and who signed it.

    \b
    Examples:
      tiletree verify app.whl --proof app.tlog-proof --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify --checksums dist/SHA256SUMS --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify https://example.com/app.whl --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify dist/*.whl --trusted-root trusted_root.json --key signer.pub
      tiletree verify sha256:3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b \\
          --bundle app.whl.sigstore.json --trusted-root trusted_root.json \\
          --certificate-identity dev@example.com --certificate-oidc-issuer https://oidc.example.com
      tiletree verify dist/*.whl --trusted-root trusted_root.json --require gate.txt
      tiletree verify app.whl --signature app.whl.sig --key id_ed25519.pub --proof app.whl.tlog-proof --policy P
      tiletree verify --search-proof app.search-proof --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify --disclosure DIR --public-vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify --fork DIR --vkey log.example.com+c4f0a2b1+AQ...

    Without --proof and --bundle, FILE.tlog-proof and FILE.sigstore.json are taken; if both are there, both must verify.
    A FOLDER stands for the files in it and below it; proofs and signatures of others are left out, and that is said.
    A FILE may be the digest of one, whose proof or bundle is named then, or an https URL. What a URL serves is hashed
    and not kept; as it may serve another thing next time, the digest is printed. A bundle is verified only if the call
    says who has to have signed: with --key, or with --certificate-identity and --certificate-oidc-issuer. Whom to trust
    comes from --vkey, --policy, --trusted-root or `tiletree key trust`, never from the proof.

    With --checksums, each file of a list is verified, too, and has to have the digest that is listed. It is verified by
    what stands beside it; if nothing does, by what stands beside the list. The list is one of sha256sum or the BSDs. A
    line that cannot be read is an error, and no name leads out of the folder of the list.

    With --require, a file says who has to have signed which files, by their names: docs/recipes/gate.md has its format.
    A file that it has no line for is refused.

    With a proof, FILE is looked for by its digest, its digest with its name, and its bytes; `matched` says which one it
    was. If the proof names an entry of exactly this file, that one is tried first, under whatever name. Of several
    files that do not verify, the exit code is the first of 7, 1, 8, 3 that occurred.

    With an SSH, minisign or OpenPGP key as --key, FILE is verified by a signature and the proof of its entry. One of
    them is enough: a proof that `upload` wrote holds the signature, and --signature without a proof is verified as it
    is, which does not show that it was logged.

    With --log, the log is read: what was revoked does not verify, and the error names the entry that says so; nor does
    what is of another history than the log shows now, exit code 7. Without, neither is known. But for that, and for
    what is named by its URL, nobody is asked anything.

    With --max-age, what a quorum of the policy's witnesses has not confirmed for longer does not verify; nor does what
    they have not dated, as where the policy asks for no witness. A log alone could serve an old state for ever.

    With --search-proof, verify which entries of the log have what was looked for, and that there are no others; exit
    code 8 if it proves that there are none. With --endorsement, verify also that another log, the public one, holds the
    checkpoint of the proof, and since when at least; with --disclosure, entries of a private log that come with such an
    endorsement. The public log is known by --public-vkey, --public-policy or `tiletree key trust`, never by what is in
    these files. It does not show that the log has no other history. With --fork, verify that the log has shown two
    histories.
    """
    out.partial = {"verified": False, **({"files": []} if files or checksums is not None else {})}
    alone = [one is not None for one in (search_proof, fork, disclosure)]
    others = bool(files) or checksums is not None or explain or who != Who()
    others = others or any(each is not None for each in (log, proof, bundle, require, signature))
    if index_key is not None and search_proof is None:
        raise click.UsageError("--index-key goes with --search-proof", click.get_current_context())
    if checksums is not None and (proof is not None or signature is not None):
        message = (
            "--proof and --signature are of one file; a listed one is verified by what stands beside it or the list"
        )
        raise click.UsageError(message, click.get_current_context())
    if require is not None and who != Who():
        raise UsageError("--require and --key or --certificate-… both say who has to have signed; name one")
    if endorsement is not None and (proof is None or who != Who() or any((bundle, signature, require))):
        raise click.UsageError("--endorsement goes with --proof alone", click.get_current_context())
    if public != Pins() and endorsement is None and disclosure is None:
        message = "--public-vkey and --public-policy go with --endorsement or --disclosure"
        raise click.UsageError(message, click.get_current_context())
    by_name = proof is not None or signature is not None
    subjects = named_files(out, files, _listed(out, checksums), by_name=by_name)
    gate = open_gate(require, name, max(len(files), len(subjects)))
    if fork is not None and sum(alone) == 1 and not others and max_age is None:
        _verify_fork(out, fork, pins, root)
    elif search_proof is not None and sum(alone) == 1 and not others:
        _verify_search(out, search_proof, index_key, pins, root, max_age)
    elif disclosure is not None and root is None and sum(alone) == 1 and not others:
        from tiletree.commands.verify_endorsed import verify_disclosure  # few calls need it

        verify_disclosure(out, disclosure, pins, public)
    elif subjects and not any(alone) and _can_be_read(subjects, [proof, signature], bundle):
        call = Call(proof, bundle, pins, root, who, explain, log, gate, signature, max_age, endorsement, public)
        verify_files(out, subjects, call)
    else:
        message = "name files, or one with --proof, or --checksums; or --search-proof, --disclosure or --fork alone"
        raise click.UsageError(message, click.get_current_context())


def _listed(out: Output, checksums: Path | None) -> Sequence[Subject]:
    if checksums is None:
        return ()
    from tiletree.listing import listed_in  # few calls need it

    return listed_in(checksums, out)


def _can_be_read(files: Sequence[Subject], alone: list[Any], bundle: Material | None) -> bool:
    """Whether each input is of one use: a proof and a signature are of one file, and standard input is read once."""
    if any(one is not None for one in alone) and len(files) > 1:
        return False
    if all(file.word != "-" for file in files):
        return True
    return len(files) == 1 and (alone[0] is None or bundle is None)


def _verify_fork(out: Output, directory: Path, pins: Pins, root: Path | None) -> None:
    from tiles.notes.fork_evidence import NEWER, check_fork, fork_signers  # not for files
    from tiles.user.seen_checkpoints import read_evidence

    evidence = read_evidence(directory)
    with judged(data := evidence.get(NEWER, b""), str(directory / NEWER)):
        origin = parse_signed_checkpoint(data).origin
    trusted = pinned(origin, pins, read_trusted_root(root), ever=True)
    older, newer = check_fork(evidence, trusted.policy)
    one, other = (key.vkey for key in fork_signers(older, newer, trusted.policy))
    is_one = one == other
    out.result(
        {
            "verified": True,
            "fork": [str(older.tree), str(newer.tree)],
            "origin": origin,
            "trust": trusted.how,
            "signed_by": [one] if is_one else [one, other],
        },
        f"verified: {origin} has signed two histories{'' if is_one else ', with two different keys'}",
        f"{older.tree}{'' if is_one else f', signed by {one}'}",
        f"{newer.tree}, which does not extend it, signed by {other}",
    )


def _verify_search(
    out: Output, path: Path, index_key: str | None, pins: Pins, root: Path | None, max_age: int | None
) -> None:
    from tiles.index.key_text import text_of  # slow to import, and not for files
    from tiles.index.search_proof import MAX_SEARCH_PROOF_SIZE, parse_search_proof
    from tiles.index.search_verdict import verify_search_proof

    not_one = "it is a proof of one entry: FILE --proof names it"
    with brought(data := read_limited(path, MAX_SEARCH_PROOF_SIZE), LocalMaterial(path), instead=not_one):
        proof = parse_search_proof(data)
    trusted = pinned(proof.checkpoint.origin, pins, roots := read_trusted_root(root))
    believed = to_verifier(index_key, "--index-key") if index_key is not None else None
    with explained(proof.checkpoint.origin, pins, roots):
        searched = verify_search_proof(proof, trusted.policy, believed)
    if max_age is not None:
        stated = quorum_time(trusted.policy, searched.accepted.cosignatures)
        check_age(stated, max_age, int(time.time()), undated(trusted.policy))
    signed, key = searched.accepted.signed, proof.key
    size = signed.tree.size
    out.partial = {
        "verified": True,
        "hits": [],
        "looked_for": {"kind": key.kind, "value": text_of(key)},
        "covered": searched.covered,
        "size": size,
        "origin": signed.origin,
        "trust": trusted.how,
    }
    what = f"{key.kind} {text_of(key)}"
    if not searched.hits:
        raise NotLogged(f"none of the {size} entries of {signed.origin} has {what}: that is proven")
    hits = [
        {"index": index, "leaf_hash": (key.value if entry is None else leaf_hash(entry)).hex()}
        for index, entry in reversed(searched.hits)
    ]
    out.result(
        {**out.partial, "hits": hits},
        f"verified: of the {size} entries of {signed.origin}, these have {what}, and no others",
        *(f"{hit['index']}  {hit['leaf_hash']}" for hit in hits),
        f"trust     {trusted.how}",
    )
