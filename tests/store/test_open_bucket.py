"""URLs of object stores: what they and the environment may say, and that no secret is ever shown."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")

from tests.support.bucket_logs import LOG, PRIVATE, over_tls, use_environment
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Answer, Request
from tests.support.object_server_rules import reading
from tiles.errors import AccessError, Denied, NotFound, UsageError
from tiles.store.address import is_object_url
from tiles.store.open_bucket import open_object_store

SECRET = "S3CR3Tmarked"


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begin with an empty environment, and a home without credentials."""
    use_environment(monkeypatch, {"HOME": str(tmp_path)})
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


def config(url: str, **options: Any) -> dict[str, str]:
    """Return what obstore was told for a URL."""
    found: dict[str, str] = dict(open_object_store(url, **options)._client.config)
    return found


# ---- what is said


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("s3://b/log", {}, {"region": "us-east-1", "virtual_hosted_style_request": "true", "endpoint": None}),
        ("s3://b.c/log", {}, {"virtual_hosted_style_request": "false"}),
        ("s3://b/log?region=eu-west-1", {"AWS_REGION": "x"}, {"region": "eu-west-1"}),
        ("s3://b/log", {"AWS_REGION": "x", "AWS_DEFAULT_REGION": "y"}, {"region": "x"}),
        ("s3://b/log", {"AWS_DEFAULT_REGION": "y"}, {"region": "y"}),
        ("S3://b/log?endpoint=http://h:1/", {}, {"endpoint": "http://h:1", "virtual_hosted_style_request": "false"}),
        ("s3://b/l", {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://s"}, {"endpoint": "http://s"}),
        ("s3://b/l", {"AWS_ENDPOINT_URL": "http://a"}, {"endpoint": "http://a"}),
        ("s3://b/l?endpoint=http://o", {"AWS_ENDPOINT_URL_S3": "http://s"}, {"endpoint": "http://o"}),
        (
            "s3://b/log?endpoint=https://h:1&path_style=false",
            {},
            {"endpoint": "https://b.h:1", "virtual_hosted_style_request": "true"},
        ),
        ("s3://b/log?path_style=true", {}, {"virtual_hosted_style_request": "false", "endpoint": None}),
        ("s3://b/log?checksum=none", {}, {"checksum_algorithm": None}),
        ("s3://b/log", {}, {"checksum_algorithm": "SHA256"}),
        ("gs://b/log", {"GOOGLE_BASE_URL": "http://g"}, {"base_url": "http://g"}),
        ("gs://b/log?endpoint=http://h", {"GOOGLE_BASE_URL": "http://g"}, {"base_url": "http://h"}),
        ("az://b/log?account=one", {"AZURE_STORAGE_ACCOUNT_NAME": "two"}, {"account_name": "one"}),
        ("az://b/log", {"AZURE_STORAGE_ACCOUNT_NAME": "two"}, {"account_name": "two"}),
        ("az://b/log?account=a&endpoint=http://h/a", {}, {"endpoint": "http://h/a"}),
        ("az://b/log?account=a", {"AZURE_STORAGE_ENDPOINT": "http://e/a"}, {"endpoint": "http://e/a"}),
    ],
)
def test_options_and_environment(
    url: str, environment: dict[str, str], expected: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options of the URL over variables over defaults; with an endpoint the bucket's name is in the path."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = config(url)
    assert {name: found.get(name) for name in expected} == expected
    assert config(url, anonymous=True)["skip_signature"] == "true"


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///log",
        "s3://b/a//b",
        "s3://b/../c",
        "s3://b/log#x",
        "s3://bück/log",
        "s3://b k/log",
        f"s3://key:{SECRET}@b/log",
        f"s3://{SECRET}@b/log",
        "s3://host:9000/b",
        "https://b/log",
        f"s3://b/log?access_key_id=x&secret={SECRET}",
        f"s3://b/log?{SECRET}",
        f"s3://b/log?region=x&{SECRET}=",
        f"az://b/log?sv=2022&sig={SECRET}",
        f"gs://b/log?endpoint=https://u:{SECRET}@h",
        f"s3://b/log?endpoint=https://h/?token={SECRET}",
        f"s3://b/log?endpoint={SECRET}:9000",
        "s3://b/log?endpoint=ftp://h",
        "s3://b/log?path_style=yes",
        f"s3://b/log?checksum={SECRET}",
        "gs://b/log?region=x",
        "az://b/log",
    ],
)
def test_wrong_urls(url: str, tiletree: Command) -> None:
    """They are refused as a wrong call, by the library and by the command, and nothing in them is shown."""
    with pytest.raises(UsageError) as caught:
        open_object_store(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value)).split("in test_wrong_urls")[-1]
    is_host = "@" in url.partition("?")[0] or ":9000/" in url
    assert caught.value.message.endswith("names no user, password, host or port") == is_host
    if not is_object_url(url):
        return
    for arguments in (["init", url, "--private", PRIVATE], ["init", LOG, "--private", url], ["init", url]):
        done = tiletree(*arguments, "--origin", ORIGIN, "--json")
        assert done.code == 2, done
        assert SECRET not in done.out + done.err
    assert not list(Path().rglob("*.key"))


