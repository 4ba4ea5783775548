"""The object server that other tests take for S3, GCS or Azure: what clients see of it, and that it breaks as told."""

from __future__ import annotations

import gzip
import http.client
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.certificates import few_authorities
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault, anything, creating, looking_first, possible, reading

obstore = pytest.importorskip("obstore", reason="NOT TESTED: obstore is not installed")

from obstore.exceptions import AlreadyExistsError, GenericError, PermissionDeniedError, PreconditionError  # noqa: E402
from obstore.store import AzureStore, GCSStore, S3Store  # noqa: E402

CLASSES = {"s3": S3Store, "gcs": GCSStore, "azure": AzureStore}
THREADS = 8
SWITCHES = {"AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", *few_authorities()}  # options of the connection, not of the store
AT_ONCE = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=2), "base": 2}
HEADERS = {"Content-Type": "text/plain", "Cache-Control": "no-store, no-transform", "Content-Encoding": "gzip"}


def client(server: ObjectServer, bucket: str = "logs", *, who: str = "tester", retries: int = 3, **more: Any) -> Any:
    """Return a client of one bucket."""
    # obstore takes the same names, in lower case, as options
    config = {name.lower(): value for name, value in server.environment(who).items() if name not in SWITCHES}
    return CLASSES[server.dialect](
        bucket,
        config=config,
        client_options={"allow_http": True},
        retry_config={"max_retries": retries, "backoff": AT_ONCE, "retry_timeout": timedelta(seconds=5)},
        **more,
    )


@pytest.fixture(params=CLASSES)
def server(request: pytest.FixtureRequest) -> Iterator[ObjectServer]:
    """A server of each dialect, with pages of 3."""
    with ObjectServer(request.param, page=3) as one:
        yield one


@pytest.fixture
def s3() -> Iterator[ObjectServer]:
    """An S3 server."""
    with ObjectServer() as one:
        yield one


def version(of: dict[str, Any]) -> dict[str, str]:
    """Return what obstore takes for the version of an object."""
    return {name: of[name] for name in ("e_tag", "version") if of.get(name)}


def fetched(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Get a URL as a browser does."""
    request = Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.status, {n.lower(): v for n, v in answer.headers.items()}, answer.read()
    except HTTPError as error:
        with error:
            return error.code, {n.lower(): v for n, v in error.headers.items()}, error.read()


# ---- what clients see


def test_objects(server: ObjectServer) -> None:
    """An object is read back with its headers, whole or in part, whatever its name; and is taken down."""
    store = client(server)
    name = "a b/é+&%.x"
    obstore.put(store, name, b"content", mode="create", attributes=HEADERS)
    found = obstore.get(store, name)
    assert (bytes(found.bytes()), found.attributes) == (b"content", HEADERS)
    assert bytes(obstore.get_range(store, name, start=1, end=3)) == b"on"
    assert obstore.head(store, name)["size"] == 7
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "a b")
    assert server.objects == {"logs": {name: b"content"}}
    assert [(each.kind, each.key) for each in server.requests] == [
        ("PUT", name),
        ("GET", name),
        ("GET", name),
        ("HEAD", name),
        ("GET", "a b"),
    ]


def test_create_and_swap(server: ObjectServer) -> None:
    """A create of what is there, and a swap from what is not there any more, change nothing."""
    store = client(server)
    old = version(obstore.put(store, "a", b"1", mode="create"))
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "a", b"2", mode="create")
    new = version(obstore.put(store, "a", b"3", mode=old))
    assert version(obstore.head(store, "a")) == new != old
    for path in ("a", "b"):
        with pytest.raises(PreconditionError):
            obstore.put(store, path, b"4", mode=old)
    assert server.objects == {"logs": {"a": b"3"}}


def test_lists(server: ObjectServer) -> None:
    """A list is of all keys below the prefix in the order of their bytes, however many pages it takes."""
    store = client(server)
    keys = ["a", "b/&<", "b/1", "b/10", "b/c/d", "b/\uff5a", "b/\U0001f332", "b0", "\u00e9"]
    for key in keys:
        obstore.put(store, key, key.encode(), mode="create")
    assert [one["path"] for batch in obstore.list(store) for one in batch] == keys
    assert [(one["path"], one["size"]) for one in obstore.list(store, "b/").collect()] == [
        (key, len(key.encode())) for key in keys[1:7]
    ]
    assert [each.status for each in server.requests if each.kind == "LIST"] == [200] * 5
    assert obstore.list_with_delimiter(store, "b/")["common_prefixes"] == ["b/c"]


def test_delete(server: ObjectServer) -> None:
    """Objects are deleted one by one or many at once."""
    store = client(server)
    for i in range(5):
        server.put("logs", str(i), b"")
    obstore.delete(store, "0")
    obstore.delete(store, ["1", "3"])
    assert list(server.objects["logs"]) == ["2", "4"]


@pytest.fixture
def hectic() -> Iterator[None]:
    """Let threads take turns all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hectic")
@pytest.mark.parametrize("swap", [False, True])
def test_of_writers_that_race_one_wins(server: ObjectServer, swap: bool) -> None:
    """Of eight creates, or swaps from one version, at the same time, exactly one succeeds; each round."""
    store = client(server)
    rounds = 25
    gate = threading.Barrier(THREADS)

    def run(number: int) -> list[bool]:
        won = []
        for at in range(rounds):
            mode = version(obstore.head(store, "0")) if swap else "create"
            gate.wait()
            try:
                obstore.put(store, "0" if swap else str(at), b"%d %d" % (number, at), mode=mode)
                won.append(True)
            except (AlreadyExistsError, PreconditionError):
                won.append(False)
            gate.wait()
        return won

    server.put("logs", "0" if swap else "other", b"")
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(run, range(THREADS)))
    assert [sum(each) for each in zip(*results, strict=True)] == [1] * rounds
    written = [each for each in server.requests if each.kind == "PUT" and each.status in (200, 201)]
    assert len(written) == rounds


