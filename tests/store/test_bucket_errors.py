"""What goes wrong with an object store: clear errors, in time, with the right exit code, and without any secret."""

from __future__ import annotations

import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")

from tests.support.bucket_logs import LOG, PRIVATE, contents, files, use_environment
from tests.support.command_line import ORIGIN, Command, Done
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Answer, Request
from tiles.errors import TilesError, UsageError
from tiles.retry import Clock
from tiles.store.open_bucket import open_object_store

SECRET = "S3CR3Tmarked"
KEY = "UzNDUjNUbWFya2Vk" * 4  # base64, as Azure's keys are
SCHEMES = {"s3": "s3", "gcs": "gs", "azure": "az"}

SECRETS = {
    "s3": {"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": f"{SECRET}-token"},
    "gcs": {},
    "azure": {"AZURE_STORAGE_ACCOUNT_KEY": "", "AZURE_STORAGE_SAS_TOKEN": f"sv=2022-11-02&sp=rcw&sig={SECRET}"},
    "azure, key": {"AZURE_STORAGE_ACCOUNT_KEY": KEY},
}


def assert_no_secret(*texts: str) -> None:
    """No text holds what was marked as secret."""
    for text in texts:
        assert SECRET not in text, text
        assert KEY not in text, text


def echo(status: int) -> Callable[[Request], Answer]:
    """Answer with an error that repeats all of the request, as S3 repeats a token that it does not accept."""

    def respond(request: Request) -> Answer:
        said = f"{request.headers} {request.path} {request.query} {SECRET} {KEY}"
        escaped = said.replace("&", "&amp;").replace("<", "&lt;")
        body = f"<Error><Code>InvalidToken</Code><Message>{escaped}</Message><Token-0>{SECRET}</Token-0></Error>"
        return Answer(status, {"Content-Type": "application/xml"}, body.encode())

    return respond