def test_a_bad_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says is as secret as what the URL says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://user:{SECRET}@host")
    with pytest.raises(UsageError) as caught:
        open_object_store("s3://b/log")
    assert SECRET not in str(caught.value) + caught.value.hint


# ---- credentials

PROFILES = """\
[default]
aws_access_key_id = of-default
aws_secret_access_key = x
[ci]
aws_access_key_id = of-ci
aws_secret_access_key = x
"""


@pytest.mark.parametrize(
    ("option", "environment", "who"),
    [
        ("", {}, "of-default"),
        ("?profile=ci", {}, "of-ci"),
        ("", {"AWS_PROFILE": "ci"}, "of-ci"),
        ("", {"AWS_PROFILE": "ci", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9"}, "of-ci"),
        ("?profile=default", {"AWS_PROFILE": "ci"}, "of-default"),
        ("", {"AWS_ACCESS_KEY_ID": "of-variables", "AWS_SECRET_ACCESS_KEY": "x"}, "of-variables"),
        (
            "",
            {"AWS_PROFILE": "ci", "AWS_ACCESS_KEY_ID": "of-variables", "AWS_SECRET_ACCESS_KEY": "x"},
            "of-variables",
        ),
        ("?profile=ci", {"AWS_ACCESS_KEY_ID": "of-variables", "AWS_SECRET_ACCESS_KEY": "x"}, "of-ci"),
    ],
)
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_profiles(
    option: str, environment: dict[str, str], who: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A profile's credentials and region; a profile that the URL names comes before variables, others after."""
    pytest.importorskip("boto3", reason="NOT TESTED with profiles: boto3 is not installed")
    (tmp_path / "credentials").write_text(PROFILES)
    (tmp_path / "config").write_text("[default]\nregion = of-default\n[profile ci]\nregion = of-ci\n")
    seen: list[str] = []
    with ObjectServer("s3") as server:
        respond = server._http.respond

        def note(request: Request) -> Answer | None:
            seen.append(request.headers.get("authorization", ""))
            return respond(request)

        server._http.respond = note
        paths = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
        named = {name: str(tmp_path / path) for name, path in paths.items()}
        for name, value in {**named, "AWS_ENDPOINT_URL": server.url, **environment}.items():
            monkeypatch.setenv(name, value)
        open_object_store(f"s3://b/log{option}").create({"a": b"b"})
        with pytest.raises(UsageError, match="'nobody' gives no credentials"):
            open_object_store("s3://b/log?profile=nobody")
        assert f"Credential={who}/" in seen[0]
        region = "us-east-1" if who == "of-variables" else who
        assert f"/{region}/s3/" in seen[0]
        assert config(f"s3://b/log{option}", anonymous=True)["region"] == region


@pytest.mark.parametrize(("dialect", "scheme"), [("s3", "s3"), ("gcs", "gs"), ("azure", "az")])
def test_anonymous(dialect: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An anonymous reader sends no credentials, whatever there are."""
    with ObjectServer(dialect) as server:
        use_environment(monkeypatch, server.environment())
        open_object_store(f"{scheme}://b/log").create({"a": b"b"})
        server.access = {"tester": reading("b"), "": lambda _request: False}
        seen: list[Request] = []
        respond = server._http.respond
        server._http.respond = lambda request: seen.append(request) or respond(request)  # type: ignore[func-returns-value]
        with pytest.raises((Denied, NotFound)):
            open_object_store(f"{scheme}://b/log", anonymous=True).read("a")
        assert [name for name in seen[0].headers if name in ("authorization", "x-amz-security-token")] == []


def test_an_authority_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_CA_BUNDLE vouches for a server that nobody knows, every certificate in it; one that is not there is said."""
    with over_tls(monkeypatch, tmp_path) as bundle:
        with pytest.raises(AccessError, match="no secure connection: the server's certificate is not accepted"):
            open_object_store("s3://b/log", retry=False).create({"a": b"b"})
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        open_object_store("s3://b/log").create({"a": b"b"})
        monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/bundle.pem")
        with pytest.raises(UsageError, match="FileNotFoundError"):
            open_object_store("s3://b/log")
