"""`tiletree witness`: cosign the checkpoints of logs, each shown to extend the one before."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

import click

from tiles.errors import Malformed, NotFound, Refused, TilesError, UsageError
from tiles.notes.witness_messages import seen_path
from tiles.read.fetcher import open_place
from tiles.signing.key_place import KeyPlace
from tiles.signing.open_key import open_cosigner
from tiles.store.address import is_object_url, shown_address
from tiles.store.probe import probe
from tiles.user.files import create_file
from tiles.user.seen_checkpoints import Visits
from tiles.watch.witness import WitnessedLog
from tiles.watch.witness_config import (
    format_config,
    format_log,
    witnessed,
)
from tiles.watch.witness_http import WitnessDesk
from tiles.watch.witness_run import WITHIN, Visited, offered, visit, visit_all
from tiletree.commands.witness_report import document_of, seriousness, worded
from tiletree.ending import until_told_to_end
from tiletree.loopback import LoopbackServer, parse_listen
from tiletree.options import PLACE_OF_KEY, json_option, output
from tiletree.pins import to_verifier
from tiletree.ui import Output, own_fault
from tiletree.witnessing import (
    KINDS,
    append_line,
    kept_address,
    key_of,
    open_witness,
    read_config,
    state_store,
    to_be_changed,
)

config_argument = click.argument("config", metavar="CONFIG", type=click.Path(path_type=Path))


@click.group()
def witness() -> None:
    """Be a witness: cosign logs that grow, where their readers can find it."""


@witness.command()
@config_argument
@click.option("--name", required=True, help="of the witness, such as witness.example.com/w1")
@click.option("--state", metavar="PLACE", required=True, help="a directory or bucket, where it publishes and remembers")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    help="of the key that is made; given twice, one of each, and it cosigns with both  [default: ed25519]",
)
@click.option(
    "--key",
    "place",
    type=PLACE_OF_KEY,
    help="an Ed25519 key in a service, instead of one that is made: awskms:///…, gcpkms://… or pkcs11:…",
)
@json_option
@output
def init(out: Output, config: Path, name: str, state: str, kinds: tuple[str, ...], place: KeyPlace | None) -> None:
    """Make a witness: its keys, beside a new file CONFIG, which says where PLACE is.

    \b
    Examples:
      tiletree witness init w.conf --name witness.example.com/w1 --state ./seen
      tiletree witness init w.conf --name w.example.com --state s3://seen/w --kind ml-dsa-44
      tiletree witness init w.conf --name w.example.com --state ./seen --key awskms:///alias/w

    It prints a line for the policy of a log. PLACE is to be served as it is, by any web server, CDN or public bucket.
    A PLACE and a key belong together: never use the key with another one, nor an older copy.
    """
    if place is not None and not place.is_service:
        raise UsageError(
            "--key names a key in a service: awskms:///…, gcpkms://… or pkcs11:…",
            hint="for a key file of your own, write its line `key` into CONFIG",
        )
    if place is not None and "ed25519" in kinds:
        raise UsageError("--key names the Ed25519 key of the witness, so --kind ed25519 makes none")
    kinds = tuple(dict.fromkeys(kinds or (() if place else ("ed25519",))))
    files = tuple(f"{config.name}.{kind}.key" for kind in kinds)
    data = format_config(state, (*([place.remembered] if place else []), *files), name if place else "")
    store = state_store(config, state)
    if is_object_url(state):
        probe(store, secrets.token_hex(16))
    keys = [open_cosigner(place, name)] if place else []
    keys += [key_of(config.with_name(file), name, KINDS[kind]) for file, kind in zip(files, kinds, strict=True)]
    verifiers = [key.verifier for key in keys]
    if not create_file(config, data) and read_config(config) != data:
        raise Refused(f"{config} exists already, and says something else")
    names = ["mine", "mine-too"]
    out.result(
        {"name": name, "vkeys": [each.vkey for each in verifiers], "state": shown_address(state)},
        *(f"witness {local} {each.vkey}" for local, each in zip(names, verifiers, strict=False)),
    )


@witness.command()
@config_argument
@click.argument("log", metavar="[LOG]", required=False)
@click.option("--vkey", required=True, metavar="VKEY", help="the log's key; its name is the log's origin")
@json_option
@output
def begin(out: Output, config: Path, log: str | None, vkey: str) -> None:
    """Begin to witness a log, once: from now on, its object in the witness's PLACE has to be there.

    \b
    Examples:
      tiletree witness begin w.conf https://log.example.com --vkey log.example.com+c4f0a2b1+AQ...
      tiletree witness begin w.conf --vkey log.example.com+c4f0a2b1+AQ...

    LOG is where it is read; without one, the log has to ask `witness serve`. Nothing of it is cosigned yet. For a log
    that has several keys, call this for each.
    """
    key = to_verifier(vkey, "--vkey")
    url = kept_address(log) if log else ""
    try:
        one = witnessed(key, url)
    except Malformed as error:
        raise UsageError(f"--vkey: {error.plain}") from error
    line = format_log(key, url)
    if url:
        with suppress(NotFound):  # it may wait for this witness, and show nothing before
            offered(one, open_place(url))
    with to_be_changed(config) as file:
        opened = open_witness(config)
        known = opened.config.log(key.name)
        if known is None:
            is_new = opened.witness.begin(one)
        else:
            opened.witness.last(known)  # refuses if it is gone: it was begun, so it is not begun anew
            is_new = False
        if known is None or key not in known.policy.keys_of(key.name):
            append_line(file, config, line)
    place = f"{opened.store.url}/{seen_path(key.name)}"
    out.result(
        {"origin": key.name, "vkey": key.vkey, "new": is_new, "object": place},
        f"{key.name}: {'begun' if is_new else 'was begun before'}, at {place}",
    )


@witness.command()
@config_argument
@click.option(
    "--timeout", type=click.FloatRange(0.1, 3600), default=WITHIN, show_default=True, help="seconds for one log"
)
@json_option
@output
def run(out: Output, config: Path, timeout: float) -> None:
    """Visit each log of CONFIG once, cosign what extends what was cosigned last, and publish that. For a cron line.

    \b
    Example:
      tiletree witness run w.conf

    Each log is visited by itself: one that fails keeps no other from being cosigned. If any fails, the exit code is
    that of the worst: another history first.
    """
    opened = open_witness(config)
    visits = Visits()

    def visit_one(log: WitnessedLog) -> Visited:
        return visit(opened.witness, log, open_place(log.url), visits)

    done: list[Visited] = []
    asked = [log for log in opened.config.logs if log.url]
    for visited in visit_all(asked, visit_one, timeout):
        done.append(visited)
        if visited.error is None:
            out.line(f"{visited.log.origin}: {visited.outcome} {visited.tree}")
    done.sort(key=lambda visited: visited.log.origin)
    document = {"logs": [document_of(each) for each in done]}
    failed = sorted(((each.log, each.error) for each in done if each.error is not None), key=seriousness)
    if not failed:
        out.result(document)
        return
    out.partial = document
    for log, error in failed[1:]:
        out.warn(f"{log.origin}: {worded(error)[0]}")
    log, worst = failed[0]
    if isinstance(worst, TilesError):
        worst.message = f"{log.origin}: {worst.message}"
    raise worst


@witness.command()
@config_argument
@click.option("--listen", metavar="ADDRESS:PORT", default="127.0.0.1:8766", show_default=True, help="port 0: any")
@json_option
@output
def serve(out: Output, config: Path, listen: str) -> None:
    """Answer logs that ask for cosignatures, as https://c2sp.org/tlog-witness says, until interrupted.

    \b
    Example:
      tiletree witness serve w.conf --listen 127.0.0.1:8766

    It takes POST /add-checkpoint and GET /<origin hash>/checkpoint. It speaks HTTP without TLS, so put it behind a web
    server. It may run beside `witness run`, and on several machines at once, with the same PLACE.
    """
    address = parse_listen(listen, anywhere=True)
    opened = open_witness(config)
    for log in opened.config.logs:
        opened.witness.last(log)  # refuses at once, and not only when the log asks

    def told(error: Exception) -> None:
        if isinstance(error, TilesError):
            out.warn(error.message + (f" ({error.hint})" if error.hint else ""))
        else:
            out.warn(own_fault(error)[0])

    desk = WitnessDesk(opened.witness, opened.config, told)
    with until_told_to_end() as told_to:
        server = LoopbackServer(address, desk, told)
        try:
            out.result({"url": server.url}, f"the witness is at {server.url} until you press Ctrl-C")
            server.serve(told_to.is_set)
        finally:
            server.server_close()
            server.finish()
    out.note("stopped")
