"""What `tiletree verify` says of its files: a line each, what came of all of them, and one document."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import lexists, normpath
from typing import Any

from tiles.errors import AccessError, TilesError
from tiles.notes.tlog_proof import FILE_SUFFIX
from tiletree.commands.verify_files import Call, Judge
from tiletree.commands.verify_report import Check
from tiletree.files import BUNDLE_SUFFIX, digest_named
from tiletree.picking import Purpose, pick
from tiletree.several import WORST, said, worst
from tiletree.subjects import Subject, is_url
from tiletree.ui import Output, exit_code

_NAMED = 5  # files that did not verify, in the summary; each has its line above it


def named_files(out: Output, named: Sequence[Subject], listed: Sequence[Subject], *, by_name: bool) -> list[Subject]:
    """Return what is to be verified, each once: files, those in folders, digests, URLs, and what a list names.

    A file that a list names is to be as the list has it. What is left out, such as proofs of files that are there, too,
    is said: `dist/*` names them.
    by_name   the call says what the one file is verified by: then it may be a proof itself
    """
    if not named and not listed:
        return []
    by_word = {each.word: each for each in named}
    found = pick(list(by_word), listed=[each.word for each in listed], purpose=_ALL if by_name else _VERIFYING)
    found.say(out)
    as_listed = {normpath(each.word): each for each in listed}
    once: dict[str, Subject] = {}
    for word in found.files:
        key = word if _is_itself(word) else normpath(word)
        once.setdefault(key, as_listed.get(key) or by_word.get(word) or Subject(word))
    return list(once.values())


def _is_itself(word: str) -> bool:
    return is_url(word) or digest_named(word) is not None


def _is_proven(file: str) -> bool:
    """Whether a file that proves or signs another one was logged itself, by what stands beside it."""
    return any(lexists(f"{file}{suffix}") for suffix in (FILE_SUFFIX, BUNDLE_SUFFIX))


_VERIFYING = Purpose(
    "name the file that it proves or signs: what stands beside that is found, and --proof or --bundle names another",
    _is_itself,
    _is_proven,
)
_ALL = Purpose(is_itself=_is_itself, is_meant=lambda _file: True)


def verify_files(out: Output, files: Sequence[Subject], call: Call) -> None:
    """Verify files. Raises the error that decides the exit code, once all of them were looked at.

    The document has each file that was looked at, whatever comes of the call.
    """
    documents: list[dict[str, Any]] = []
    errors: list[tuple[str, TilesError]] = []
    out.partial = {"verified": False, "files": documents}
    judge = Judge(call)
    is_alone = len(files) == 1 and files[0].listed is None and _by_proof_alone(call) and judge.demands_nobody
    for file in files:
        try:
            made = _checked(judge, file)
        except TilesError as error:
            documents.append({**_named(file), "verified": False, "error": said(out, error)})
            if exit_code(error) not in WORST:
                _name(error, file.shown if len(files) > 1 else "")
                raise
            errors.append((file.shown, error))
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
    flat = documents[0]["checks"][0] if is_alone else {}  # as it was before there could be several files
    document = {"verified": True, **{name: value for name, value in flat.items() if name != "by"}, "files": documents}
    out.result(document, *([summary] if len(files) > 1 else []))


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