@pytest.mark.parametrize("status", [301, 400, 403, 404, 409, 412, 500, 501])
@pytest.mark.parametrize("kind", SECRETS)
def test_answers_that_repeat_secrets(kind: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a server answers, every operation ends with one of our errors, and no text or traceback has a secret."""
    dialect = kind.partition(",")[0]
    with ObjectServer(dialect) as server:
        server._http.respond = echo(status)
        use_environment(monkeypatch, {name: v for name, v in (server.environment() | SECRETS[kind]).items() if v})
        store = open_object_store(f"{SCHEMES[dialect]}://b/log", retry=False)
        store._clock = Clock(sleep=lambda _seconds: None)
        for operation in (
            lambda: store.read("checkpoint"),
            lambda: store.create({"tile/0/000": b"x", "tile/0/001": b"x"}),
            lambda: store.swap("checkpoint", b"x", None),
            lambda: list(store.list("")),
            lambda: store.folders(""),
            lambda: store.delete(["a", "b"]),
        ):
            try:
                operation()
                assert status in (404, 412), "there was no error"  # deleting what is not there, say
            except TilesError as error:
                assert_no_secret(error.message, error.hint, repr(error), "".join(traceback.format_exception(error)))

        assert_no_secret(repr(store), repr(store._client), repr(vars(store)))


COMMANDS = (
    ("init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--key", "k"),
    ("add", LOG, "a", "--private", PRIVATE, "--key", "k"),
    ("submit", LOG, "a", "--private", PRIVATE, "--submitter", "ci"),
    ("sequence", LOG, "--private", PRIVATE, "--key", "k"),
    ("info", LOG),
    ("status", LOG, "--private", PRIVATE),
    ("get", LOG, "0"),
    ("prove", LOG, "a"),
    ("audit", LOG),
    ("gc", LOG, "--private", PRIVATE),
    ("repair", LOG),
    ("import", LOG, "local", "--key", "k"),
    ("freeze", LOG, "--yes", "--private", PRIVATE, "--key", "k"),
)


@pytest.fixture
def made(tiletree: Command, s3: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command, with a log in two buckets, and variables that are secret."""
    for name, value in SECRETS["s3"].items():
        monkeypatch.setenv(name, value)
    done = tiletree(*COMMANDS[0], "--json")
    assert done.code == 0, done
    files("a")
    done_more = [tiletree("add", LOG, "a"), tiletree("submit", LOG, "a", "--submitter", "ci", "--receipt", "receipt")]
    tiletree.ok("init", "local", "--origin", "other.example.com", "--key", "other")
    assert_no_secret(*(text for each in [done, *done_more] for text in (each.out, each.err)))
    assert_no_secret(*(path.read_text(errors="replace") for path in Path().rglob("*") if path.is_file()))
    yield tiletree
    assert_no_secret(*(path.read_text(errors="replace") for path in Path().rglob("*") if path.is_file()))


def all_fail(tiletree: Command, code: int, said: str, commands: tuple[tuple[str, ...], ...] = COMMANDS) -> None:
    """Every command fails with that exit code, says so in JSON and in text, and shows no secret."""
    for command in commands:
        done: Done = tiletree(*command, "--json")
        assert done.code == code, (command, done)
        assert said in done.json["error"]["message"] + done.json["error"]["hint"], (command, done)
        assert len(done.out.splitlines()) == 1
        assert_no_secret(done.out, done.err)


def test_a_server_that_repeats_secrets(made: Command, s3: ObjectServer) -> None:
    """Each command against a server that repeats the credentials it got: exit code 3, and none of them is shown."""
    s3._http.respond = echo(400)
    all_fail(made, 3, "the store answers 400 InvalidToken")


def test_no_permission(made: Command, s3: ObjectServer) -> None:
    """Credentials that may do nothing: exit code 3, and what was denied is said."""
    s3.access = {}
    all_fail(made, 3, "not allowed to")


def test_no_such_bucket(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that is not there: exit code 3, and that it has to be made."""
    files("a")
    with ObjectServer("s3", buckets=["other"]) as server:
        use_environment(monkeypatch, server.environment())
        for command in (COMMANDS[0], *COMMANDS[2:3], *COMMANDS[4:6]):
            done = tiletree(*command, "--json")
            assert done.code == 3, (command, done)
            assert "there is no such bucket" in done.json["error"]["message"], done
        assert not Path("k").exists()
        half = tiletree("init", "s3://other/log", "--private", PRIVATE, "--origin", ORIGIN)
        assert half.code == 3
        assert "s3://private/log: there is no such bucket" in half.err
        assert contents(server) == {}
        assert not list(Path().rglob("*.key"))


def test_no_connection(tiletree: Command, s3: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: exit code 3 after a few tries."""
    files("a")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        for command in (COMMANDS[0], COMMANDS[2], COMMANDS[4]):
            done = tiletree(*command)
            assert done.code == 3, done
            assert "the connection is refused, at http://127.0.0.1:" in done.err, done
            assert "$AWS_ENDPOINT_URL" in done.err, done
    assert not Path("k").exists()


def test_the_private_part_cannot_be_seen_to_be_private(tiletree: Command, s3: ObjectServer) -> None:
    """If there is no answer to a reader without credentials, nothing is begun: it might be readable."""
    respond = s3._http.respond
    s3._http.respond = lambda request: respond(request) if request.headers.get("authorization") else Answer(503)
    done = tiletree(*COMMANDS[0])
    assert done.code == 3, done
    assert contents(s3) == {}
    assert not Path("k").exists()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b""),
        (403, b"<Error><Code>AccessDenied</Code></Error>"),
        (404, b"<Error><Code>NoSuchKey</Code></Error>"),
        (409, b"<Error><Code>PublicAccessNotPermitted</Code></Error>"),
        (400, b"<Error><Code>InvalidArgument</Code><Message>Authorization</Message></Error>"),
    ],
)
def test_what_says_that_it_is_private(status: int, body: bytes, tiletree: Command, s3: ObjectServer) -> None:
    """The answers of different stores to whoever sends no credentials."""
    respond = s3._http.respond
    s3._http.respond = lambda request: (
        respond(request) if request.headers.get("authorization") else Answer(status, {}, body)
    )
    tiletree.ok(*COMMANDS[0])


