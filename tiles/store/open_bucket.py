"""Opening object stores by URL: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, with options.

    s3://bucket/log?region=eu-central-1                         Amazon S3
    s3://bucket/log?endpoint=https://minio.example.com:9000     MinIO, R2, Ceph, whatever speaks S3

Credentials come from where the store's own tools take them: environment variables, a profile, the machine's role.
They are never part of a URL, which is shown and remembered.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiles.errors import UsageError
from tiles.parallel import MOST_BUCKET_REQUESTS
from tiles.store.address import ENDPOINT_VARIABLES, check_endpoint, parse_object_url
from tiles.store.network import authorities_file, certificates

if TYPE_CHECKING:
    from tiles.store.bucket import ObjectStore


_TIMEOUT = timedelta(seconds=120)  # for one request, which may send or bring 64 MiB
_RETRIES: Any = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"max_backoff": timedelta(seconds=5)},
}
_ONCE: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=60)}
_PROVIDED = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def open_object_store(url: str, *, anonymous: bool = False, retry: bool = True, decodes: bool = True) -> ObjectStore:
    """Return the store that a URL names. No request is sent yet.

    anonymous   send no credentials, as any reader would
    retry       ask again where there is no answer; without it, nothing is created a second time after it was deleted
    decodes     read gzip-encoded objects decoded; without it, as they are stored: where nothing of ours is encoded,
                only somebody who wants decoding to cost something stores it so
    Raises UsageError for a malformed URL or option.
    """
    parsed = parse_object_url(url)
    try:
        from tiles.store.bucket import ObjectStore
        from tiles.store.bucket_clients import Clients
    except ImportError:
        raise UsageError("for object stores, obstore is needed", hint="pip install 'tiletree[cloud]'") from None
    make = {"s3": _s3, "gs": _gcs, "az": _azure}[parsed.scheme]
    try:
        patient, once = (
            make(parsed.bucket, parsed.prefix or None, parsed.options, retries, anonymous)
            for retries in (_RETRIES if retry else _ONCE, _ONCE)
        )
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001  of whatever the options or the environment say; their text may be secret
        raise UsageError(
            f"{parsed.shown} cannot be opened ({type(error).__name__})",
            hint="look at the URL's options, and at the environment variables of the store's own tools",
        ) from None
    clients = Clients(patient, once, "version" if parsed.scheme == "gs" else "e_tag", decodes)
    return ObjectStore(url, clients)


def open_boto3_client(url: str) -> tuple[Any, str, str]:
    """Return boto3's client for what a URL of S3 names, the bucket and the prefix. Raises UsageError without boto3."""
    parsed = parse_object_url(url)
    if parsed.scheme != "s3":
        raise UsageError(f"{parsed.scheme}:// is not S3")
    try:
        import boto3  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError("boto3 is needed", hint="pip install 'tiletree[aws]'") from None
    options = parsed.options
    endpoint = _endpoint(options, "s3")
    region = options.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    session = boto3.Session(profile_name=options.get("profile"), region_name=region or "us-east-1")
    return session.client("s3", endpoint_url=endpoint, verify=authorities_file()), parsed.bucket, parsed.prefix


def _endpoint(options: dict[str, str], scheme: str) -> str | None:
    """Return the address of the server that an option or variable names; None for the store's own server."""
    if named := options.get("endpoint"):
        return check_endpoint(named)
    for name in ENDPOINT_VARIABLES[scheme]:
        if named := os.environ.get(name):
            return check_endpoint(named, f"${name}")
    return None


def _client_options(endpoint: str | None) -> Any:
    options = {
        "timeout": _TIMEOUT,
        "connect_timeout": timedelta(seconds=10),
        "pool_max_idle_per_host": str(MOST_BUCKET_REQUESTS),
    }
    if endpoint and endpoint.lower().startswith("http://"):
        options["allow_http"] = True
    elif authorities := certificates():
        options["root_certificate"] = authorities
    return options


