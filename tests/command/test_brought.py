"""What `tiletree verify` says to do with a proof, a vkey or a file that is not what it is taken for."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tiles.notes.keys import signing_key

VERIFY = ("verify", "a", "--proof", "q", "--vkey")


CHANGES: tuple[tuple[Callable[[bytes], bytes], int, str], ...] = (
    (lambda data: data.replace(b"\n", b"\r\n"), 1, "q: malformed tlog-proof: lines end in CR LF"),
    (lambda data: codecs.BOM_UTF8 + data, 1, "a byte order mark before the first line"),
    (lambda data: data[:100], 1, "get it once more, as a file: mail, an editor or a broken download"),
    (lambda data: data[:-1], 1, "get it once more, as a file"),
    (lambda _data: b'{"message": "Not Found"}\n', 1, "a .tlog-proof file begins with the line c2sp.org/tlog"),
    (lambda _data: b'{"mediaType": "application/vnd"}', 1, "--bundle names one"),
    (lambda _data: b"tiletree/search-proof/v1\n", 1, "--search-proof verifies it"),
    (lambda _data: b"<!doctype html><title>404</title>", 3, "it was saved in the place of what was to be fetched"),
    (lambda _data: b"", 3, "q is empty\nhint: it was saved in the place"),
)


def test_a_proof_that_is_none(tiletree: Command, log: str) -> None:
    """A proof that came by mail, was cut off, or is something else: what is wrong, and what to do."""
    for change, code, says in CHANGES:
        Path("q").write_bytes(change(Path("p").read_bytes()))
        done = tiletree(*VERIFY, log)
        assert (done.code, says in done.err) == (code, True), done


def test_one_in_the_place_of_another(tiletree: Command, log: str) -> None:
    """A proof and its file, named the other way round; a proof where a bundle or a search proof is to be."""
    done = tiletree("verify", "p", "--proof", "a", "--vkey", log)
    assert (done.code, "hint: p is the proof: name the file first" in done.err) == (1, True)
    done = tiletree("verify", "a", "--bundle", "p", "--vkey", log)
    assert (done.code, "hint: it is a proof: --proof names one" in done.err) == (1, True)
    done = tiletree("verify", "--search-proof", "p", "--vkey", log)
    assert (done.code, "hint: it is a proof of one entry: FILE --proof" in done.err) == (1, True)
    done = tiletree("verify", "-", "--vkey", log)
    assert (done.code, "hint: name what to verify it by" in done.err) == (2, True)


def test_vkeys(tiletree: Command, log: str) -> None:
    """Space around a vkey is no part of it; what is none, or another log's, is said with what to do."""
    os.rename("p", "q")  # noqa: PTH104  as `mv` does
    for spelled in (f" {log}\n", f"{log}\r"):
        assert tiletree(*VERIFY, spelled).code == 0
    Path("vkey.txt").write_text(log)
    for text, says in (
        ("", "it is empty: is the variable set"),
        ("vkey.txt", 'vkey.txt is a file: "$(cat vkey.txt)" is what is in it'),
        (log[:-2], "a vkey is one line"),
        (log.replace("log.", "lag."), "a vkey is one line, NAME+KEY ID+KEY: copy all of it"),
    ):
        done = tiletree(*VERIFY, text)
        assert (done.code, f"hint: {says}" in done.err) == (2, True), done
    for name, says in (
        (ORIGIN, "either the vkey is not that of the log"),
        ("other.example.com", f"the vkey is that of other.example.com: name the one of {ORIGIN}"),
    ):
        done = tiletree(*VERIFY, signing_key(name, bytes(32)).verifier.vkey)
        assert (done.code, f"hint: {says}" in done.err) == (1, True), done
        done = tiletree("search", "log", "a", "--vkey", signing_key(name, bytes(32)).verifier.vkey)
        assert (done.code, says.partition(": name")[0] in done.err) == (1, True), done
    Path("q").write_text(Path("q").read_text().replace("\n2\n", "\n3\n"))
    done = tiletree(*VERIFY, log)
    assert (done.code, "wrong signature" in done.err, "or changed: compare" in done.err) == (1, True, True)
    tiletree.ok("key", "forget", "log")
    done = tiletree("verify", "a", "--proof", "q")
    assert (done.code, "hint: ask whoever runs the log for its vkey" in done.err) == (2, True)


def test_words_that_name_no_file(tiletree: Command, log: str) -> None:
    """A digest as others write it, a file without a proof, a word that is nothing."""
    digest = "AB" * 32
    for word in (digest, f"SHA256:{digest}", f"sha256={digest}", f"sha256-{digest}"):
        done = tiletree("verify", word, "--proof", "p", "--vkey", log)
        assert (done.code, f"a digest is written sha256:{digest.lower()}" in done.err) == (2, True), done
    Path(digest).write_bytes(Path("a").read_bytes())  # a file may be called so
    assert tiletree("verify", digest, "--proof", "p", "--vkey", log).code == 0
    done = tiletree("verify", "b", "--vkey", log)
    assert (done.code, "hint: get its proof from where the file is from" in done.err) == (3, True)
    done = tiletree("verify", "nothing", "--vkey", log)
    assert (done.code, "there is no file nothing\nhint: looked for from" in done.err) == (2, True)


def test_what_is_read_from_a_file(tiletree: Command, log: str) -> None:
    """Files to verify may be at URLs; a list, a signature and a search proof may not, and that is said."""
    for option in ("--checksums", "--signature", "--search-proof"):
        done = tiletree("verify", option, "https://example.com/x", "--vkey", log)
        said = "https://example.com/x is a URL, and this is read from a file: fetch it first" in done.err
        assert (done.code, said) == (2, True), done


def test_search_by_digest(tiletree: Command, log: str) -> None:
    """A digest may stand in the place of the file, and what is not there is named."""
    value = next(
        key["value"] for key in tiletree.ok("search", "log", "a")["hits"][0]["keys"] if key["kind"] == "sha256/1"
    )
    assert tiletree.ok("search", "log", f"sha256:{value}") == tiletree.ok("search", "log", "a")
    assert tiletree("search", "log", f"sha256:{value[:-1]}").code == 2
    done = tiletree("search", "log", "k")
    assert (done.code, f"tiletree: k is not among the 2 entries of {ORIGIN}\n" in done.err) == (8, True)
    done = tiletree("search", "log", "-", stdin=b"else")
    assert (done.code, "what is looked for is not among" in done.err) == (8, True)


def test_what_verify_pyz_does_not_hold(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of ours that is not there is one that verify.pyz leaves out; one of others can be installed."""

    def missing(name: str) -> object:
        def read(*_: object) -> object:
            raise ModuleNotFoundError(name=name)

        return read

    for name, says in (
        ("tiles.read.web_file", "verify.pyz asks no server, so it takes no URL and no --log"),
        ("cryptography", "this needs cryptography, which is not installed here\nhint: pip install cryptography"),
    ):
        monkeypatch.setattr("tiletree.named.subject", missing(name))
        done = tiletree("verify", "https://example.com/a", "--vkey", log)
        assert (done.code, says in done.err) == (2, True), done
