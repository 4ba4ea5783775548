"""`tiletree witness`: from no file to a cosignature, by cron and by HTTP, and everything that is refused on the way."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.command_line import Command, Done
from tests.support.ended import told_to_end
from tests.support.fault_server import serving
from tests.support.object_server import ObjectServer
from tests.support.readers import make_log, renamed
from tests.support.signed_text import LOG, ORIGIN, key
from tests.support.witnessing import at, check_row, proof
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import parse_skey
from tiles.notes.policy import policy_for
from tiles.notes.witness_messages import AddCheckpoint, parse_signatures, seen_path
from tiles.parallel import in_background
from tiles.tree.layout import CHECKPOINT
from tiles.user.seen_checkpoints import read_evidence
from tiletree import loopback

T = TypeVar("T")
CONFIG = "w.conf"
NAME = "witness.example.com/w1"
SEEN = Path("seen") / seen_path(ORIGIN)
VKEY = LOG.verifier.vkey


def write_log(objects: dict[str, bytes], folder: str = "log") -> None:
    """Put a log into a directory."""
    for path, data in objects.items():
        (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(folder) / path).write_bytes(data)


@pytest.fixture
def begun(tiletree: Command) -> Command:
    """Return the command where a witness has begun a log of 50 entries."""
    tiletree.prepared(_begin)
    return tiletree


def _begin(tiletree: Command) -> None:
    write_log(make_log(50))
    tiletree.ok("witness", "init", CONFIG, "--name", NAME, "--state", "seen")
    tiletree.ok("witness", "begin", CONFIG, "log", "--vkey", VKEY)


def the_log(done: dict[str, object]) -> dict[str, object]:
    """Return what a run says of its one log."""
    (log,) = done["logs"]  # type: ignore[misc]
    assert isinstance(log, dict)
    return log


# ---- init and begin


@pytest.mark.parametrize("kinds", [(), ("ed25519",), ("ml-dsa-44",), ("ed25519", "ml-dsa-44")])
def test_a_new_witness(tiletree: Command, kinds: tuple[str, ...]) -> None:
    """Its keys are private files; what is printed is what a log's policy needs; repeating it changes nothing."""
    options = [word for kind in kinds for word in ("--kind", kind)]
    call = ("witness", "init", CONFIG, "--name", NAME, "--state", "seen", *options)
    said = tiletree.ok(*call)
    files = [Path(f"{CONFIG}.{kind}.key") for kind in kinds or ("ed25519",)]
    assert [parse_skey(file.read_text().strip()).verifier.vkey for file in files] == said["vkeys"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in [*files, Path(CONFIG)])
    assert tiletree.ok(*call) == said
    first = tiletree(*call).out.splitlines()[0]
    Path("policy").write_text(f"log {VKEY}\n{first}\nquorum mine\n")
    write_log(make_log(50))
    assert tiletree("info", "log", "--policy", "policy").code == 1  # it has no cosignature, and is read


def test_init_that_died(tiletree: Command) -> None:
    """The key is there and the configuration is not: the next call goes on with that key."""
    call = ("witness", "init", CONFIG, "--name", NAME, "--state", "seen")
    said = tiletree.ok(*call)
    Path(CONFIG).unlink()
    assert tiletree.ok(*call) == said


def test_init_in_the_place_of_something_else(tiletree: Command) -> None:
    """Neither a key nor a configuration is ever overwritten."""
    call = ["witness", "init", CONFIG, "--name", NAME, "--state", "seen"]
    tiletree.ok(*call)
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    for change in (["--state", "other"], ["--name", "x.example.com"], ["--kind", "ml-dsa-44"]):
        assert tiletree(*call, *change).code == 4
    assert {path: data for path in before if (data := path.read_bytes())} == before


@pytest.mark.parametrize("state", ["https://seen.example.com", "sftp://x/y", "", "a\nb"])
def test_a_state_that_is_none(tiletree: Command, state: str) -> None:
    """What it remembers is read from the store itself, and never through a server."""
    assert tiletree("witness", "init", CONFIG, "--name", NAME, "--state", state).code == 2
    assert not Path(CONFIG).exists()


