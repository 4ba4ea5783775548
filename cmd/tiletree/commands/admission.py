"""`tiletree admission`: which submissions a log admits is shown, or changed."""

from __future__ import annotations

from pathlib import Path

import click

from tiles.inbox.admission import MAX_ADMISSION_SIZE, Admission, parse_admission
from tiles.user.places import private_store, public_store
from tiles.write.load import read_admission, read_head
from tiletree.files import read_named
from tiletree.keys import at_a_log
from tiletree.opening import open_sequencer
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.pins import ADMISSIONS
from tiletree.ui import Output

_SHOWN = 160  # characters of a line: a trusted root has thousands


@click.command()
@log_argument
@click.option("--set", "path", type=click.Path(path_type=Path), metavar="FILE", help="admit by this one from now on")
@click.option("--yes", is_flag=True, help="do not ask")
@writer_options("key", "private", "anchor", *WITNESSES)
@json_option
@output
def admission(out: Output, log: str, path: Path | None, yes: bool, writer: Writer) -> None:
    """Show the policy by which LOG admits submissions, as the file that it is; or change it, with --set.

    \b
    Examples:
      tiletree admission ./log > policy
      tiletree admission ./log --set policy

    docs/admission.md has the format. What waits in the inbox is judged by the policy that the log has when that is
    decided; what was logged or refused stays so. The checkpoint does not change. Showing the policy needs no key.
    """
    new = None if path is None else read_named(path, "--set", MAX_ADMISSION_SIZE, parse_admission, ADMISSIONS)
    private = private_store(log, writer.private)
    with at_a_log(public_store(log)):
        head, _, _ = read_head(private)
    before = read_admission(private, head)
    document = {"origin": head.origin, "admission": before.sha256, "policy": before.data.decode("ascii")}
    if new is None:
        out.answer(document, *before.data.decode("ascii").splitlines())
        return
    changes = [*_lines_of("-", before, new), *_lines_of("+", new, before)]
    if changes and not yes:
        for line in changes:
            out.note(line)
        out.confirm("This is what the log admits from now on. Change it?")
    open_sequencer(log, writer).admit(new, before.sha256)
    out.result(
        {**document, "admission": new.sha256, "policy": new.data.decode("ascii"), "instead_of": before.sha256},
        f"{head.origin} admits by the policy {new.sha256}" if changes else f"{head.origin} admits by it already",
        *changes,
    )


def _lines_of(mark: str, policy: Admission, other: Admission) -> list[str]:
    """Return the lines of a policy that another one does not have, marked, and shortened to what can be looked at."""
    lines = policy.data.decode("ascii").splitlines()
    others = set(other.data.decode("ascii").splitlines())
    return [f"{mark} {line if len(line) <= _SHOWN else f'{line[:_SHOWN]}…'}" for line in lines if line not in others]