# ---- no credentials


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address where a connection is never made, and never refused: its backlog is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("url", ["s3://b/log", "gs://b/log", "az://b/log?account=a"])
def test_no_credentials_in_time(
    url: str, black_hole: str, tiletree: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows what is sent to the metadata address: no run waits for minutes."""
    variables = dict.fromkeys(("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"), black_hole)
    variables |= {"AWS_METADATA_ENDPOINT": f"http://{black_hole}", "AZURE_MSI_ENDPOINT": f"http://{black_hole}/x"}
    use_environment(monkeypatch, variables | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HOME": str(tmp_path)})
    began = time.monotonic()
    done = tiletree("info", url)
    assert done.code == 3, done
    assert time.monotonic() - began < 60


def test_no_credentials_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiletree: Command) -> None:
    """That none were found is said, where the machine's role is asked for and there is nobody who answers."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        at = f"http://127.0.0.1:{unused.getsockname()[1]}"
        use_environment(monkeypatch, {"HOME": str(tmp_path), "AWS_METADATA_ENDPOINT": at, "AWS_ENDPOINT_URL": at})
        done = tiletree("info", "s3://b/log")
        assert done.code == 3
        assert "s3://b/log: no credentials were found" in done.err
        assert "hint: set them as the store's own tools do" in done.err


# ---- what is not installed


def test_without_obstore(monkeypatch: pytest.MonkeyPatch, tiletree: Command) -> None:
    """A wrong call that names what to install; logs in directories go on."""
    for name in ("tiles.store.bucket", "tiles.store.bucket_errors", "obstore.store", "obstore.exceptions"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    files("a")
    for command in (COMMANDS[0], *COMMANDS[2:3], *COMMANDS[4:5]):
        done = tiletree(*command, "--json")
        assert done.code == 2, done
        assert done.json["error"]["hint"] == "pip install 'tiletree[cloud]'"
        assert not Path("k").exists()
    tiletree.ok("init", "local", "--origin", ORIGIN)
    tiletree.ok("add", "local", "a")


def test_without_boto3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Profiles need it, nothing else does."""
    use_environment(monkeypatch, {"HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET})
    monkeypatch.setitem(sys.modules, "boto3", None)
    open_object_store("s3://b/log")
    with pytest.raises(UsageError, match="boto3 is needed") as caught:
        open_object_store("s3://b/log?profile=ci")
    assert caught.value.hint == "pip install 'tiletree[aws]'"
    monkeypatch.setenv("AWS_PROFILE", "ci")
    open_object_store("s3://b/log")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(UsageError, match="boto3 is needed"):
        open_object_store("s3://b/log")


# ---- hints that fit


HINTS = [
    (400, "ExpiredToken", "expired: log in again"),
    (403, "ExpiredToken", "expired: log in again"),
    (403, "RequestTimeTooSkewed", "clock"),
    (403, "RequestExpired", "clock"),
    (403, "InvalidAccessKeyId", "does not accept these credentials"),
    (403, "SignatureDoesNotMatch", "does not accept these credentials"),
    (401, "", "does not accept these credentials"),
    (403, "AccessDenied", "permission to list"),
    (403, "", "permission to list"),
]


@pytest.mark.parametrize("words", [("info", LOG), ("status", LOG), ("add", LOG, "a", "--key", "k")])
def test_the_hint_fits_the_cause(words: tuple[str, ...], made: Command, s3: ObjectServer) -> None:
    """What to do about credentials that are old, or a clock that is wrong, is not to look at rights to list."""
    for status, code, hint in HINTS:
        answer = Answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
        s3._http.respond = lambda _request, answer=answer: answer
        done = made(*words, "--json")
        assert done.code == 3, (status, code, done)
        assert hint in done.json["error"]["hint"], (status, code, done)
        assert ("permission to list" in done.json["error"]["hint"]) == ("permission to list" in hint), (status, code)


@pytest.mark.parametrize(("kind", "scheme"), [("s3", "s3"), ("gcs", "gs"), ("azure", "az")])
def test_an_endpoint_that_cannot_be_reached_is_named(kind: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scheme, host and port, however it was configured; never a token that a request for it holds."""
    with ObjectServer(kind) as server:
        use_environment(monkeypatch, {name: v for name, v in (server.environment() | SECRETS[kind]).items() if v})
    store = open_object_store(f"{scheme}://b/log", retry=False)
    store._clock = Clock(sleep=lambda _seconds: None)
    with pytest.raises(TilesError, match=r"the connection is refused, at (http://)?127\.0\.0\.1:[0-9]+") as caught:
        store.read("checkpoint")
    assert_no_secret(caught.value.message, caught.value.hint)
    assert "look at the endpoint" in caught.value.hint
