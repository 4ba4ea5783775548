"""Opening object stores by URL: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, with options.

    s3://bucket/log?region=eu-central-1                         Amazon S3
    s3://bucket/log?endpoint=https://minio.example.com:9000     MinIO, R2, Ceph, whatever speaks S3

Credentials come from where the store's own tools take them: environment variables, a profile, the machine's role.
They are never part of a URL, which is shown and remembered.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from tiles.errors import UsageError
from tiles.parallel import BUCKET_REQUESTS
from tiles.store.paths import is_path

if TYPE_CHECKING:
    from tiles.store.bucket import ObjectStore


_OPTIONS = {
    "s3": ("endpoint", "region", "profile", "path_style", "checksum"),
    "gs": ("endpoint",),
    "az": ("endpoint", "account"),
}
SCHEMES = frozenset(_OPTIONS)

_TIMEOUT = timedelta(seconds=120)  # for one request, which may send or bring 64 MiB
_RETRIES: Any = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"max_backoff": timedelta(seconds=5)},
}
_ONCE: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=60)}
_BUCKET = re.compile(r"[A-Za-z0-9$._-]{1,255}", re.ASCII)
_OPTION = re.compile(r"[a-z_]{1,30}", re.ASCII)
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._/-]*)?", re.ASCII | re.IGNORECASE)
_PROVIDED = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def is_object_url(url: str) -> bool:
    """Tell whether a URL is one of an object store."""
    scheme, separator, _ = url.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def shown_object_url(url: str) -> str:
    """Return the URL of an object store as it is shown: without options. Raises UsageError if it is none."""
    scheme, bucket, prefix, _ = _split(url)
    return f"{scheme}://{bucket}/{prefix}".rstrip("/")


def bucket_of(url: str) -> str:
    """Return the URL of the whole bucket that a URL of an object store names a part of."""
    scheme, bucket, _, _ = _split(url)
    return f"{scheme}://{bucket}"


def with_suffix(url: str, suffix: str) -> str:
    """Return the URL with something appended to its prefix, its options as they are."""
    base, separator, options = url.partition("?")
    return f"{base.rstrip('/')}{suffix}{separator}{options}"


def open_object_store(url: str, *, anonymous: bool = False, retry: bool = True) -> ObjectStore:
    """Return the store that a URL names. Nothing is asked of it yet.

    anonymous   send no credentials, as any reader would
    retry       ask again where there is no answer; without it, nothing is created a second time after it was deleted
    Raises UsageError for a URL or options that are none.
    """
    scheme, bucket, prefix, options = _split(url)
    try:
        from tiles.store.bucket import Clients, ObjectStore
    except ImportError:
        raise UsageError("for object stores, obstore is needed", hint="pip install 'tiletree[cloud]'") from None
    make = {"s3": _s3, "gs": _gcs, "az": _azure}[scheme]
    try:
        patient, once = (
            make(bucket, prefix or None, options, retries, anonymous)
            for retries in (_RETRIES if retry else _ONCE, _ONCE)
        )
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001  of whatever the options or the environment say; their text may be secret
        raise UsageError(
            f"{shown_object_url(url)} cannot be opened ({type(error).__name__})",
            hint="look at the URL's options, and at the environment variables of the store's own tools",
        ) from None
    clients = Clients(patient, once, "version" if scheme == "gs" else "e_tag")
    return ObjectStore(url, clients)


def _split(url: str) -> tuple[str, str, str, dict[str, str]]:
    """Return scheme, bucket, prefix and options. The messages repeat no part that may be secret."""
    base, _, query = url.partition("?")
    scheme, _, rest = base.partition("://")
    scheme = scheme.lower()
    bucket, _, prefix = rest.partition("/")
    if scheme not in SCHEMES:
        raise UsageError("not a URL of an object store", hint="it begins with s3://, gs:// or az://")
    if "@" in bucket or ":" in bucket:
        raise UsageError(
            f"a {scheme}:// URL names no user, password, host or port",
            hint=f"write {scheme}://BUCKET/PREFIX?endpoint=…; credentials come from the environment",
        )
    prefix = unquote(prefix).strip("/")
    if not _BUCKET.fullmatch(bucket) or "#" in url or (prefix and not is_path(prefix)):
        raise UsageError(f"not {scheme}://BUCKET/PREFIX")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if (query and not options) or (unknown := [name for name in options if name not in _OPTIONS[scheme]]):
        named = repr(unknown[0]) if options and _OPTION.fullmatch(unknown[0]) and f"{unknown[0]}=" in query else "that"
        known = ", ".join(_OPTIONS[scheme])
        raise UsageError(f"{scheme}://{bucket}: {named} is no option", hint=f"these are: {known}")
    return scheme, bucket, prefix, options


def open_boto3_client(url: str) -> tuple[Any, str, str]:
    """Return boto3's client for what a URL of S3 names, the bucket and the prefix. Raises UsageError without boto3."""
    scheme, bucket, prefix, options = _split(url)
    if scheme != "s3":
        raise UsageError(f"{scheme}:// is not S3")
    try:
        import boto3  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError("boto3 is needed", hint="pip install 'tiletree[aws]'") from None
    endpoint = _endpoint(options, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    region = options.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    session = boto3.Session(profile_name=options.get("profile"), region_name=region or "us-east-1")
    return session.client("s3", endpoint_url=endpoint), bucket, prefix


def options_of(url: str) -> str:
    """Return the options of a URL, with the question mark; "" if it has none."""
    _, separator, options = url.partition("?")
    return separator + options


def _check_endpoint(endpoint: str) -> str:
    """Return the address of a server. Raises UsageError, which does not repeat it: it may hold a password."""
    if not _ENDPOINT.fullmatch(endpoint):
        raise UsageError(
            "the endpoint is not http(s)://HOST, without user and password",
            hint="look at the URL's options, and at the environment variables of the store's own tools",
        )
    return endpoint.rstrip("/")


def _endpoint(options: dict[str, str], *variables: str) -> str | None:
    """Return where the server is that is not the store's own one, None for that."""
    named = next(filter(None, (options.get("endpoint"), *map(os.environ.get, variables))), None)
    return named and _check_endpoint(named)


def _client_options(endpoint: str | None) -> Any:
    options = {
        "timeout": _TIMEOUT,
        "connect_timeout": timedelta(seconds=10),
        "pool_max_idle_per_host": str(BUCKET_REQUESTS),
    }
    if endpoint and endpoint.lower().startswith("http://"):
        options["allow_http"] = True
    elif bundle := os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"):
        options["root_certificate"] = Path(bundle).read_bytes()
    return options


def _s3(bucket: str, prefix: str | None, options: dict[str, str], retry: Any, anonymous: bool) -> Any:
    from obstore.store import S3Store

    environment = os.environ.get
    endpoint = _endpoint(options, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    region = options.get("region") or environment("AWS_REGION") or environment("AWS_DEFAULT_REGION")
    path_style = _flag(options, "path_style", default=bool(endpoint) or "." in bucket)
    config: Any = {"virtual_hosted_style_request": not path_style}
    if _choice(options, "checksum", "sha256", "none") == "sha256":
        config["checksum_algorithm"] = "SHA256"
    if endpoint:
        scheme, _, host = endpoint.partition("://")
        config["endpoint"] = f"{scheme}://{host}" if path_style else f"{scheme}://{bucket}.{host}"
    provider = None
    if options.get("profile") or _has_profiles():
        provider = _boto3_credentials(options.get("profile"))
        region = region or provider.config.get("region")
    if anonymous:
        config["skip_signature"] = True
    config["region"] = region or "us-east-1"
    return S3Store(
        bucket,
        prefix=prefix,
        config=config,
        client_options=_client_options(endpoint),
        retry_config=retry,
        credential_provider=None if anonymous else provider,
    )


def _has_profiles() -> bool:
    """Whether the credentials are in the files that only boto3 reads."""
    if any(map(os.environ.get, _PROVIDED)):
        return False
    if os.environ.get("AWS_PROFILE"):
        return True
    if any(map(os.environ.get, _CONTAINER)):
        return False
    file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    try:
        return Path(file).expanduser().is_file()
    except (OSError, RuntimeError):  # no home directory, or one that is somebody else's
        return False


def _boto3_credentials(profile: str | None) -> Any:
    try:
        import boto3
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise UsageError("to read AWS profiles, boto3 is needed", hint="pip install 'tiletree[aws]'") from None
    try:
        return Boto3CredentialProvider(boto3.Session(profile_name=profile))
    except Exception as error:  # noqa: BLE001  botocore has many, and their text may be secret
        profile = profile or os.environ.get("AWS_PROFILE")
        named = f"the AWS profile {profile!r}" if profile else "the default AWS profile"
        raise UsageError(f"{named} gives no credentials ({type(error).__name__})") from None


def _gcs(bucket: str, prefix: str | None, options: dict[str, str], retry: Any, anonymous: bool) -> Any:
    from obstore.store import GCSStore

    endpoint = _endpoint(options, "GOOGLE_BASE_URL")
    config: Any = {"base_url": endpoint} if endpoint else {}
    if anonymous:
        config["skip_signature"] = True
    client_options = _client_options(endpoint)
    return GCSStore(bucket, prefix=prefix, config=config, client_options=client_options, retry_config=retry)


def _azure(bucket: str, prefix: str | None, options: dict[str, str], retry: Any, anonymous: bool) -> Any:
    from obstore.store import AzureStore

    endpoint = _endpoint(options, "AZURE_STORAGE_ENDPOINT")
    config: Any = {"endpoint": endpoint} if endpoint else {}
    if account := options.get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME"):
        config["account_name"] = account
    if anonymous:
        config["skip_signature"] = True
    client_options = _client_options(endpoint)
    return AzureStore(bucket, prefix=prefix, config=config, client_options=client_options, retry_config=retry)


def _flag(options: dict[str, str], name: str, *, default: bool) -> bool:
    return _choice(options, name, "true" if default else "false", "true", "false") == "true"


def _choice(options: dict[str, str], name: str, default: str, *others: str) -> str:
    """Return the value of an option that has few of them."""
    value = options.get(name) or default
    if value not in (known := sorted({default, *others})):
        raise UsageError(f"the option {name} is {' or '.join(known)}")
    return value
