"""A store that is set up wrongly: what is said names the setting, and what to do, and no secret."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")

from tests.support.bucket_logs import use_environment
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Answer
from tiles.errors import AccessError, Denied, TilesError, UsageError
from tiles.retry import Clock
from tiles.store import Store
from tiles.store.open_bucket import open_object_store

SECRET = "S3CR3Tmarked"


def opened(server: ObjectServer, monkeypatch: pytest.MonkeyPatch, answer: Answer | None = None) -> Store:
    """A store on a server that gives one answer to everything."""
    use_environment(monkeypatch, server.environment())
    if answer:
        server._http.respond = lambda _request: answer
    store = open_object_store("s3://b/log", retry=False)
    store._clock = Clock(sleep=lambda _seconds: None)
    return store


REGION = "set the bucket's region, by ?region= in the URL or by $AWS_REGION"


@pytest.mark.parametrize(
    ("status", "code", "region", "hint"),
    [
        (400, "AuthorizationHeaderMalformed", "eu-central-1", f"the store names eu-central-1: {REGION}"),
        (400, "AuthorizationHeaderMalformed", "", REGION),
        (400, "AuthorizationHeaderMalformed", SECRET, REGION),
        (400, "IllegalLocationConstraintException", "", REGION),
        (301, "PermanentRedirect", "us-gov-west-1", f"the store names us-gov-west-1: {REGION}"),
        (301, "PermanentRedirect", "", REGION),
        (400, "Other", "eu-central-1", ""),
    ],
)
def test_another_region(status: int, code: str, region: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which region the bucket is in is said if the store says it, and where it is set."""
    body = f"<Error><Code>{code}</Code><Message>x</Message><Region>{region}</Region></Error>".encode()
    with ObjectServer("s3") as server:
        store = opened(server, monkeypatch, Answer(status, {"Content-Type": "application/xml"}, body))
        with pytest.raises(AccessError) as caught:
            store.read("checkpoint")
    assert caught.value.hint == hint or (status == 301 and caught.value.hint == REGION), caught.value
    assert SECRET not in caught.value.message + caught.value.hint


def test_what_may_not_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers 200 to a request that deletes many objects, and denies each of them in the body."""
    denied = "<Error><Key>log/a</Key><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"
    body = f"<DeleteResult>{denied}</DeleteResult>".encode()
    with ObjectServer("s3") as server:
        store = opened(server, monkeypatch, Answer(200, {"Content-Type": "application/xml"}, body))
        with pytest.raises(Denied, match=r"^s3://b/log/a: not allowed to delete it \(denied\)$") as caught:
            store.delete(["a"])
    assert "s3:DeleteObject" in caught.value.hint


def test_which_right_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the right that the request needed, and that of listing only where it decides what is said."""
    with ObjectServer("s3") as server:
        store = opened(server, monkeypatch)
        server.access = {}
        for operation, right in (
            (lambda: store.read("a"), "s3:GetObject"),
            (lambda: store.create({"a": b"x"}), "s3:PutObject"),
            (lambda: store.swap("a", b"x", None), "s3:PutObject"),
            (lambda: store.delete(["a"]), "s3:DeleteObject"),
            (lambda: list(store.list("")), "s3:ListBucket"),
        ):
            with pytest.raises(Denied) as caught:
                operation()
            assert f"need {right} there" in caught.value.hint, caught.value
            assert ("without permission to list" in caught.value.hint) == (right == "s3:GetObject")


@pytest.mark.parametrize(
    ("key", "secret", "message"),
    [
        ("", "", "$AWS_ACCESS_KEY_ID is set, and empty"),
        ("", None, "$AWS_ACCESS_KEY_ID is set, and empty"),
        (None, "", "$AWS_SECRET_ACCESS_KEY is set, and empty"),
        ("a", None, "$AWS_ACCESS_KEY_ID is set, and $AWS_SECRET_ACCESS_KEY is not"),
        ("a", "", "$AWS_ACCESS_KEY_ID is set, and $AWS_SECRET_ACCESS_KEY is not"),
        ("", SECRET, "$AWS_SECRET_ACCESS_KEY is set, and $AWS_ACCESS_KEY_ID is not"),
        (None, SECRET, "$AWS_SECRET_ACCESS_KEY is set, and $AWS_ACCESS_KEY_ID is not"),
        (None, None, None),
        ("a", SECRET, None),
    ],
)
def test_half_of_a_secret(
    key: str | None, secret: str | None, message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job gets a secret that it has no right to as an empty variable: that is said before anything is asked."""
    given = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "HOME": "/nonexistent"}
    use_environment(monkeypatch, {name: value for name, value in given.items() if value is not None})
    if (key is None) == (secret is None) and bool(key) == bool(secret):
        open_object_store("s3://b/log", anonymous=True)
    if message is None:
        open_object_store("s3://b/log")
        return
    with pytest.raises(UsageError) as caught:
        open_object_store("s3://b/log")
    assert caught.value.message == message
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_a_bad_endpoint(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that has it is named, and its value is not shown."""
    use_environment(monkeypatch, {variable: f"{SECRET}:9000"})
    with pytest.raises(UsageError, match=rf"^\${variable} is not http\(s\)://HOST") as caught:
        open_object_store("s3://b/log")
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("services", [False, True])
def test_the_server_of_a_profile(services: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The profile says where the bucket is; its S3 service goes before it, and a variable before both."""
    pytest.importorskip("boto3", reason="NOT TESTED with profiles: boto3 is not installed")
    with ObjectServer("s3") as server, ObjectServer("s3") as other:
        at = other.url if services else server.url
        text = f"[profile logs]\nregion = us-east-1\nendpoint_url = {at}\n"
        text += f"services = local\n[services local]\ns3 =\n  endpoint_url = {server.url}\n" if services else ""
        (tmp_path / "config").write_text(text)
        (tmp_path / "credentials").write_text("[logs]\naws_access_key_id = tester\naws_secret_access_key = x\n")
        paths = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
        use_environment(monkeypatch, {name: str(tmp_path / path) for name, path in paths.items()})
        open_object_store("s3://b/log?profile=logs").create({"a": b"b"})
        assert server.requests
        assert not other.requests
        monkeypatch.setenv("AWS_ENDPOINT_URL", other.url)
        open_object_store("s3://b/log?profile=logs").create({"a": b"b"})
        assert other.requests


def test_a_name_that_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that cannot be found, and a server without TLS, are told from one that refuses the connection."""
    use_environment(monkeypatch, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET})
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            with plain.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        Thread(target=answer, daemon=True).start()
        at = f"https://127.0.0.1:{plain.getsockname()[1]}"
        for endpoint, said in (
            ("http://nobody.invalid:1", "the host name cannot be resolved, at http://nobody.invalid:1"),
            (at, f"no secure connection: the server does not speak TLS, at {at}"),
        ):
            store = open_object_store(f"s3://b/log?endpoint={endpoint}", retry=False)
            store._clock = Clock(sleep=lambda _seconds: None)
            with pytest.raises(TilesError) as caught:
                store.read("a")
            assert said in caught.value.message
            assert "?endpoint= in the URL, $AWS_ENDPOINT_URL_S3 or $AWS_ENDPOINT_URL" in caught.value.hint
