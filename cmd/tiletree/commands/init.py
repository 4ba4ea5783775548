"""`tiletree init`: a log is begun."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from shlex import quote

import click

from tiles.errors import AccessError, NotFound, Refused, UsageError, explained
from tiles.notes.keys import SEED_SIZE, SeedKey, SignatureType, signing_key
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.page import install_page, published_policy
from tiles.records.settings import MAX_LOCK_DAYS
from tiles.signing.anchor import AnchorMemory
from tiles.signing.key_file import write_keys
from tiles.signing.log_keys import LogKeys, as_log_keys
from tiles.signing.open_key import open_key
from tiles.sigstore.origin import refused_by
from tiles.store import Store
from tiles.store.address import absolute, check_place, existing_directory_of, is_object_url, name_of, shown_address
from tiles.tree.layout import CHECKPOINT
from tiles.user.exposed import exposure
from tiles.user.known_logs import Remembered, try_to_remember
from tiles.user.places import is_same_bucket, private_url
from tiles.user.places import private_in_bucket as private_in_bucket_of
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Trust
from tiletree.keys import LogKey, environment_place, file_place, find_anchor
from tiletree.opening import open_sequencer, remark_readable
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.pins import memory
from tiletree.remarks import remark_origin
from tiletree.ui import Output

ONE_MACHINE = (
    "copy the key to a second place, and the anchor to none, so not into a job's secret either: one machine writes to "
    "this log. Several can once `tiletree key adopt LOG --anchor s3://BUCKET/PREFIX` has moved the anchor"
)

HIDE_IT = (
    "name it in .gitignore if that is a git checkout; or keep it elsewhere, with --private, --key or --anchor; "
    "`tiletree move LOG LOG --to-private PLACE` moves a private part"
)
SHOWN = 3  # of what a folder holds besides


@click.command()
@log_argument
@click.option("--origin", metavar="NAME", required=True, help="the log's name, such as log.example.com")
@click.option("--private-in-bucket", is_flag=True, help="keep the private part beside the public one, in its bucket")
@click.option("--readable-private", is_flag=True, help="begin even if anyone can read the private part")
@click.option("--gzip", is_flag=True, help="store entries gzip-encoded, in a bucket")
@click.option(
    "--lock-days",
    type=click.IntRange(0, MAX_LOCK_DAYS),
    default=0,
    help="keep full tiles from being deleted, by S3 Object Lock",
)
@click.option("--post-quantum", is_flag=True, help="sign by ML-DSA-44 as well as by Ed25519, with two keys in one file")
@click.option("--no-remember", is_flag=True, help="do not remember on this machine where its parts are, nor its key")
@click.option("--no-page", is_flag=True, help="leave out the verifying page; `tiletree page` can add it later")
@writer_options("admission", "key", "private", "anchor", "policy", *WITNESSES)
@json_option
@output
def init(
    out: Output,
    log: str,
    origin: str,
    private_in_bucket: bool,
    readable_private: bool,
    gzip: bool,
    lock_days: int,
    post_quantum: bool,
    no_remember: bool,
    no_page: bool,
    writer: Writer,
) -> None:
    """Begin a log: a key, and an empty signed checkpoint.

    \b
    Examples:
      tiletree init ./log --origin log.example.com
      tiletree init s3://public-bucket/log --private s3://own-bucket/log --origin log.example.com

    NAME is best a host name, without path and port; nothing has to answer there. cosign and others accept no proof of
    another one.

    The key goes to a new file, unless --key names one that exists; it is never overwritten. If the call is interrupted,
    the same call finishes its work. On a log that is complete it changes only the page, to that of this version. It
    remembers where the private part, the key and the anchor are, and trusts the key for LOG from now on: other commands
    of this user need to be told LOG only. It warns of a private part, key or anchor that is in a git checkout, or in a
    folder that is served.

    With --post-quantum, every checkpoint is signed twice, and readers may pin either key; docs/keys.md says when to.

    Do not begin a second log with a copy of a log's key: that forks the log. It is refused where the anchor of the key
    is; a copy of the key alone cannot tell it.
    """
    check_new_name(origin)
    private = private_place(log, writer.private, in_bucket=private_in_bucket)
    writer = replace(writer, private=private)
    own, new = _init_key(writer, origin, post_quantum=post_quantum)
    path = own.place.path
    for place in (log, private, str(path or ""), writer.anchor or ""):
        if place:
            check_place(place)
    begun = open_sequencer(log, writer, own, look_closer=not readable_private)
    beside = others_in(log)
    is_unknown = not new and AnchorMemory(origin, find_anchor(log, writer, own.place)).recall()[0] is None
    if is_unknown:
        check_unseen(begun.public, own)
    if new and path is not None:
        begun.check_new(gzip=gzip, lock_days=lock_days)
        write_keys(path, new)
    published = begun.create(gzip=gzip, lock_days=lock_days)
    if not no_page:
        install_page(begun.public, published_policy(begun.public))
    vkeys = [each.vkey for each in begun.keys.current]
    trust = "" if no_remember else _remember_all(out, log, vkeys[0], _places(log, private, writer))
    key, anchor = str(own.place), find_anchor(log, writer, own.place).url
    if writer.anchor is None:
        out.remark("one_machine", True, ONE_MACHINE)
    remark_origin(out, origin)
    if exposed := exposed_places(writer):
        out.remark("exposed", exposed, f"warning: {'; '.join(exposed)}")
        out.note(f"hint: {HIDE_IT}")
    if beside:
        such = f"{', '.join(beside[:SHOWN])}{' …' if len(beside) > SHOWN else ''}"
        out.warn(f"warning: {shown_address(log)} holds other things, which are served with the log: {such}")
        out.note("hint: a folder of its own is safer")
    if is_unknown:
        out.warn(
            "warning: the key was there before, and no anchor tells whether it has signed: if there is a log "
            f"{origin} with this key anywhere else, this one is a fork of it, so add nothing here"
        )
        out.note(f"hint: {explained('two-histories-were-seen', 'if the key was made for this log, all is well')}")
    remark_readable(out, begun.readable())
    out.result(
        {
            "origin": origin,
            "vkey": vkeys[0],
            "vkeys": vkeys,
            "size": published.tree.size,
            "public": begun.public.url,
            "private": begun.private.url,
            "key": key,
            "anchor": anchor,
            **({"trust": trust} if trust else {}),
        },
        f"log      {origin}, size {published.tree.size}",
        f"public   {begun.public.url}",
        f"private  {begun.private.url}",
        f"key      {key}{'' if own.place.is_service else ', keep it secret and keep a copy'}",
        f"anchor   {anchor}",
        *(f"vkey     {vkey}" for vkey in vkeys),
        *(["trust    remembered: this user knows the log by that key from now on"] if trust else []),
    )
    out.note(
        f"whoever verifies needs the vkey: publish it where nobody who can change {begun.public.url} can change it"
    )


def check_new_name(origin: str) -> None:
    """Raise UsageError for a name that was meant as an address: no log can be renamed, and no spelling of one is it."""
    if "://" not in origin and not origin.endswith("/"):
        return
    name = origin.rpartition("://")[2].rstrip("/")
    if refused_by(name):  # more than a host name: a path, or credentials, which are not repeated
        name = "log.example.com"
    raise UsageError(
        f"--origin: {origin} is an address, and a log has a name, which stands in every checkpoint for ever",
        hint=f"such as {name}; nothing has to answer there",
    )


def check_unseen(public: Store, key: LogKey) -> None:
    """Raise Refused where no log is, if this user has seen entries of one with this key: a second one would be a fork.

    It is the anchor that forbids that. This is for who has lost it, and would begin the same log once more.
    """
    with suppress(NotFound):
        public.read(CHECKPOINT, MAX_NOTE_SIZE)
        return  # what is wrong with the log that is there is found by who writes to it
    visits = memory(Visits)
    seen = visits.last(key.verifier) if visits is not None else None
    if seen is not None and seen.tree.size:
        raise Refused(
            f"the key of {seen.origin} has signed before: this user has seen {seen.tree}, and no anchor is there",
            hint=explained("head-and-anchor-are-gone", "the same log once more would be a fork of it"),
        )


def others_in(log: str) -> list[str]:
    """Return what is in the folder where a log is to begin, but for what is hidden; nothing if a log is there."""
    if is_object_url(log):
        return []
    folder = existing_directory_of(log)
    if not folder.is_dir() or (folder / CHECKPOINT).exists():
        return []
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []  # whatever is wrong with the folder is said by who writes to it


def private_place(log: str, private: str | None, *, in_bucket: bool) -> str:
    """Return where the private part of a new log is to be. Raises UsageError for a place that readers may look into."""
    if in_bucket and private:
        raise UsageError("--private and --private-in-bucket both say where the private part is; name one")
    place = private_in_bucket_of(log) if in_bucket else private_url(log, private)
    if not in_bucket and private and is_same_bucket(log, place):
        raise UsageError(
            "the private part is in the bucket of the public one",
            hint="if readers are kept from it there, say --private-in-bucket instead; another bucket is safer",
        )
    return place


def exposed_places(writer: Writer) -> list[str]:
    """Return, in words, which private things of the log are where they would be published."""
    places = {"private part": writer.private, "key": writer.key and str(writer.key.path or ""), "anchor": writer.anchor}
    found = []
    for what, place in places.items():
        if place and not is_object_url(place) and (reason := exposure(existing_directory_of(place).resolve())):
            found.append(f"the {what}, {place}, may be published: {reason}")
    return found


def _places(log: str, private: str, writer: Writer) -> Remembered | None:
    """Return what later commands could not guess of the log's places; None if they find all of it."""
    default = Remembered(log=absolute(log))
    own = absolute(private)
    if not is_object_url(log) and own == absolute(private_url(log, None)):
        own = ""
    key = writer.key.remembered if writer.key else None
    what = Remembered(default.log, own or None, key, absolute(writer.anchor) if writer.anchor else None)
    return None if what == default and not is_object_url(log) else what