def test_begin_twice(begun: Command) -> None:
    """The second call says so, and changes nothing."""
    before = (Path(CONFIG).read_bytes(), SEEN.read_bytes())
    said = begun.ok("witness", "begin", CONFIG, "log", "--vkey", VKEY)
    assert (said["origin"], said["new"]) == (ORIGIN, False)
    assert (Path(CONFIG).read_bytes(), SEEN.read_bytes()) == before


def test_begin_that_died(begun: Command) -> None:
    """The object is there and the line is not: the next call adds the line, and the object stays."""
    whole = Path(CONFIG).read_bytes()
    begun.ok("witness", "run", CONFIG)
    Path(CONFIG).write_bytes(whole[: whole.index(b"log ")])
    before = SEEN.read_bytes()
    assert not begun.ok("witness", "begin", CONFIG, "log", "--vkey", VKEY)["new"]
    assert (Path(CONFIG).read_bytes(), SEEN.read_bytes()) == (whole, before)


def test_an_object_that_is_gone_is_never_made_anew(begun: Command) -> None:
    """Neither by `run` nor by `begin`: the configuration says that the log was begun."""
    begun.ok("witness", "run", CONFIG)
    SEEN.unlink()
    for call in (["run", CONFIG], ["begin", CONFIG, "log", "--vkey", VKEY], ["serve", CONFIG]):
        done = begun("witness", *call)
        assert (done.code, "is gone: it says what was cosigned last" in done.err) == (4, True), call
        assert "see docs/lost.md#a-witness-has-lost-what-it-cosigned-last" in done.err
    assert not SEEN.exists()


def test_begin_with_another_key(begun: Command) -> None:
    """One more key of the log is one more line; the object stays."""
    before = SEEN.read_bytes()
    second = key(ORIGIN, 9).verifier.vkey
    assert not begun.ok("witness", "begin", CONFIG, "--vkey", second)["new"]
    assert Path(CONFIG).read_text().splitlines()[-1] == f"log {second}"
    assert SEEN.read_bytes() == before
    assert the_log(begun.ok("witness", "run", CONFIG))["outcome"] == "cosigned"


def test_a_log_that_is_another(begun: Command) -> None:
    """What is not signed by that key, or of another origin than its name, is not begun."""
    before = Path(CONFIG).read_bytes()
    for vkey in (key("other.example.com", 1).verifier.vkey, key(ORIGIN, 9).verifier.vkey):
        assert begun("witness", "begin", CONFIG, "log", "--vkey", vkey).code == 1
    write_log(renamed(make_log(50), key("other.example.com", 8)), "other")
    assert begun("witness", "begin", CONFIG, "other", "--vkey", VKEY).code == 1
    assert begun("witness", "begin", CONFIG, "log", "--vkey", "x").code == 2
    assert begun("witness", "begin", CONFIG, "a b", "--vkey", VKEY).code == 2
    assert Path(CONFIG).read_bytes() == before


@pytest.mark.parametrize(
    "data", ["", "log\n", "state seen\n", "state seen\nkey none\n", "state seen\nkey log.key\nx y\n"]
)
def test_a_configuration_that_is_none(tiletree: Command, data: str) -> None:
    """The call is wrong, or a file is missing; nothing is done."""
    Path(CONFIG).write_text(data)
    assert tiletree("witness", "run", CONFIG).code == (3 if "none" in data else 2)
    assert tiletree("witness", "run", "nothing").code == 2
    assert tiletree("witness", "begin", "nothing", "--vkey", VKEY).code == 2
    assert not Path("nothing").exists()


def test_a_key_that_does_not_cosign(begun: Command) -> None:
    """The key of a log signs the text of notes: it is never used as a witness's."""
    begun.ok("key", "generate", NAME, "--out", "log.key")
    Path(CONFIG).write_text(Path(CONFIG).read_text().replace(f"{CONFIG}.ed25519.key", "log.key"))
    done = begun("witness", "run", CONFIG)
    assert (done.code, "this key does not cosign" in done.err) == (2, True)


# ---- run


