"""`tiletree key`: keys are made and shown, and those to trust are named."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import replace as replaced
from pathlib import Path

import click

from tiles.errors import Malformed, NotFound, UsageError
from tiles.notes.keys import SEED_SIZE, SignatureType, SigningKey, VerifierKey, check_origin, signing_key
from tiles.retry import Clock
from tiles.signing.anchor import AnchorMemory
from tiles.signing.artifact_key import generate_key, write_artifact_key
from tiles.signing.key_file import write_keys
from tiles.signing.key_place import parse_key_place
from tiles.signing.log_keys import as_log_keys
from tiles.signing.open_key import held_key, open_key, public_pem
from tiles.signing.service_key import ED25519
from tiles.store.address import absolute, is_object_url, name_of, normal_url, shown_address
from tiles.store.probe import probe
from tiles.user.exposed import exposure
from tiles.user.known_logs import try_to_remember
from tiles.user.pinned import REMEMBERED
from tiles.user.places import private_store, public_store, remembered
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Known, Trust
from tiles.write.adopt import Adoption
from tiles.write.last_used import last_used
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiletree.commands.key_changes import add, retire
from tiletree.keys import check_own, find_anchor, find_key, names_a_log
from tiletree.opening import open_sequencer
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.pins import memory, read_vkey, to_verifier
from tiletree.ui import Output

WARNING = (
    "Without it nobody can know what was signed last. Stop every other writer of this log, on "
    "every machine, and make sure that the log is the newest copy: otherwise the log may fork. Begin a new anchor?"
)


@click.group()
def key() -> None:
    """Make and show keys, and say which keys to trust."""


@key.command()
@click.argument("name", required=False)
@click.option("--signing", is_flag=True, help="a key that signs artifacts, and no log")
@click.option("--cosigner", is_flag=True, help="the key of a mirror of that NAME, which cosigns (type 0x04)")
@click.option("--post-quantum", is_flag=True, help="an ML-DSA-44 key as well, in the same file")
@click.option("--out", "path", type=click.Path(path_type=Path), required=True, help="the new key file, mode 0600")
@json_option
@output
def generate(out: Output, name: str | None, signing: bool, cosigner: bool, post_quantum: bool, path: Path) -> None:
    """Make a key of that NAME, which is the origin of the log it will sign for; or one for artifacts, with --signing.

    \b
    Examples:
      tiletree key generate log.example.com --out log.key
      tiletree key generate mirror.example.com --cosigner --out m.key
      tiletree key generate log.example.com --post-quantum --out log.key
      tiletree key generate --signing --out s.key

    A key for artifacts has no name. It is ECDSA P-256, in PEM (PKCS#8), not encrypted, and its public half is put
    beside it, at FILE.pub. `tiletree sign` signs with it, and other tools can: `cosign import-key-pair --key s.key`.
    """
    if (name is None) != signing or (signing and post_quantum):
        raise click.UsageError("name the log that it is for, or --signing", click.get_current_context())
    if signing and cosigner:
        raise click.UsageError("a key signs artifacts, or cosigns logs", click.get_current_context())
    if name is None:
        made = generate_key()
        public = str(write_artifact_key(path, made))
        if reason := exposure(path.resolve()):
            out.remark("exposed", [f"{path}: {reason}"], f"warning: the key, {path}, may be published: {reason}")
        out.result({"path": str(path), "public_key": public}, f"{path}, keep it secret; its public half: {public}")
        return
    first = SignatureType.COSIGNATURE if cosigner else SignatureType.ED25519
    kinds = (first, *((SignatureType.MLDSA44,) if post_quantum else ()))
    keys = [signing_key(name, secrets.token_bytes(SEED_SIZE), kind) for kind in kinds]
    write_keys(path, keys)
    vkeys = [each.verifier.vkey for each in keys]
    out.result({"name": name, "vkey": vkeys[0], "vkeys": vkeys, "path": str(path)}, *vkeys)


@key.command()
@click.argument("what", metavar="KEY|LOG")
@click.option("--origin", metavar="NAME", help="for a key of a service, which has no name: of the log that it is for")
@writer_options("key", "private")
@json_option
@output
def show(out: Output, what: str, origin: str | None, writer: Writer) -> None:
    """Show the verifier key (vkey) of a log's key, or the public half of a signing key; never the secret.

    \b
    Examples:
      tiletree key show log.key
      tiletree key show s.key
      tiletree key show ./log
      tiletree key show awskms:///alias/log --origin log.example.com

    Of a LOG that you write, the key is looked for as other commands look for it, and has to be the one that the log is
    signed by. Of a key that is kept in a service, the public half is shown in PEM; with --origin, as a vkey.
    """
    if names_a_log(what):
        if origin:
            raise UsageError("--origin is for a key of a service; a log has its own")
        found = find_key(what, writer)
        check_own(found.place, found.verifier, what, private_store(what, writer.private))
        _show(out, found.signing, key=str(found.place))
        return
    place = parse_key_place(what)
    if origin and not place.is_service:
        raise UsageError("--origin is for a key of a service; in a key file stands the name of the log")
    if origin:
        check_origin(origin)
    try:
        if not origin and (pem := public_pem(place)):
            out.answer({"public_key": pem}, *pem.splitlines())
            if place.is_service and held_key(place).kind == ED25519:
                out.note("if it is the key of a log: --origin NAME shows its vkey")
            return
        _show(out, open_key(place, origin or ""))
    except (Malformed, NotFound) as error:
        raise UsageError(error.message, hint=error.hint) from error


key.add_command(add)
key.add_command(retire)


def _show(out: Output, signing: SigningKey, **more: str) -> None:
    vkeys = [each.vkey for each in as_log_keys(signing).current]
    out.answer({"name": signing.verifier.name, "vkey": vkeys[0], "vkeys": vkeys, **more}, *vkeys)


@key.command()
@click.argument("log", metavar="LOG")
@click.argument("vkey")
@click.option(
    "--replace",
    is_flag=True,
    help="even if another key is trusted by now for this log, or for its name at another address",
)
@click.option("--origin", metavar="TEXT", help="of the log, if it is not the name of its key")
@json_option
@output
def trust(out: Output, log: str, vkey: str, replace: bool, origin: str | None) -> None:
    """Trust VKEY for LOG from now on. Get it by a way that whoever serves the log cannot change.

    The key counts for the name in it: proofs of that log are verified by it, wherever they come from. A name has one
    key; with --replace, this one takes the place of another one at every address of that name.

    \b
    Examples:
      tiletree key trust https://log.example.com log.example.com+c4f0a2b1+AQ...
      tiletree key trust https://sumdb.example.com sumdb.example.com+c4f0a2b1+AQ... --origin "go.sum database tree"
    """
    key = to_verifier(vkey, "VKEY")
    if replace:
        _follow(log, key, origin)
    known = Trust().trust(log, key.vkey, replace=replace, origin=origin)
    out.result(_document(known), _line(known))


def _follow(log: str, key: VerifierKey, origin: str | None) -> None:
    """Let what was seen of a log by the keys that are replaced be compared with what it shows by the new one.

    Not what another address has shown at its first use: that may be anybody's, who has taken the name.
    """
    visits, here = memory(Visits), normal_url(log)
    for old in Trust().all().values() if visits is not None else ():
        is_its = old.key.name == key.name and old.origin == (origin or key.name)
        if visits is not None and is_its and old.key != key and (old.how == REMEMBERED or old.url == here):
            visits.follow(old.key, key, origin)


@key.command()
@click.argument("log", metavar="LOG")
@click.option("--seen", is_flag=True, help="forget the checkpoint that was seen of the log, and not its key")
@click.option("--vkey", metavar="VKEY", help="with --seen: the key of the log, if it is not remembered")
@click.option("--origin", metavar="TEXT", help="with --vkey: the log's origin, if it is not the name of its key")
@json_option
@output
def forget(out: Output, log: str, seen: bool, vkey: str | None, origin: str | None) -> None:
    """Forget which key is trusted for LOG, or what was seen of it.

    \b
    Examples:
      tiletree key forget https://log.example.com
      tiletree key forget https://log.example.com --seen

    After --seen, the next visit is compared with nothing: another history is not noticed. Evidence of a fork stays.
    """
    if vkey and not seen:
        raise UsageError("--vkey is for --seen")
    if origin and not vkey:
        raise UsageError("--origin is that of a log whose key is named, with --vkey")
    if seen:
        own = read_vkey(vkey)
        if own is None:
            if (known := Trust().lookup(log)) is None:
                raise UsageError(f"no key is remembered for {shown_address(log)}", hint="name the log's with --vkey")
            own, origin = known.key, known.origin
        if not Visits().forget(own, origin):
            raise NotFound(f"nothing is remembered of {own.name}")
        out.result({"log": shown_address(log), "seen": None}, f"{own.name}  what was seen is forgotten")
        return
    if not Trust().forget(log):
        raise NotFound(f"no key is remembered for {shown_address(log)}")
    out.result({"log": shown_address(log), "trust": None}, f"{shown_address(log)}  forgotten")


@key.command(name="list")
@json_option
@output
def list_(out: Output) -> None:
    """List the keys that are trusted, and how each came to be.

    \b
    Example:
      tiletree key list
    """
    known = list(Trust().all().values())
    out.answer({"keys": [_document(one) for one in known]}, *map(_line, known))


@key.command()
@log_argument
@click.option("--yes", is_flag=True, help="do not ask, even if the old anchor is lost")
@writer_options("key", "private", "anchor")
@json_option
@output
def adopt(out: Output, log: str, yes: bool, writer: Writer) -> None:
    """Begin a new anchor for LOG, at --anchor or where the old one was.

    \b
    Examples:
      tiletree key adopt ./log --anchor s3://anchors/log
      tiletree key adopt ./log

    An anchor says what was signed last. The old one is sealed, where it is found: nothing is signed with it any more.
    If it is lost, all other writers have to be stopped before.
    """
    found = find_key(log, writer)
    place, verifier = found.place, found.verifier
    parts = Parts(public_store(log), private_store(log, writer.private))
    origin = verifier.name
    new = AnchorMemory(origin, find_anchor(log, writer, place))
    known = place.path is not None or remembered(log).anchor is not None
    old = AnchorMemory(origin, find_anchor(log, replaced(writer, anchor=None), place)) if known else new

    def go_on() -> None:
        if not yes:
            out.confirm(f"The log's anchor is not there, or is sealed{last_used(parts.private)}. {WARNING}")

    if is_object_url(new.store.url):
        probe(new.store, secrets.token_hex(16))
    visits = memory(Visits)
    seen = visits.last(verifier) if visits is not None else None
    clock = Clock(time.time, time.sleep, random.SystemRandom())
    done = Adoption(parts, OwnTree(parts.public, *as_log_keys(found.signing).held), old, new).adopt(clock, seen, go_on)
    if writer.anchor:
        try_to_remember(name_of(log), replaced(remembered(log), anchor=absolute(writer.anchor)))
    published = open_sequencer(log, writer).finish()
    out.result(
        {
            "origin": origin,
            "anchor": new.store.url,
            "new": done.is_new,
            "sealed": done.sealed,
            "size": published.tree.size,
        },
        f"anchor of {origin}: {new.store.url}, {'new' if done.is_new else 'as it was'}, size {published.tree.size}",
        *([f"sealed: {old.store.url}"] if done.sealed and done.is_new else []),
    )


def _document(known: Known) -> dict[str, str]:
    other = {"origin": known.other_origin} if known.other_origin else {}
    return {"log": known.url, "vkey": known.vkey, "trust": known.how, **other}


def _line(known: Known) -> str:
    other = f", of the origin {known.other_origin!r}" if known.other_origin else ""
    return f"{known.url}  {known.vkey}  {known.how}{other}"