def _s3(bucket: str, prefix: str | None, options: dict[str, str], retry: Any, anonymous: bool) -> Any:
    from obstore.store import S3Store

    environment = os.environ.get
    endpoint = _endpoint(options, "s3")
    region = options.get("region") or environment("AWS_REGION") or environment("AWS_DEFAULT_REGION")
    provider = None
    if options.get("profile") or _has_profiles():
        provider, configured = _boto3_credentials(options.get("profile"))
        region = region or provider.config.get("region")
        endpoint = endpoint or (configured and check_endpoint(configured, "endpoint_url of the AWS profile"))
    else:
        _check_variables(anonymous=anonymous)
    path_style = _flag(options, "path_style", default=bool(endpoint) or "." in bucket)
    config: Any = {"virtual_hosted_style_request": not path_style}
    if _choice(options, "checksum", "sha256", "none") == "sha256":
        config["checksum_algorithm"] = "SHA256"
    if endpoint:
        scheme, _, host = endpoint.partition("://")
        config["endpoint"] = f"{scheme}://{host}" if path_style else f"{scheme}://{bucket}.{host}"
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


def _check_variables(*, anonymous: bool) -> None:
    """Raise UsageError for variables that hold half of a secret, or nothing: a job gets those it has no right to empty.

    obstore would sign with the empty key, and be told that the store does not know it.
    """
    key, secret = (os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    if (key and secret) or key is secret is None:
        return
    if key == secret and (anonymous or os.environ.get("AWS_SKIP_SIGNATURE")):  # nothing is signed
        return
    if not key and not secret:
        problem = f"${'AWS_SECRET_ACCESS_KEY' if key is None else 'AWS_ACCESS_KEY_ID'} is set, and empty"
    else:
        known, missing = ("$AWS_ACCESS_KEY_ID", "$AWS_SECRET_ACCESS_KEY")[:: 1 if key else -1]
        problem = f"{known} is set, and {missing} is not"
    raise UsageError(
        problem,
        hint="a secret that a job does not get is empty: look whether it is named so, and given to this job; leave "
        "both variables out where a role or a profile has the credentials",
    )


def _boto3_credentials(profile: str | None) -> tuple[Any, str | None]:
    """Return the credentials of a profile, and the server that it names."""
    try:
        import boto3
        import botocore.session  # type: ignore[import-untyped]
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise UsageError("to read AWS profiles, boto3 is needed", hint="pip install 'tiletree[aws]'") from None
    try:
        session = botocore.session.Session(profile=profile)
        configured = session.get_scoped_config()
        of_services = session.full_config.get("services", {}).get(configured.get("services"), {})
        endpoint = of_services.get("s3", {}).get("endpoint_url") or configured.get("endpoint_url")
        return Boto3CredentialProvider(boto3.Session(botocore_session=session)), endpoint
    except Exception as error:  # noqa: BLE001  botocore has many, and their text may be secret
        profile = profile or os.environ.get("AWS_PROFILE")
        named = f"the AWS profile {profile!r}" if profile else "the default AWS profile"
        raise UsageError(
            f"{named} gives no credentials ({type(error).__name__})",
            hint="`aws configure list-profiles` lists those that there are",
        ) from None


def _gcs(bucket: str, prefix: str | None, options: dict[str, str], retry: Any, anonymous: bool) -> Any:
    from obstore.store import GCSStore

    endpoint = _endpoint(options, "gs")
    config: Any = {"base_url": endpoint} if endpoint else {}
    if anonymous:
        config["skip_signature"] = True
    client_options = _client_options(endpoint)
    return GCSStore(bucket, prefix=prefix, config=config, client_options=client_options, retry_config=retry)


def _azure(bucket: str, prefix: str | None, options: dict[str, str], retry: Any, anonymous: bool) -> Any:
    from obstore.store import AzureStore

    endpoint = _endpoint(options, "az")
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
