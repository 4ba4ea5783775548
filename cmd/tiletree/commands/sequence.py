"""`tiletree sequence`: what was submitted is logged, or refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from tiles.errors import AccessError, Unfinished, UsageError
from tiles.inbox.selection import Backlog, Limits
from tiles.log import Log
from tiles.upkeep.metrics import DONE, RunMetrics, json_line
from tiles.write.ahead import MAX_BATCH
from tiles.write.results import Made, Sequenced
from tiletree.ending import until_told_to_end
from tiletree.opening import open_sequencer, remark_readable, remark_undeleted
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.publishing import finished_field, finished_lines, published_line
from tiletree.remarks import remark_index, remark_unsure
from tiletree.telemetry import report
from tiletree.ui import Output

SHOWN_REFUSALS = 20
COMMIT, PUBLISH = "commit", "publish"
_DEFAULT = Limits()


@click.command()
@log_argument
@click.option("--watch", type=click.FloatRange(min=0.1), metavar="SECONDS", help="go on for ever, pausing in between")
@click.option(
    "--max-entries",
    type=click.IntRange(1, MAX_BATCH),
    default=_DEFAULT.entries,
    show_default=True,
    help="entries of one batch",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(min=1),
    default=_DEFAULT.bytes,
    show_default=True,
    help="bytes of submissions read for one batch",
)
@click.option("--align", is_flag=True, help="hold entries back until the log's size is a multiple of 256")
@click.option(
    "--max-hold",
    type=click.FloatRange(min=0),
    default=_DEFAULT.max_hold,
    show_default=True,
    help="seconds that --align holds an entry back, at most",
)
@click.option(
    "--only",
    type=click.Choice([COMMIT, PUBLISH]),
    help="commit: one batch, and sign nothing; publish: what is committed, and take nothing from the inbox",
)
@writer_options("admission", "key", "private", "anchor", "policy", *WITNESSES)
@json_option
@output
def sequence(
    out: Output,
    log: str,
    watch: float | None,
    max_entries: int,
    max_bytes: int,
    align: bool,
    max_hold: float,
    only: str | None,
    writer: Writer,
) -> None:
    """Log what was submitted, and publish; refuse what the log's admission policy does not admit.

    \b
    Examples:
      tiletree sequence s3://bucket/log
      tiletree sequence ./log --watch 10 --align --max-hold 60

    One run decides all that waited in the inbox when it began, in batches; submitters are served in turn. What is
    refused is kept as `rejected/<name>` in the private part, with the reason, until gc deletes it. What cannot be
    listed, read or deleted stops nothing; the run says so. Files of `submit --payload` are published before their
    entries are logged. With --watch a run that fails to reach storage is reported and the next one goes on; end it with
    Ctrl-C or SIGTERM, at any moment.

    --only is for writers that work on copies, such as clones of a Git repository: they commit, put the private part
    where all writers see it, and publish then. With --only commit, a batch that is committed and not published is
    exit code 5, and submissions with files wait.

    With --log-format json the line of a run on standard error has its numbers: entries, refusals, what waits and for
    how long, and how long publishing took.

    --json prints one document at the end, with --watch one in a line for each run that did something, or failed.
    """
    if watch is not None and align and watch > max_hold:
        raise UsageError(f"--watch {watch:g} is a longer pause than --max-hold {max_hold:g} allows")
    if watch is not None and only is not None:
        raise UsageError("--watch and --only cannot be named together: a run that goes on does both")
    limits = Limits(entries=max_entries, bytes=max_bytes, align=align, max_hold=max_hold)
    opened = open_sequencer(log, writer)
    if watch is None:
        with counted(out, opened.verifier.name) as told:
            Run(out, log, told=told, only=only).go(opened, limits)
    else:
        _watch(out, log, opened, limits, watch)


def _watch(out: Output, log: str, opened: Log, limits: Limits, pause: float) -> None:
    with until_told_to_end() as ended:
        while not ended.is_set():
            out.partial = {}  # each run has a document of its own
            try:
                with counted(out, opened.verifier.name) as told:
                    Run(out, log, quiet=True, told=told).go(opened, limits, ended.is_set)
            except (AccessError, Unfinished) as error:  # storage may be back in a moment; the next run finishes
                out.error(type(error).__name__, error.message, f"the next run is in {pause:g} seconds")
            ended.wait(pause)


@contextmanager
def counted(out: Output, origin: str) -> Iterator[Callable[[Sequenced], object]]:
    """Give what has to be told each batch of a run; with --log-format json, log its numbers at the end."""
    batches: list[RunMetrics] = [RunMetrics(origin)]
    began, outcome = time.monotonic(), DONE
    out.quorum_missed = None

    def told(done: Sequenced) -> None:
        batches[0] = batches[0].plus(done)

    try:
        yield told
    except BaseException as error:  # one that was interrupted is not done either
        outcome = type(error).__name__
        raise
    finally:
        report(out, batches[0].ended(time.monotonic() - began, outcome, out.quorum_missed), json_line)


@dataclass
class Run:
    """What one run did, for the person and for --json.

    quiet   says nothing if that is nothing
    told    is told each batch, the last one without entries and refusals too
    only    COMMIT or PUBLISH; None: both
    """

    out: Output
    log: str
    quiet: bool = False
    told: Callable[[Sequenced], object] = lambda _: None
    only: str | None = None
    batches: list[dict[str, int]] = field(default_factory=list)
    made: Made = field(default_factory=Made)
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[dict[str, str]] = field(default_factory=list)
    undeleted: list[str] = field(default_factory=list)
    undeletable: int | None = None  # before this run
    retries: int = 0
    already: int = 0
    is_sure: bool = True
    index: str = ""  # why the index of the log does not cover all that it could

    def go(self, log: Log, limits: Limits, is_ended: Callable[[], bool] = lambda: False) -> None:
        """Decide what waits, a batch at a time."""
        waiting = None  # what waited when the run began: what comes later is for the next one
        while True:
            done = self._decide(log, limits)
            self.told(done)
            self._published(log.made())
            decided = len(done.took) + len(done.refused)
            waiting = decided + done.backlog.objects if waiting is None else waiting
            self._add(done)
            self.undeletable = done.backlog.undeletable if self.undeletable is None else self.undeletable
            self.undeleted += log.undeleted()
            if not done.published:
                break
            if done.count:
                self.index = log.update_index()  # the answer has been printed
            waiting -= decided
            if not decided or waiting <= 0 or not done.backlog.objects or is_ended():
                break
        if self.batches or self.refused or self.already or self.made.checkpoints or not self.quiet:
            remark_readable(self.out, log.readable())
            remark_index(self.out, self.log, self.index)
            self._finish(done)

    def _decide(self, log: Log, limits: Limits) -> Sequenced:
        if self.only != PUBLISH:
            return log.sequence(limits, publish=self.only != COMMIT)
        published = log.finish()
        return Sequenced(published.tree.size, 0, (), (), Backlog(), published)

    def _published(self, made: Made) -> None:
        """Take down what was published; say first which batches were finished for earlier runs."""
        self.made = Made(self.made.checkpoints + made.checkpoints, self.made.finished + made.finished)
        for text in finished_lines(made):
            self.out.line(text)

    def _add(self, done: Sequenced) -> None:
        self.retries += done.retries
        if done.count:
            batch = {"first_index": done.first_index, "count": done.count, "submissions": len(done.took)}
            self.batches.append(batch)
            last = done.first_index + done.count - 1
            self.out.line(f"{done.first_index} to {last}  entries {done.count}, submissions {len(done.took)}")
        if done.already:
            self.already += done.already
            self.out.line(f"{done.already} entries of submissions that were in the log already")
        self.is_sure = self.is_sure and done.once
        for name, reason in done.refused:
            self.refused[name.partition("/")[0]] += 1
            if len(self.refusals) < SHOWN_REFUSALS:
                self.refusals.append({"name": name, "reason": reason})
        self.out.partial = self._document(done)

    def _finish(self, done: Sequenced) -> None:
        tree, backlog = done.checkpoint.tree, done.backlog
        did = self.batches or self.refused or self.already or self.made.finished
        lines = [] if did else list(_idle(done, self.only))
        lines += [f"refused {count} of {submitter}" for submitter, count in sorted(self.refused.items())]
        lines += [f"  {each['name']}: {each['reason']}" for each in self.refusals]
        if backlog.objects:
            lines.append(f"{backlog.objects} submissions wait on, the oldest for {backlog.oldest or 0:.0f} seconds")
        if not done.published:
            what = "committed, and not published: the next run does that"
            lines.append(what if done.count else "decided: the next run takes it out of the inbox")
        lines.append(published_line(done.checkpoint.origin, tree, self.made, len(self.batches)))
        for name, value, text in _troubles(backlog, self.only):
            self.out.remark(name, value, text)
        if not self.is_sure:
            remark_unsure(self.out)
        remark_undeleted(self.out, self.undeleted, self.undeletable or 0)
        self.out.result(self._document(done), *lines)

    def _document(self, done: Sequenced) -> dict[str, Any]:
        tree, backlog = done.checkpoint.tree, done.backlog
        return {
            "batches": self.batches,
            "finished": finished_field(self.made),
            "checkpoints": self.made.checkpoints,
            "refused": dict(self.refused),
            "refusals": self.refusals,
            "backlog": {"objects": backlog.objects, "bytes": backlog.bytes, "oldest": backlog.oldest},
            "retries": self.retries,
            "already": self.already,
            "published": done.published,
            "origin": done.checkpoint.origin,
            "size": tree.size,
            "root": tree.root.hex(),
        }


def _idle(done: Sequenced, only: str | None) -> Iterator[str]:
    """Yield why a run has decided nothing; nothing where what waits says it."""
    if done.frozen:
        yield "nothing was added: the log is frozen"
    elif only == PUBLISH:
        yield "nothing was added: --only publish takes nothing from the inbox"
    elif not (done.backlog.objects or done.backlog.unreadable or done.backlog.unlistable):
        yield "nothing was added: nothing waits in the inbox"


def _troubles(backlog: Backlog, only: str | None) -> Iterator[tuple[str, Any, str]]:
    """Yield what somebody should look at: the name of a field, its value, and the same in words."""
    if backlog.unreadable:
        such = f"such as {backlog.unreadable[0]}"
        text = f"{len(backlog.unreadable)} submissions cannot be read, {such}"
        yield "unreadable", list(backlog.unreadable[:SHOWN_REFUSALS]), text
    if backlog.unpublished:
        such = f"such as {backlog.unpublished[0]}"
        text = f"submissions wait because --only {COMMIT} publishes no files, {such}: a run without it does"
        if only != COMMIT:
            text = (
                f"submissions wait because something else than their file is at its path, {such}: find out who wrote "
                "it, and delete it; the next run goes on"
            )
        yield "unpublished", list(backlog.unpublished[:SHOWN_REFUSALS]), text
    if backlog.unlistable:
        submitters = ", ".join(backlog.unlistable[:5])
        text = (
            f"what {submitters} submitted cannot all be listed: an object there has a name that stops the listing, or "
            "the folder may not be looked into, or everyone may write to it, or there is too much of it"
        )
        yield "unlistable", list(backlog.unlistable[:SHOWN_REFUSALS]), text
