"""What `add` and `submit` log: the files, or lines, that a call names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tiles.entries.file_digest import encode_name, file_entry, parse_digest_entry
from tiles.entries.lines import read_lines
from tiles.entries.own_kinds import checked
from tiles.entries.payload import check_payload_size, read_payload, store_payload
from tiles.errors import UsageError
from tiles.store import Store
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.layout import CHECKPOINT
from tiletree.blinding import Blinder
from tiletree.files import open_binary, open_unchanged, watched
from tiletree.options import Decorator, as_one
from tiletree.picking import pick
from tiletree.progress import Progress
from tiletree.ui import Output

SHOWN_ENTRIES = 1000  # entries of one call that are listed one by one


@dataclass(frozen=True)
class Input:
    """What a call names to be logged.

    files         their names, "-" for standard input, folders and patterns, until `picked` has found what these mean;
                  empty where lines are logged
    raw           their bytes are logged, not their digests
    payload       they are published, too
    lines         the name of the file whose lines are logged
    stdin_lines   the lines of standard input are logged
    named         a file's digest is logged with its name, without folders
    blind         a file's digest is logged blinded
    again         files that are in the log already are logged once more
    """

    files: tuple[str, ...]
    raw: bool = False
    payload: bool = False
    lines: str | None = None
    stdin_lines: bool = False
    named: bool = False
    blind: bool = False
    again: bool = False

    @property
    def once(self) -> bool:
        """Whether what is in the log already is not logged again: so it is for files, and not for lines."""
        return bool(self.files) and not self.again

    def check(self) -> None:
        """Raise click.UsageError unless the options go together."""
        named = sum((bool(self.files), self.lines is not None, self.stdin_lines))
        context = click.get_current_context()
        log = context.params.get("log", "")
        if not named and Path(log).is_file():
            hint = f"the log comes first: {context.command_path} LOG FILE…"
            raise UsageError(f"{log} is a file, and no log", hint=hint)
        if (swapped := _swapped(log, self.files)) is not None:
            hint = f"the log comes first: {context.command_path} LOG FILE…"
            raise UsageError(f"{log} is no log, and {swapped} is one", hint=hint)
        if named != 1:
            raise click.UsageError("name files, or --lines, or --stdin-lines", context)
        if self.payload and (self.raw or not self.files):
            raise click.UsageError("--payload is for files whose digests are logged", click.get_current_context())
        if self.named and (self.raw or not self.files or "-" in self.files):
            raise click.UsageError(
                "--name is for files that have a name, and whose digests are logged", click.get_current_context()
            )
        if self.again and not self.files:
            raise click.UsageError("--again is for files; lines are logged as often as they are given")
        if self.blind and (self.raw or self.named or self.payload or not self.files):
            # what is blinded is a digest entry without a name, and a name or the content would tell what it hides
            raise click.UsageError(
                "--blind is for files whose digests are logged, without --name and --payload",
                click.get_current_context(),
            )

    def picked(self, out: Output, own: Collection[Path]) -> Input:
        """Return the same with the files that are meant, and say what was left out. own: as for `pick`

        Raises what `pick` raises; UsageError for a file whose name, or whose size, no entry can hold.
        """
        if not self.files:
            return self
        found = pick(self.files, own)
        found.say(out)
        given = replace(self, files=found.files)
        if given.named:
            for file in given.files:
                _check_name(file)
        _check_sizes(given)
        return given

    def payloads(self, progress: Progress) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entry of each file, and its bytes."""
        for name in self.files:
            with open_unchanged(name) as stream:
                entry, data = read_payload(stream, name)
            yield self._with_name(entry, name), data
            progress.advance(1)

    def entries(
        self, progress: Progress, payloads: Store | None = None, blinder: Blinder | None = None
    ) -> Iterator[list[bytes]]:
        """Yield the entry of each file: its digest entry, or its bytes.

        payloads   where to publish each file before its entry is yielded; None: it is not published
        blinder    what blinds it, where `blind` is asked for
        """
        for name in self.files:
            with open_unchanged(name) as opened:
                stream = watched(opened, progress.within)
                if payloads is not None:
                    entry = store_payload(payloads, stream, name)
                else:
                    entry = stream.read(MAX_ENTRY_SIZE + 1) if self.raw else file_entry(stream)
            if blinder is not None:
                entry = blinder.blind(entry)
            if self.raw:
                yield from checked(iter([[entry]]), name)
            else:
                yield [self._with_name(entry, name)]
            progress.advance(1)

    def _with_name(self, entry: bytes, file: str) -> bytes:
        return replace(parse_digest_entry(entry), name=Path(file).name).data if self.named else entry

    @contextmanager
    def open_lines(self) -> Iterator[Iterator[list[bytes]]]:
        """Open what the lines come from, and give them, some at a time."""
        with open_binary(self.lines or "-", as_it_comes=True) as stream:
            name = self.lines or "standard input"
            yield checked(read_lines(stream, name), name)

    def name(self, number: int) -> str:
        """Return what an entry is called in the outcome: its file, or its file and line. number: from 0."""
        return self.files[number] if self.files else f"{self.lines or '-'}:{number + 1}"


def _swapped(log: str, files: Collection[str]) -> str | None:
    """Return what is a log in a directory, and is named where a file is to be, if LOG is a directory and no log."""
    with suppress(OSError):  # what cannot be a path is named by whoever opens it
        if "://" not in log and Path(log).is_dir() and not Path(log, CHECKPOINT).exists():
            return next((file for file in files if Path(file, CHECKPOINT).is_file()), None)
    return None


def _check_sizes(given: Input) -> None:
    """Raise UsageError for a file that is too long for an entry, or to be published."""
    if not (given.raw or given.payload):
        return  # of a file of any size, the digest is logged
    for name in given.files:
        size = 0 if name == "-" else Path(name).stat().st_size
        if given.raw and size > MAX_ENTRY_SIZE:
            raise UsageError(
                f"{name} has more than the {MAX_ENTRY_SIZE} bytes that --raw can log; nothing was added",
                hint="leave out --raw: its digest is logged then, whatever its size",
            )
        if given.payload:
            check_payload_size(size, name)


def _check_name(file: str) -> None:
    """Raise UsageError for a file whose name no entry can hold, before anything is logged."""
    try:
        encode_name(Path(file).name)
    except UsageError as error:
        raise UsageError(f"{file}: {error.message}; nothing was added", hint="leave out --name") from error


_INPUT: dict[str, Decorator] = {
    "files": click.argument("files", metavar="[FILE|FOLDER]...", nargs=-1),
    "raw": click.option(
        "--raw", is_flag=True, help=f"log the files' bytes, at most {MAX_ENTRY_SIZE}, instead of their digests"
    ),
    "payload": click.option("--payload", is_flag=True, help="publish the files themselves as well"),
    "named": click.option(
        "--name", "named", is_flag=True, help="log each file's name, without folders, with its digest"
    ),
    "again": click.option("--again", is_flag=True, help="log files that are in the log already once more"),
    "blind": click.option(
        "--blind", is_flag=True, help="log each file's digest blinded: only who has your secret, or a proof, can tell"
    ),
    "lines": click.option(
        "--lines", type=click.Path(exists=True, dir_okay=False), help="log each line of a file as an entry"
    ),
    "stdin_lines": click.option("--stdin-lines", is_flag=True, help="log each line of standard input as an entry"),
}


def input_options(*names: str) -> Decorator:
    """Return a decorator that adds these parameters of an `Input`, which the command gets as `given`."""
    return as_one("given", Input, **{name: _INPUT[name] for name in names})
