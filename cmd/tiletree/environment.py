"""The variables of the environment that this program reads, and what --verbose says of them. docs/environment.md."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from tiles.errors import TilesError
from tiletree.hiding import SECRETS

# by name: whether --verbose may show the value. What can hold a password or a key is never shown, only named
VARIABLES = {
    "TILETREE_KEY": True,
    "TILETREE_PRIVATE": True,
    "TILETREE_ANCHOR": True,
    "TILETREE_URL": True,
    "TILETREE_VKEY": True,
    "TILETREE_POLICY": True,
    "TILETREE_LOG": True,
    "TILETREE_MAX_ENTRIES": True,
    "TILETREE_MAX_BYTES": True,
    "TILETREE_ALIGN": True,
    "TILETREE_MAX_HOLD": True,
    "TILETREE_WITNESS_TIMEOUT": True,
    "TILETREE_WAIT_EXTRA": True,
    "TILETREE_FAIL_OPEN": True,
    "TILETREE_PRIVATE_KEY": False,
    "TILETREE_PKCS11_MODULE": True,
    "TILETREE_PKCS11_PIN": False,
    "TILETREE_NATIVE": True,
    "TILETREE_TRACEBACK": True,
    "NO_COLOR": True,
    "TERM": True,
    "OTEL_EXPORTER_OTLP_ENDPOINT": False,
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": False,
    "OTEL_SERVICE_NAME": True,
    "PORT": True,
    "XDG_CONFIG_HOME": True,
    "XDG_STATE_HOME": True,
    "XDG_CACHE_HOME": True,
    "https_proxy": False,
    "HTTPS_PROXY": False,
    "http_proxy": False,
    "HTTP_PROXY": False,
    "all_proxy": False,
    "ALL_PROXY": False,
    "no_proxy": True,
    "NO_PROXY": True,
    "REQUEST_METHOD": True,
    "AWS_CA_BUNDLE": True,
    "REQUESTS_CA_BUNDLE": True,
    "SSL_CERT_FILE": True,
    "SSL_CERT_DIR": True,
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": True,
    "AWS_REGION": True,
    "AWS_DEFAULT_REGION": True,
    "AWS_PROFILE": True,
    "AWS_SHARED_CREDENTIALS_FILE": True,
    "AWS_ENDPOINT_URL": False,
    "AWS_ENDPOINT_URL_S3": False,
    "AWS_ACCESS_KEY_ID": False,
    "AWS_SECRET_ACCESS_KEY": False,
    "AWS_SESSION_TOKEN": False,
    "AWS_SKIP_SIGNATURE": True,
    "AWS_WEB_IDENTITY_TOKEN_FILE": True,
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": False,
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": False,
    "GOOGLE_APPLICATION_CREDENTIALS": True,
    "GOOGLE_BASE_URL": False,
    "AZURE_STORAGE_ACCOUNT_NAME": True,
    "AZURE_STORAGE_ACCOUNT_KEY": False,
    "AZURE_STORAGE_SAS_TOKEN": False,
    "AZURE_STORAGE_ENDPOINT": False,
}


def in_force(context: click.Context, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield what a call uses besides its own words: kind of thing, and a line that says it. Shows no secret."""
    from tiles.store.address import shown_address

    environment = os.environ if environment is None else environment
    options = {str(param.envvar): param for param in context.command.params if param.envvar}
    for name, may_show in VARIABLES.items():
        if not (value := environment.get(name)):
            continue
        is_shown = may_show and not any(secret in value for secret in SECRETS)  # put there by mistake
        said = f"${name} is {shown_address(value)}" if is_shown else f"${name} is set"
        if (param := options.get(name)) is None:
            yield "environment", said
        elif context.get_parameter_source(param.name or "") is ParameterSource.ENVIRONMENT:
            yield "environment", f"{said}, and is used as {param.opts[0]}"
        else:
            yield "environment", f"{said}, and is not used, because the call has {param.opts[0]}"
    yield from _places(context, environment)


def _places(context: click.Context, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield where the parts of the log that a call names are, as far as the call or this user's memory says it."""
    given: Mapping[str, Any] = context.params
    if not (log := given.get("log")) or "private" not in given:
        return
    from tiles.store.address import shown_address
    from tiles.user.places import private_url, remembered

    try:
        known, private = remembered(log), private_url(log, given["private"])
    except TilesError as error:  # the command will say so itself, if it matters to it
        yield "place", f"private part: {error.message}"
        return
    found: list[tuple[str, Any, str | None, str]] = [("private part", given["private"], known.private, private)]
    if "key" in given and not given["key"] and environment.get("TILETREE_PRIVATE_KEY"):
        yield "place", "key: in $TILETREE_PRIVATE_KEY"
    elif "key" in given:
        found.append(("key", given["key"], known.key, "by the log's origin"))
    if "anchor" in given:
        found.append(("anchor", given["anchor"], known.anchor, "beside the key"))
    for what, named, kept, default in found:
        how = "as named" if named else "as at init" if kept else "by default"
        yield "place", f"{what}: {shown_address(str(named or kept or default))}, {how}"