def test_run(begun: Command) -> None:
    """What is published is the checkpoint with both signatures; a second run is later; a log that grew is larger."""
    first = the_log(begun.ok("witness", "run", CONFIG))
    assert (first["origin"], first["outcome"], first["size"]) == (ORIGIN, "cosigned", 50)
    own = parse_skey(Path(f"{CONFIG}.ed25519.key").read_text().strip())
    shown = parse_signed_checkpoint(SEEN.read_bytes())
    policy_for(LOG.verifier).accept(shown)
    assert verify_cosignature(shown.checkpoint, shown.note.signatures[1], own.verifier).timestamp == first["time"]
    assert SEEN.stat().st_mode & 0o044 == 0o044
    contents = [SEEN.read_bytes()]
    write_log(make_log(50, 200))
    assert begun("witness", "run", CONFIG).out.startswith(f"{ORIGIN}: cosigned size 200 root ")
    contents.append(SEEN.read_bytes())
    assert the_log(begun.ok("witness", "run", CONFIG))["outcome"] == "refreshed"
    contents.append(SEEN.read_bytes())
    check_row(contents, [own])


def test_run_from_elsewhere(begun: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cron line has another directory: places in the configuration are relative to it, or absolute."""
    config = Path(CONFIG).resolve()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert the_log(begun.ok("witness", "run", config))["size"] == 50
    assert not any(Path().iterdir())


def test_a_fork(begun: Command) -> None:
    """Exit code 7, and evidence that one command checks; the others are cosigned all the same."""
    other = key("other.example.com", 8)
    for origin, by in (("a", key("a.example.com", 7)), ("z", other)):
        write_log(renamed(make_log(50), by), origin)
        begun.ok("witness", "begin", CONFIG, origin, "--vkey", by.verifier.vkey)
    write_log(make_log(50, 200))
    begun.ok("witness", "run", CONFIG)
    write_log(make_log(250, tag="other", same_up_to=100))
    done = begun("witness", "run", CONFIG, "--json")
    assert done.code == 7
    outcomes = {log["origin"]: log.get("outcome", log.get("error", {}).get("kind")) for log in done.json["logs"]}
    assert outcomes == {"a.example.com": "refreshed", ORIGIN: "ForkError", "other.example.com": "refreshed"}
    (folder,) = (begun.directory / "home" / "XDG_STATE_HOME" / "tiletree" / "forks").iterdir()
    check_fork(read_evidence(folder), policy_for(LOG.verifier))
    assert begun("verify", "--fork", folder, "--vkey", VKEY).code == 0
    assert parse_signed_checkpoint(SEEN.read_bytes()).tree == at(200).tree


def test_the_worst_decides(begun: Command) -> None:
    """Several logs fail, each in its own way: all are said, and the exit code is that of the worst."""
    for number, name in enumerate(("gone", "wrong"), 7):
        by = key(f"{name}.example.com", number)
        write_log(renamed(make_log(5), by), name)
        begun.ok("witness", "begin", CONFIG, name, "--vkey", by.verifier.vkey)
    Path("gone/checkpoint").unlink()
    done = begun("witness", "run", CONFIG)
    assert (done.code, "gone.example.com: " in done.err) == (3, True)
    Path("wrong/checkpoint").write_bytes(b"\0")
    done = begun("witness", "run", CONFIG)
    assert (done.code, "tiletree: wrong.example.com: " in done.err, "gone.example.com: " in done.err) == (1, True, True)
    assert done.out.startswith(f"{ORIGIN}: refreshed")


def test_a_log_that_hangs(begun: Command) -> None:
    """It is given up in time, and the others are cosigned."""
    with serving(make_log(5)) as server:
        server.script["/checkpoint"] = [lambda handler: handler.send(200, b"", Content_Length="50")]
        by = key("slow.example.com", 7)
        server.objects = renamed(make_log(5), by)
        line = f"log {by.verifier.vkey} {server.url}\n"
        Path(CONFIG).write_text(Path(CONFIG).read_text() + line)
        began = time.monotonic()
        done = begun("witness", "run", CONFIG, "--timeout", 0.5)
        assert time.monotonic() - began < 5
    assert (done.code, "slow.example.com: not done within 0.5 seconds" in done.err) == (3, True)
    assert done.out.startswith(f"{ORIGIN}: cosigned")


def test_a_witness_in_a_bucket(tiletree: Command, s3: ObjectServer) -> None:
    """It is tried out first; what is published there is served as something that changes."""
    write_log(make_log(50))
    tiletree.ok("witness", "init", CONFIG, "--name", NAME, "--state", "s3://public/w")
    tiletree.ok("witness", "begin", CONFIG, "log", "--vkey", VKEY)
    tiletree.ok("witness", "run", CONFIG)
    path = f"w/{seen_path(ORIGIN)}"
    assert set(s3.objects["public"]) == {path}
    headers = s3.headers("public", path)
    assert (headers["content-type"], headers["cache-control"]) == ("text/plain; charset=utf-8", "no-cache, max-age=0")
    s3.remove("public", path)
    assert tiletree("witness", "run", CONFIG).code == 4


# ---- serve


def free_port() -> int:
    """Return a port that is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def served(tiletree: Command, client: Callable[[http.client.HTTPConnection], T], *options: object) -> tuple[Done, T]:
    """Return what `serve` came to, and a client that works meanwhile."""
    port = free_port()
    with told_to_end() as end:

        def work() -> T:
            try:
                for _ in range(400):
                    try:
                        socket.create_connection(("127.0.0.1", port)).close()
                        break
                    except OSError:
                        time.sleep(0.02)
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                    return client(connection)
            finally:
                end()

        working = in_background(work)
        done = tiletree("witness", "serve", CONFIG, "--listen", f"127.0.0.1:{port}", *options)
        return done, working.result(20)


def call(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    """Return status and body of an answer; the connection stays open."""
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_serve(begun: Command) -> None:
    """Requests and readers on one connection, and what `run` cosigned is what it goes on from."""
    begun.ok("witness", "run", CONFIG)

    def client(connection: http.client.HTTPConnection) -> list[tuple[int, bytes]]:
        first = AddCheckpoint(0, (), at(200)).data
        second = AddCheckpoint(50, proof(50, 200), at(200)).data
        found = [call(connection, "POST", "/add-checkpoint", body) for body in (b"x", first, second)]
        sock = connection.sock
        found += [call(connection, "GET", f"/{seen_path(ORIGIN)}"), call(connection, "GET", "/x")]
        assert connection.sock is sock, "keep-alive"
        found.append(call(connection, "DELETE", "/x"))
        return found

    done, found = served(begun, client)
    assert (done.code, done.err) == (0, "stopped\n")
    assert [status for status, _ in found] == [400, 409, 200, 200, 404, 405]
    assert found[1][1] == b"50\n"
    assert parse_signed_checkpoint(found[3][1]).note.signatures[1:] == parse_signatures(found[2][1])
    assert SEEN.read_bytes() == found[3][1]


def test_what_a_client_may_not(begun: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies without end, slow senders, what is not HTTP: bounded, and the next one is answered."""
    monkeypatch.setattr(loopback, "READ_WITHIN", 0.5)

    def client(connection: http.client.HTTPConnection) -> list[object]:
        address = (connection.host, connection.port)
        found: list[object] = []
        for sent in (
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        ):
            with socket.create_connection(address, timeout=20) as one:
                one.sendall(sent)
                found.append(one.recv(12))
        with socket.create_connection(address, timeout=20) as slow:
            slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold")
            found.append(slow.recv(12))
        found.append(call(connection, "GET", "/x")[0])
        return found

    done, found = served(begun, client)
    assert done.code == 0
    assert found == [b"HTTP/1.1 413", b"HTTP/1.1 411", b"HTTP/1.1 400", b"", 404]


def test_trouble_is_told_to_the_operator(begun: Command) -> None:
    """The object goes while it serves: the sender gets 500 and no path, and the operator is told which it is."""

    def client(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        SEEN.unlink()
        return call(connection, "POST", "/add-checkpoint", AddCheckpoint(0, (), at(50)).data)

    done, (status, body) = served(begun, client)
    assert (status, b"seen" in body) == (500, False)
    assert f"{seen_path(ORIGIN)} is gone" in done.err


@pytest.mark.parametrize("listen", ["x", "127.0.0.1", "127.0.0.1:99999", "host:80"])
def test_addresses_to_listen_on(begun: Command, listen: str) -> None:
    """An address and a port; also one that others can reach, which only this server takes."""
    assert begun("witness", "serve", CONFIG, "--listen", listen).code == 2
    assert loopback.parse_listen("0.0.0.0:80", anywhere=True) == ("0.0.0.0", 80)
    assert CHECKPOINT == "checkpoint"