def _remember_all(out: Output, log: str, vkey: str, places: Remembered | None) -> str:
    """Remember places and key of the log; return how its key is known, "" if it could not be remembered; say why."""
    problems = []
    if places is not None and not try_to_remember(name_of(log), places):
        problems.append("these places could not be remembered: name --private, --key and --anchor in later calls")
    how = ""
    try:
        how = Trust().begun(log, vkey).how
    except (AccessError, Refused, UsageError) as error:  # the log is begun all the same
        problems.append(f"the key is not remembered: {error.message}")
        out.note(f"hint: `tiletree key trust {quote(shown_address(log))} {quote(vkey)}` remembers it")
    if problems:
        out.remark("not_remembered", "; ".join(problems), "; ".join(problems))
    return how


def _init_key(writer: Writer, origin: str, *, post_quantum: bool) -> tuple[LogKey, list[SeedKey]]:
    """Return the key of the log to begin, or its keys, and all of them once more if their file is to be written.

    The environment may hold the key, as in every other command.
    """
    place = writer.key or environment_place(writer) or file_place(origin)
    try:
        signing = open_key(place, origin)
    except NotFound as error:
        if place.path is None:
            raise UsageError(error.message, hint=error.hint) from error
        kinds = (SignatureType.ED25519, *((SignatureType.MLDSA44,) if post_quantum else ()))
        new = [signing_key(origin, secrets.token_bytes(SEED_SIZE), kind) for kind in kinds]
        return LogKey(place, LogKeys(new)), new
    if (name := signing.verifier.name) != origin:
        hint = "set another one, or name --key" if place.path is None else "choose another --key"
        raise Refused(f"{place} is the key of {name}, not of {origin}", hint=hint)
    if post_quantum and SignatureType.MLDSA44 not in [each.type for each in as_log_keys(signing).held]:
        reason = "services sign by one key, and have no ML-DSA-44" if place.is_service else "it holds no ML-DSA-44 key"
        raise UsageError(
            f"--post-quantum: {place}: {reason}",
            hint=f"`tiletree key generate {origin} --post-quantum --out FILE` makes a file with both",
        )
    return LogKey(place, signing), []
