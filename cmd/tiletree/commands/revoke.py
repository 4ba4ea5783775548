"""`tiletree revoke`: that something which was logged should not be relied on any more is logged."""

from __future__ import annotations

from pathlib import Path

import click

from tiles.entries.kind import IDENTITY as IDENTITY_KEYS
from tiles.errors import Unfinished, UsageError
from tiles.index.key_text import key_from
from tiles.rekor.revoke import revoke as log_revocation
from tiles.signing.key_place import KeyPlace
from tiles.sigstore.revocation import DIGEST, IDENTITY, KEY
from tiles.tree.merkle import leaf_hash
from tiletree.finding import digest_of, read_key_hint
from tiletree.keys import read_signing_key
from tiletree.opening import remark_undeleted
from tiletree.options import PLACE_OF_KEY, Writer, json_option, log_option, log_writer_options, output
from tiletree.publishing import published_line, remark_made
from tiletree.remarks import remark_index, remark_unsure
from tiletree.stapling import open_log
from tiletree.ui import Output


@click.command()
@click.argument("what", metavar="[FILE|sha256:HEX]", required=False)
@log_option
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="revoke this public key")
@click.option("--identity", metavar="TEXT", help="revoke this e-mail address, URI, part of a URI, or @ and a domain")
@click.option("--reason", metavar="TEXT", required=True, help="why, in one line; everybody can read it")
@click.option(
    "--by", type=PLACE_OF_KEY, help="the key that signs it: a PEM file, awskms:///… …  [default: the log's key]"
)
@log_writer_options
@json_option
@output
def revoke(
    out: Output,
    what: str | None,
    log: str,
    key: Path | None,
    identity: str | None,
    reason: str,
    by: KeyPlace | None,
    writer: Writer,
) -> None:
    """Log that a file, a key or an identity should not be relied on any more.

    \b
    Examples:
      tiletree revoke dist/app.whl --log ./log --reason "built on a machine that was broken into"
      tiletree revoke --key s.key.pub --log ./log --reason "lost with a laptop"
      tiletree revoke dist/app.whl --log ./log --by s.key --reason "does not start"

    The log's key revokes anything, for all entries. Another key (--by) revokes what it has signed itself, or itself.
    Entries stay in the log, and are shown with the revocation. It cannot be taken back.
    """
    if sum(one is not None for one in (what, key, identity)) != 1:
        raise click.UsageError("name one: a file or its digest, --key, or --identity", click.get_current_context())
    if identity is not None:
        kind, value = IDENTITY, key_from(IDENTITY_KEYS, identity).value.decode("ascii")
    elif key is not None:
        kind, value = KEY, read_key_hint(key).hex()
    else:
        kind, value = DIGEST, digest_of(what or "")
    signer = read_signing_key(by) if by is not None else None
    if signer is not None and kind == IDENTITY:
        raise UsageError("only the log revokes an identity", hint="leave out --by, where the log's key is")
    opened = open_log(out, log, writer)
    try:
        revocation, appended = log_revocation(opened, kind, value, reason, signer)
    except Unfinished as error:
        out.partial |= {"committed": True, "published": error.published}
        raise
    remark_undeleted(out, opened.undeleted())
    remark_index(out, log, opened.update_index(), "index_behind")  # `index` is where the revocation is
    if not appended.once:
        remark_unsure(out)
    made = remark_made(out, opened)
    tree, (index,) = appended.checkpoint.tree, appended.indexes
    leaf, origin = leaf_hash(revocation.data).hex(), appended.checkpoint.origin
    out.result(
        {
            "index": index,
            "leaf_hash": leaf,
            "revoked": {"what": kind, "value": value},
            "reason": reason,
            "by": "log" if signer is None else "key",
            "origin": origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "published": True,
            **({"already": True} if appended.already else {}),
        },
        f"{index}  {leaf}  revokes {revocation.statement.line}{', already in the log' if appended.already else ''}",
        published_line(origin, tree, made, appended.count),
    )
