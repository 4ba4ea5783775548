"""What `tiletree verify` says of its files: a line each, what came of all of them, and one document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os.path import normpath
from typing import Any

from tiles.errors import AccessError, TilesError
from tiles.notes.tlog_proof import FILE_SUFFIX
from tiletree.commands.verify_files import Call, Judge
from tiletree.commands.verify_report import Check
from tiletree.files import BUNDLE_SUFFIX
from tiletree.several import WORST, worst
from tiletree.subjects import Subject
from tiletree.ui import Output, exit_code

_SUFFIXES = (FILE_SUFFIX, BUNDLE_SUFFIX)
_NAMED = 5  # files that did not verify, in the summary; each has its line above it


def each_once(subjects: Iterable[Subject], out: Output) -> list[Subject]:
    """Return what is to be verified, each once; a file that a list names is to be as the list has it.

    Proofs and bundles of files that are there, too, are left out, and that is said: `dist/*` names them.
    """
    found: dict[str, Subject] = {}
    for each in subjects:
        key = each.word if each.web or each.digest is not None else normpath(each.word)
        if key not in found or each.listed is not None:
            found[key] = each
    beside = {key for key in found if any(key.endswith(end) and key.removesuffix(end) in found for end in _SUFFIXES)}
    if beside:
        out.remarks["left_out"] = [{"path": out.plain(found[key].shown), "why": "beside"} for key in sorted(beside)]
        one = len(beside) == 1
        out.note(
            f"left out: {len(beside)} {'file that proves' if one else 'files that prove'} or sign{'s' * one} others"
        )
    return [each for key, each in found.items() if key not in beside]


def verify_files(out: Output, files: Sequence[Subject], call: Call) -> None:
    """Verify files. Raises the error that decides the exit code, once all of them were looked at."""
    judge = Judge(call)
    if len(files) == 1 and files[0].listed is None and _by_proof_alone(call) and judge.demands_nobody:
        (file,) = files
        ((_, check),) = _checked(judge, file)
        out.result(
            {"verified": True, **check.fields}, f"verified: {file.shown} {check.words}", *check.lines, *check.steps
        )
        return
    documents: list[dict[str, Any]] = []
    errors: list[tuple[str, TilesError]] = []
    out.partial = {"verified": False, "files": documents}
    for file in files:
        try:
            made = _checked(judge, file)
        except TilesError as error:
            if exit_code(error) not in WORST:
                _name(error, file.shown if len(files) > 1 else "")
                raise
            errors.append((file.shown, error))
            said = {"kind": type(error).__name__, "message": out.plain(error.message), "hint": out.plain(error.hint)}
            documents.append({**_named(file), "verified": False, "error": said})
            if len(files) > 1:
                out.line(f"not verified: {file.shown}: {out.plain(error.message)}")
            continue
        documents.append({**_named(file), "verified": True, "checks": [{"by": by, **each.fields} for by, each in made]})
        _say(out, file, [check for _, check in made], whole=len(files) == 1)
    summary = f"{len(files) - len(errors)} of {len(files)} files verified"
    if errors:
        if len(files) > 1:
            out.line(f"{summary}; not verified: {_names([file for file, _ in errors])}")
        raise worst(errors, f"{len(errors)} of {len(files)} files not verified" if len(files) > 1 else "")
    out.result({"verified": True, "files": documents}, *([summary] if len(files) > 1 else []))


def _checked(judge: Judge, file: Subject) -> list[tuple[str, Check]]:
    try:
        return judge.checks(file)
    except OSError as error:  # the file, or what stands beside it, which is no reason to leave out the others
        raise AccessError(f"{error.filename or file.shown} cannot be read: {error.strerror}") from error


def _name(error: TilesError, file: str) -> None:
    """Let an error that ends the call say at which file. file: "" for the one file of a call"""
    if file not in error.message:
        error.message = f"{file}: {error.message}"
        error.args = (error.message,)


def _by_proof_alone(call: Call) -> bool:
    return call.proof is not None and call.bundle is None


def _named(file: Subject) -> dict[str, Any]:
    """Return how a document names a file."""
    listed = {} if file.listed is None else {"list": file.listed.source, "line": file.listed.line}
    return {"file": file.shown, **listed}


def _say(out: Output, file: Subject, checks: list[Check], *, whole: bool) -> None:
    line = "" if file.listed is None else f"; line {file.listed.line} of {file.listed.source} has its digest"
    out.line(f"verified: {file.shown} {'; '.join(check.words for check in checks)}{line}")
    for check in checks:
        for line in [*(check.lines if whole else ()), *check.steps]:
            out.line(line)
    if file.web is not None and not whole:
        out.line(f"          whose SHA-256 is {checks[0].fields['sha256']}")


def _names(files: list[str]) -> str:
    more = len(files) - _NAMED
    return ", ".join(files[:_NAMED]) + (f" and {more} more" if more > 0 else "")
