"""`tiletree monitor`: what is new in logs is verified, read and told, for as long as somebody wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

import click

from tiles.entries.kind import KEY, Key
from tiles.errors import AccessError, Malformed, UsageError
from tiles.notes.keys import VerifierKey
from tiles.parallel import in_background
from tiles.read.layouts import LAYOUTS
from tiles.store import Fetcher
from tiles.store.address import normal_url, shown_address
from tiles.user.pinned import Pinned
from tiles.watch.monitor import Monitor, Watched
from tiles.watch.monitor_endorsed import EndorsedLog
from tiles.watch.monitor_match import EVERY, Pattern, Sought, parse_pattern, pattern_of
from tiles.watch.monitor_record import MAX_CURSORS
from tiles.watch.monitor_state import Begin
from tiletree.commands.monitor_report import Handler, Report, Teller, check_once
from tiletree.computing import InTurns, Spread, jobs_option
from tiletree.ending import until_told_to_end
from tiletree.finding import read_key_hint
from tiletree.opening import pinned_for
from tiletree.options import json_option, output
from tiletree.pins import to_verifier
from tiletree.reading import Pins, reading_options
from tiletree.ui import Output

_GRACE = 5.0  # seconds that rounds have to come to an end once the command is told to


@click.command()
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="what was seen, how far it was read, and what was found",
)
@click.option(
    "--begin",
    type=click.Choice([begin.value for begin in Begin]),
    help="logs that DIR knows nothing of: from their first entry, or with what is new from now on",
)
@click.option(
    "--match", "matches", metavar="KIND=PATTERN", multiple=True, help="entries to be told, such as 'name/1=app-*'"
)
@click.option(
    "--key",
    "keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="entries that say they are signed by this key",
)
@click.option("--all", "every", is_flag=True, help="every entry")
@click.option("--compare", metavar="URL", multiple=True, help="a mirror of a log, or where a witness shows what it saw")
@click.option(
    "--endorsed",
    metavar="VKEY",
    multiple=True,
    help="collect what LOG holds of the endorsements of the log with this key, whose checkpoints are to be consistent",
)
@click.option("--index", is_flag=True, help="compute the index of each log again as it grows")
@click.option("--exec", "handler", metavar="CMD", help="gets what is told, one JSON document on standard input a time")
@click.option("--once", is_flag=True, help="one round, as if --interval is not named")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), metavar="SECONDS", help="go on for ever, pausing in between"
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="after which a round of a log is a trouble",
)
@jobs_option
@reading_options("layout")
@json_option
@output
def monitor(
    out: Output,
    logs: tuple[str, ...],
    state: Path,
    begin: str | None,
    matches: tuple[str, ...],
    keys: tuple[Path, ...],
    every: bool,
    compare: tuple[str, ...],
    endorsed: tuple[str, ...],
    index: bool,
    handler: str | None,
    once: bool,
    interval: float | None,
    timeout: float,
    spread: Spread,
    pins: Pins,
) -> int:
    """Watch logs: verify that each only grew, read every new entry, and tell those that match.

    \b
    Examples:
      tiletree monitor ./log --state ./watched --begin first --match 'name/1=app-*'
      tiletree monitor https://log.example.com --state ./watched --key my.key.pub --exec ./mail-me

    DIR remembers the largest checkpoint of each log. What contradicts it is another history: exit code 7, and the
    evidence is saved. A log that DIR knows nothing of is refused unless --begin says how it is begun. What was found is
    kept in DIR, in the matches.jsonl of each log, each entry once and in order, also if a round dies. Standard output
    and CMD may be told the last of it again.

    KIND is a kind of keys, such as sha256/1, name/1, key/1, identity/1, issuer/1 or subject/1; in a log of certificates
    it is dns, for a domain, and in a checksum database of Go module, for a module and version. In PATTERN a star stands
    for any characters. Without --match, --key and --all, only what is wrong is told, and what came of each round.

    With --endorsed, all checkpoints of a private log that the LOGs hold as endorsements are collected, and two that
    contradict each other are evidence. That log need not be read; if it is a LOG as well, it is held to all of them.
    For a key that is new, what was read before is read once more, unless --begin new is named.

    Each log is watched by itself. What is wrong with one is told at once, and is the exit code at the end: 7 another
    history, 1 does not verify, 4 refused, 9 an old copy or withheld entries, 3 could not be reached.
    """
    if once and interval is not None:
        raise UsageError("--once and --interval cannot be named together")
    if every and (matches or keys):
        raise UsageError("--all tells every entry: leave out --match and --key")
    if pins.vkey is not None and len(logs) > 1:
        hint = "--policy can name several, and `tiletree key trust LOG VKEY` remembers the key of each"
        raise UsageError("--vkey is the key of one log", hint=hint)
    shown = [shown_address(log) for log in logs]
    check_once([normal_url(log) for log in logs], shown)
    report = Report(out, Handler(handler) if handler is not None else None)
    workers = InTurns(spread)
    watched = Watched(
        EVERY if every else _sought(matches, keys),
        compare,
        alone=len(logs) == 1,
        index=index,
        begin=Begin(begin) if begin is not None else None,
        log_format=LAYOUTS[pins.layout] if pins.layout else None,
        endorsed=_endorsed(endorsed, state),
        workers=workers.at_work,
    )
    watchers = [
        _Watcher(
            Monitor(log, _trust(log, pins), state, watched),
            Teller(report, name, is_quiet=interval is not None),
        )
        for log, name in zip(logs, shown, strict=True)
    ]
    try:
        if interval is None:
            _once(watchers, timeout)
        else:
            _for_ever(watchers, interval, timeout)
    finally:
        workers.end()
    return report.close()


def _trust(log: str, pins: Pins) -> Callable[[Fetcher, str], Pinned]:
    return lambda fetcher, checkpoint: pinned_for(log, fetcher, pins, checkpoint)


def _endorsed(vkeys: tuple[str, ...], state: Path) -> tuple[EndorsedLog, ...]:
    """Return the logs whose endorsements are collected: keys of one name are of one log."""
    logs: dict[str, list[VerifierKey]] = {}
    for vkey in vkeys:
        key = to_verifier(vkey, "--endorsed")
        logs.setdefault(key.name, []).append(key)
    if len(logs) > MAX_CURSORS:
        raise UsageError(f"--endorsed names {len(logs)} logs, and {MAX_CURSORS} is the most")
    try:
        return tuple(EndorsedLog(state, keys) for keys in logs.values())
    except Malformed as error:
        raise UsageError(f"--endorsed: {error.message}") from None


def _sought(matches: tuple[str, ...], keys: tuple[Path, ...]) -> Sought:
    patterns: list[Pattern] = [parse_pattern(each) for each in matches]
    for path in keys:
        hint = read_key_hint(path)
        patterns.append(pattern_of(Key(KEY, hint), f"{KEY}={hint.hex()}"))
    return Sought(tuple(patterns))


@dataclass
class _Watcher:
    """One log. began: when its round did, in seconds; None: it has none under way"""

    monitor: Monitor
    teller: Teller
    ended: Event = field(default_factory=Event)
    began: float | None = None

    def go(self) -> None:
        """Do one round, whatever becomes of it."""
        self.began = time.monotonic()
        try:
            self.teller.ended(self.monitor.round(self.teller, self.ended.is_set))
        except Exception as error:  # noqa: BLE001  whatever it is, the other logs are watched on
            self.teller.trouble(error)
        finally:
            self.began = None

    def go_on(self, pause: float) -> None:
        """Do rounds until that is to end."""
        while not self.ended.is_set():
            self.go()
            self.hold()
            self.ended.wait(pause)

    def hold(self) -> None:
        """Hold the log to what others have endorsed of it, whatever becomes of that."""
        self.began = time.monotonic()
        try:
            self.monitor.hold(self.teller)
        except Exception as error:  # noqa: BLE001  as above
            self.teller.trouble(error)
        finally:
            self.began = None

    def complain(self, timeout: float) -> None:
        """Say that a round takes too long."""
        self.teller.trouble(
            AccessError(f"was not read to its end in {timeout:g} seconds", hint="it is gone on with where it stopped")
        )


def _once(watchers: list[_Watcher], timeout: float) -> None:
    """Do one round of each; what all of them have collected is what a log is held to after that."""
    on_time = _all_at_once(watchers, _Watcher.go, time.monotonic() + timeout, timeout)
    _all_at_once(on_time, _Watcher.hold, time.monotonic() + timeout, timeout)


def _all_at_once(
    watchers: list[_Watcher], step: Callable[[_Watcher], None], until: float, timeout: float
) -> list[_Watcher]:
    """Take a step with each, and return those that came to its end in time; of the others it is said."""
    under_way = [in_background(partial(step, watcher)) for watcher in watchers]
    on_time = []
    for watcher, one in zip(watchers, under_way, strict=True):
        try:
            one.result(max(0.0, until - time.monotonic()))
            on_time.append(watcher)
        except StillRunning:
            watcher.ended.set()
            watcher.complain(timeout)
    return on_time


def _for_ever(watchers: list[_Watcher], interval: float, timeout: float) -> None:
    with until_told_to_end() as ended:
        rounds: list[Future[None]] = []
        for watcher in watchers:
            watcher.ended = ended
            rounds.append(in_background(partial(watcher.go_on, interval)))
        while not ended.wait(min(interval, timeout)):
            for watcher in watchers:
                if watcher.began is not None and time.monotonic() - watcher.began > timeout:
                    watcher.began = time.monotonic()  # it is said again after as long
                    in_background(partial(watcher.complain, timeout))  # a command that it runs may take its time
        until = time.monotonic() + _GRACE
        for under_way in rounds:
            with suppress(StillRunning):
                under_way.result(max(0.0, until - time.monotonic()))