@pytest.mark.parametrize("swap", [False, True])
def test_a_gap_between_look_and_write(server: ObjectServer, swap: bool) -> None:
    """Where the server is told to look first, two writers may win; it looks in one bucket only, if told so."""
    store, other = client(server), client(server, "others")
    server.gap = looking_first(0.2, bucket="logs")
    for each, winners in ((store, 2), (other, 1)):
        mode: Any = version(obstore.put(each, "a", b"")) if swap else "create"
        gate = threading.Barrier(2)

        def write(data: bytes, each: Any = each, mode: Any = mode, gate: threading.Barrier = gate) -> int:
            gate.wait()
            try:
                obstore.put(each, "a", data, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                return 0
            return 1

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(write, [b"1", b"2"])) == winners


def test_environment(server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variables are all that a client needs."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    options = (
        {"client_options": {"allow_http": True}} if server.dialect == "gcs" else {}
    )  # which has no variable for it
    store = CLASSES[server.dialect]("logs", **options)
    obstore.put(store, "a", b"1", mode="create")
    assert server.objects == {"logs": {"a": b"1"}}


def test_boto3(s3: ObjectServer) -> None:
    """Another client of S3 understands it as well: headers, errors, pages, deletions."""
    boto3 = pytest.importorskip("boto3", reason="NOT TESTED with boto3: it is not installed")
    from botocore.config import Config
    from botocore.exceptions import ClientError

    s3.page = 2
    names = s3.environment()
    connection = boto3.client(
        "s3",
        endpoint_url=s3.url,
        region_name=names["AWS_REGION"],
        aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    bucket: dict[str, Any] = {"Bucket": "logs"}
    tag = connection.put_object(**bucket, Key="a/é", Body=b"12", IfNoneMatch="*", ContentType="x/y")["ETag"]
    found = connection.get_object(**bucket, Key="a/é")
    assert (found["Body"].read(), found["ETag"], found["ContentType"]) == (b"12", tag, "x/y")
    wrong: list[tuple[Callable[[], object], int, str]] = [
        (lambda: connection.put_object(**bucket, Key="a/é", Body=b"", IfNoneMatch="*"), 412, "PreconditionFailed"),
        (lambda: connection.put_object(**bucket, Key="a/é", Body=b"", IfMatch='"0"'), 412, "PreconditionFailed"),
        (lambda: connection.put_object(**bucket, Key="b", Body=b"", IfMatch=tag), 404, "NoSuchKey"),
        (lambda: connection.get_object(**bucket, Key="b"), 404, "NoSuchKey"),
        (lambda: connection.delete_objects(**bucket, Delete={"Objects": []}), 400, "MalformedXML"),
    ]
    for call, status, code in wrong:
        with pytest.raises(ClientError) as caught:
            call()
        answer = caught.value.response
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    for key in "bcd":
        connection.put_object(**bucket, Key=key, Body=b"")
    pages = list(connection.get_paginator("list_objects_v2").paginate(**bucket))
    assert [[one["Key"] for one in page["Contents"]] for page in pages] == [["a/é", "b"], ["c", "d"]]
    connection.delete_objects(**bucket, Delete={"Objects": [{"Key": key} for key in ("a/é", "c", "never")]})
    assert s3.objects == {"logs": {"b": b"", "d": b""}}
    connection.close()


def test_plain_http(s3: ObjectServer) -> None:
    """Anyone can read with nothing but HTTP, and ask again only for what has changed."""
    s3.put("logs", "a b", b"0123456789", content_type="text/plain")
    url = f"{s3.url}/logs/a%20b"
    status, headers, body = fetched(url)
    assert (status, body, headers["content-type"]) == (200, b"0123456789", "text/plain")
    assert fetched(url, If_None_Match=headers["etag"])[0] == 304
    assert fetched(url, If_Match='"other"')[0] == 412
    assert fetched(url, Range="bytes=-3")[::2] == (206, b"789")
    assert fetched(url, Range="bytes=8-20")[::2] == (206, b"89")
    assert fetched(url, Range="bytes=10-")[0] == 416
    assert fetched(f"{s3.url}/logs/none")[0] == 404


def test_gcs_unpacks_gzip_unless_told() -> None:
    """GCS unpacks what is stored as gzip for whoever does not ask for gzip, unless the object forbids it."""
    packed = gzip.compress(b"content")
    with ObjectServer("gcs") as server:
        server.put("logs", "a", packed, content_encoding="gzip")
        server.put("logs", "b", packed, content_encoding="gzip", cache_control="no-transform")
        store = client(server)
        assert bytes(obstore.get(store, "a").bytes()) == b"content"
        assert bytes(obstore.get(store, "b").bytes()) == packed
        assert fetched(f"{server.url}/logs/a", Accept_Encoding="gzip")[2] == packed


def test_gcs_takes_only_generations_for_conditions() -> None:
    """GCS ignores If-None-Match and If-Match on writes."""
    with ObjectServer("gcs") as server:
        server.put("logs", "a", b"1")
        for name, value in (("If-None-Match", "*"), ("If-Match", '"0"')):
            url = f"{server.url}/logs/a"
            with urlopen(Request(url, b"2", {name: value}, method="PUT"), timeout=5) as answer:
                assert answer.status == 200
        assert server.objects["logs"]["a"] == b"2"


@pytest.mark.parametrize(
    ("dialect", "header", "lost"),
    [
        ("s3", "if-none-match", "create"),
        ("s3", "if-match", "swap"),
        ("gcs", "x-goog-if-generation-match", "both"),
        ("azure", "if-none-match", "create"),
        ("azure", "if-match", "swap"),
    ],
)
def test_ignores(dialect: str, header: str, lost: str) -> None:
    """A server that ignores a condition overwrites."""
    with ObjectServer(dialect, ignores=[header]) as server:
        store = client(server)
        old = version(obstore.put(store, "a", b"1", mode="create"))
        obstore.put(store, "a", b"2", mode=old)
        for mode, broken in (("create", lost in ("create", "both")), (old, lost in ("swap", "both"))):
            try:
                obstore.put(store, "a", b"3", mode=mode)
            except (AlreadyExistsError, PreconditionError):
                assert not broken
            else:
                assert broken


# ---- who may do what


def test_access(s3: ObjectServer) -> None:
    """One may all, one may only create below a prefix, everyone may read one bucket, and nobody anything else."""
    s3.access = {"tester": anything, "carol": creating("private", "inbox/carol/"), "": reading("public")}
    owner, carol = (client(s3, "private", who=who) for who in ("tester", "carol"))
    obstore.put(carol, "inbox/carol/1", b"1", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(carol, "inbox/carol/1", b"2", mode="create")
    for call in (
        lambda: obstore.put(carol, "inbox/carol/1", b"2"),
        lambda: obstore.put(carol, "inbox/carol/1", b"2", mode={"e_tag": "x"}),
        lambda: obstore.put(carol, "inbox/dave/1", b"2", mode="create"),
        lambda: obstore.put(client(s3, "public", who="carol"), "inbox/carol/1", b"2", mode="create"),
        lambda: obstore.get(carol, "inbox/carol/1"),
        lambda: obstore.get(carol, "inbox/carol/none"),
        lambda: obstore.list(carol, "inbox/carol/").collect(),
        lambda: obstore.delete(carol, "inbox/carol/1"),
        lambda: obstore.get(client(s3, "private", who="mallory"), "inbox/carol/1"),
    ):
        with pytest.raises((PermissionDeniedError, GenericError), match=r"403|AccessDenied"):
            call()
    assert bytes(obstore.get(owner, "inbox/carol/1").bytes()) == b"1"
    s3.access["erin"] = lambda request: request.kind == "PUT"
    erin = client(s3, "private", who="erin")
    obstore.put(erin, "inbox/carol/1", b"3")
    with pytest.raises(PermissionDeniedError):  # it would tell her what is there
        obstore.put(erin, "inbox/carol/1", b"2", mode={"e_tag": "x"})
    s3.put("public", "checkpoint", b"signed")
    assert fetched(f"{s3.url}/public/checkpoint")[::2] == (200, b"signed")
    assert fetched(f"{s3.url}/private/inbox/carol/1")[0] == 403
    assert fetched(f"{s3.url}/public?list-type=2")[0] == 403
    # as in S3: that something is not there is told only to who may list
    assert fetched(f"{s3.url}/public/none")[0] == 403


def test_given_buckets() -> None:
    """Of a server that was given its buckets, there are no others."""
    with ObjectServer(buckets=["logs"]) as server:
        obstore.put(client(server), "a", b"")
        with pytest.raises((FileNotFoundError, GenericError)):
            obstore.put(client(server, "other"), "a", b"")
        assert server.objects == {"logs": {"a": b""}}


# ---- what goes wrong


def once(at: int, fault: Fault) -> Callable[[int, str, str], Fault | None]:
    """Return a hook: one request goes wrong."""
    return lambda number, _kind, _where: fault if number == at else None


# what a create by obstore comes to, and how many requests it takes: no client can do without reading back
CREATED: dict[Fault, tuple[type[Exception] | None, int, bool]] = {
    Fault.CONFLICT: (AlreadyExistsError, 1, False),
    Fault.BUSY: (None, 2, True),
    Fault.DROPPED: (None, 2, True),
    Fault.DONE_DROPPED: (AlreadyExistsError, 2, True),
    Fault.DONE_BROKEN: (AlreadyExistsError, 2, True),
    Fault.LATE: (None, 2, True),
    Fault.SLOW: (None, 1, True),
}


def test_every_fault_of_a_write_is_tried() -> None:
    """The table below has all that can go wrong with a write."""
    assert set(CREATED) == set(possible("PUT"))


@pytest.mark.parametrize("fault", CREATED)
def test_faults_of_create(s3: ObjectServer, fault: Fault) -> None:
    """What goes wrong with a create goes wrong as told: the object is there or not, and the requests are taken down."""
    error, requests, there = CREATED[fault]
    s3.fault = once(0, fault)
    try:
        obstore.put(client(s3), "a", b"1", mode="create")
        assert error is None
    except AlreadyExistsError:
        assert error is AlreadyExistsError
    assert len(s3.requests) == requests
    assert s3.requests[0].fault is fault
    assert (s3.objects.get("logs", {}) == {"a": b"1"}) == there


def test_late(s3: ObjectServer) -> None:
    """What is late happens after the next request, under its own condition, and at the latest when things settle."""
    store = client(s3, retries=0)
    for at, (mode, late) in enumerate([("create", b"0"), ("create", b"1"), ("overwrite", b"2")]):
        s3.fault = once(s3.count, Fault.LATE)
        with pytest.raises(GenericError):
            obstore.put(store, "a", late, mode=mode, use_multipart=False)
        s3.fault = None
        if at == 0:
            obstore.put(store, "a", b"now", mode="create")
            assert s3.objects["logs"]["a"] == b"now"
    s3.settle()
    assert s3.objects["logs"]["a"] == b"2"


def test_late_for_longer(s3: ObjectServer) -> None:
    """What is late may take any number of requests, and be hurried."""
    store = client(s3, retries=0)
    s3.lateness = 100
    s3.fault = once(0, Fault.LATE)
    with pytest.raises(GenericError):
        obstore.put(store, "a", b"1", mode="create")
    assert s3.hurry(2)
    for there in (False, False, True):
        assert ("a" in s3.objects.get("logs", {})) == there
        obstore.list(store).collect()
    assert not s3.hurry(1)


def test_hooks(s3: ObjectServer) -> None:
    """Every write is told, also a late one; a request can be held on its way, and on its way back."""
    told: list[str] = []
    s3.wrote = lambda bucket, key: told.append(f"{bucket}/{key}")
    s3.held = lambda request, moment: told.append(f"{moment} {request.who} {request.kind}")
    s3.fault = once(0, Fault.LATE)
    obstore.put(client(s3, who="carol"), "a", b"1", mode="create")
    assert told == ["before carol PUT", "after carol PUT", "before carol PUT", "logs/a", "after carol PUT"]


def test_a_hook_that_fails_fails_the_test() -> None:
    """What a hook raises is answered with 500, and raised again where the server ends, or by `check`."""

    def broken(bucket: str, key: str) -> None:
        raise AssertionError(f"{bucket}/{key}")

    with (
        pytest.raises(AssertionError, match="logs/a"),
        ObjectServer(wrote=broken) as server,
        pytest.raises(GenericError),
    ):
        obstore.put(client(server, retries=0), "a", b"1", mode="overwrite", use_multipart=False)


def test_truncated(s3: ObjectServer) -> None:
    """A truncated body announces all and sends half of it."""
    s3.put("logs", "a", b"12345")
    s3.fault = once(0, Fault.TRUNCATED)
    with pytest.raises(http.client.IncompleteRead) as caught:
        fetched(f"{s3.url}/logs/a")
    assert caught.value.partial == b"12"


def test_out_of_step(server: ObjectServer) -> None:
    """A list out of step lacks the latest object below its prefix, and shows what was deleted, until things settle."""
    store = client(server)
    for key in ("a/1", "a/3", "a/2", "b"):
        server.put("logs", key, b"")
    server.remove("logs", "a/3")

    def listed() -> list[str]:
        return [one["path"] for one in obstore.list(store, "a/").collect()]

    server.fault = lambda _number, kind, _where: Fault.OUT_OF_STEP if kind == "LIST" else None
    assert listed() == ["a/1", "a/3"]
    server.settle()
    assert listed() == ["a/1", "a/2"]
    server.fault = None
    assert listed() == ["a/1", "a/2"]


def test_faults_of_reading(server: ObjectServer) -> None:
    """What can go wrong once with reading is got over by a client that tries again, all but half a list."""
    store = client(server)
    calls: dict[str, Callable[[], object]] = {
        "GET": lambda: bytes(obstore.get(store, "a").bytes()) == bytes(100_000),
        "LIST": lambda: [one["path"] for one in obstore.list(store, "").collect()] == ["a"],
        "HEAD": lambda: obstore.head(store, "a")["size"] == 100_000,
    }
    server.put("logs", "a", bytes(100_000))
    server.settle()
    for kind, call in calls.items():
        for fault in possible(kind):
            server.fault = once(server.count, fault)
            if (kind, fault) == ("LIST", Fault.TRUNCATED):
                with pytest.raises(GenericError):
                    call()
                continue
            assert call(), (kind, fault)
            assert fault in [each.fault for each in server.requests[-2:]]
