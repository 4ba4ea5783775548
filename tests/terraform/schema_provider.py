"""A provider for Terraform that has a schema and makes nothing: the program that Terraform starts.

    python schema_provider.py SCHEMA.json

SCHEMA.json has what `terraform providers schema -json` says of one provider. So `validate`, `plan`, `test` and `apply`
check modules by the real types. What only a cloud would know is unknown while planning, and a placeholder afterwards:
the same for the same resource each time.

If $TERRAFORM_HOOKS names a Python file, its functions make the resources somewhere, such as in an emulator:

    create(type, values) -> dict    the values that are known by then; computed ones only are taken
    update(type, values) -> dict
    delete(type, values) -> None
    read(type, values) -> dict      of a data source
    refresh(type, values) -> dict   of a resource: what differs from what is known; None if it is gone

The protocol is Terraform's plugin protocol 6 over gRPC. The messages are those of the package `tf`, of which nothing
else is used. The names of methods, and what they are called with, are the protocol's.
"""

# ruff: noqa: ARG002, N802

from __future__ import annotations

import base64
import datetime
import hashlib
import importlib.util
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import msgpack
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tf.gen import grpc_controller_pb2 as controller
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2 as plugin
from tf.gen import tfplugin_pb2_grpc as plugin_rpc

Json = dict[str, Any]
Replace = Callable[[Any, Json, str], Any]

UNKNOWN = msgpack.ExtType(0, b"\0")
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}


def encoded(value: Any) -> Any:
    """Return a value as the protocol has it."""
    return plugin.DynamicValue(msgpack=msgpack.packb(value))


def decoded(value: Any) -> Any:
    """Return a value of the protocol; None for none."""
    if value.json:
        return json.loads(value.json)
    return msgpack.unpackb(value.msgpack, strict_map_key=False) if value.msgpack else None


def is_unknown(value: Any) -> bool:
    """Whether a value is not known before it is applied."""
    return isinstance(value, msgpack.ExtType)


def known(value: Any) -> Any:
    """Return a value with None wherever it is unknown."""
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [known(item) for item in value]
    return None if is_unknown(value) else value


def block_message(block: Json) -> Any:
    """Return the schema of a block as the protocol has it."""
    message = plugin.Schema.Block(version=0)
    for name, attribute in sorted(block.get("attributes", {}).items()):
        flags = {flag: attribute.get(flag, False) for flag in ("required", "optional", "computed", "sensitive")}
        message.attributes.append(
            plugin.Schema.Attribute(name=name, type=json.dumps(attribute["type"]).encode(), **flags)
        )
    for name, nested in sorted(block.get("block_types", {}).items()):
        many = nested["nesting_mode"] in ("list", "set")
        message.block_types.append(
            plugin.Schema.NestedBlock(
                type_name=name,
                block=block_message(nested["block"]),
                nesting=NESTING[nested["nesting_mode"]],
                min_items=nested.get("min_items", 0) if many else 0,
                max_items=nested.get("max_items", 0) if many else 0,
            )
        )
    return message


def schema_message(schema: Json) -> Any:
    """Return the schema of a type as the protocol has it."""
    return plugin.Schema(version=schema.get("version", 0), block=block_message(schema["block"]))


def placeholder(kind: Any, path: str) -> Any:
    """Return a value of a type that stands for what only a cloud knows."""
    if isinstance(kind, list):
        if kind[0] == "object":
            return {name: placeholder(inner, f"{path}.{name}") for name, inner in kind[1].items()}
        return {} if kind[0] == "map" else []
    if kind == "string":
        return f"mock-{hashlib.sha256(path.encode()).hexdigest()[:12]}"
    return {"number": 0, "bool": False}[kind]


def planned(value: Any, attribute: Json, path: str) -> Any:
    """Return what a plan says: a computed value that nobody gave is unknown."""
    return UNKNOWN if value is None and attribute.get("computed") else value


def applied(value: Any, attribute: Json, path: str) -> Any:
    """Return what there is after it was applied: a placeholder for what was unknown."""
    return placeholder(attribute["type"], path) if is_unknown(value) else value


def looked_up(value: Any, attribute: Json, path: str) -> Any:
    """Return what a data source says: a placeholder for what nobody gave."""
    return placeholder(attribute["type"], path) if value is None and attribute.get("computed") else value


def filled(block: Json, values: Any, path: str, replace: Replace) -> Any:
    """Return the values of a block with each attribute replaced, also in nested blocks."""
    if values is None or is_unknown(values):
        return values
    for name, attribute in block.get("attributes", {}).items():
        values[name] = replace(values.get(name), attribute, f"{path}.{name}")
    for name, nested in block.get("block_types", {}).items():
        inner = values.get(name)
        if isinstance(inner, list):
            places = (f"{path}.{name}.{number}" for number in range(len(inner)))
            values[name] = [
                filled(nested["block"], item, place, replace) for item, place in zip(inner, places, strict=True)
            ]
        elif isinstance(inner, dict) and nested["nesting_mode"] == "single":
            values[name] = filled(nested["block"], inner, f"{path}.{name}", replace)
    return values


def load_hooks() -> Any:
    """Return the module that $TERRAFORM_HOOKS names; None if it names none."""
    path = os.environ.get("TERRAFORM_HOOKS")
    if not path:
        return None
    spec = importlib.util.spec_from_file_location("terraform_hooks", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Provider(plugin_rpc.ProviderServicer):  # type: ignore[misc]
    """What Terraform calls. The names are those of the protocol."""

    def __init__(self, schemas: Json) -> None:
        self._provider = schemas["provider"]
        self._resources = schemas["resource_schemas"]
        self._data = schemas["data_source_schemas"]
        self._hooks = load_hooks()

    def GetMetadata(self, request: Any, context: Any) -> None:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "GetMetadata")

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        response = plugin.GetProviderSchema.Response(provider=schema_message(self._provider))
        for name, schema in self._resources.items():
            response.resource_schemas[name].CopyFrom(schema_message(schema))
        for name, schema in self._data.items():
            response.data_source_schemas[name].CopyFrom(schema_message(schema))
        agent = plugin.Schema.Attribute(name="user_agent", type=b'["list","string"]', optional=True)
        response.provider_meta.CopyFrom(plugin.Schema(block=plugin.Schema.Block(attributes=[agent])))
        return response

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return plugin.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return plugin.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return plugin.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        return plugin.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        return plugin.UpgradeResourceState.Response(upgraded_state=encoded(json.loads(request.raw_state.json)))

    def ReadResource(self, request: Any, context: Any) -> Any:
        values = decoded(request.current_state)
        if self._hooks is not None and values is not None:
            changed = self._hooks.refresh(request.type_name, values)
            values = None if changed is None else {**values, **changed}
        return plugin.ReadResource.Response(new_state=encoded(values), private=request.private)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        values = decoded(request.proposed_new_state)
        values = filled(self._resources[request.type_name]["block"], values, request.type_name, planned)
        return plugin.PlanResourceChange.Response(planned_state=encoded(values))

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        name, before, values = request.type_name, decoded(request.prior_state), decoded(request.planned_state)
        try:
            self._make(name, before, values)
        except Exception as error:  # noqa: BLE001 -- whatever the hooks raise is for the user of Terraform to see
            said = plugin.Diagnostic(
                severity=plugin.Diagnostic.ERROR, summary=f"{name}: {type(error).__name__}", detail=str(error)
            )
            return plugin.ApplyResourceChange.Response(new_state=request.prior_state, diagnostics=[said])
        path = f"{name} {json.dumps(known(decoded(request.config)), sort_keys=True)}"
        values = filled(self._resources[name]["block"], values, path, applied)
        return plugin.ApplyResourceChange.Response(new_state=encoded(values))

    def _make(self, name: str, before: Any, values: Any) -> None:
        if self._hooks is None:
            return
        if values is None:
            self._hooks.delete(name, before)
            return
        made = (self._hooks.create if before is None else self._hooks.update)(name, known(values)) or {}
        for key, value in made.items():
            if values.get(key) is None or is_unknown(values[key]):
                values[key] = value

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        values = decoded(request.config)
        if self._hooks is not None:
            values.update(self._hooks.read(request.type_name, known(values)) or {})
        block = self._data[request.type_name]["block"]
        return plugin.ReadDataSource.Response(state=encoded(filled(block, values, request.type_name, looked_up)))

    def GetFunctions(self, request: Any, context: Any) -> Any:
        return plugin.GetFunctions.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        return plugin.StopProvider.Response()


class _Controller(controller_rpc.GRPCControllerServicer):  # type: ignore[misc]
    def __init__(self, done: threading.Event) -> None:
        self._done = done

    def Shutdown(self, request: Any, context: Any) -> Any:
        self._done.set()
        return controller.Empty()


class _Output(stdio_rpc.GRPCStdioServicer):  # type: ignore[misc]
    def StreamStdio(self, request: Any, context: Any) -> Any:
        return iter([])


def certificate() -> tuple[bytes, bytes]:
    """Return the private key of this run, in PEM, and a certificate for it, which Terraform is told."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, signed.public_bytes(serialization.Encoding.DER)


def main() -> None:
    """Serve until Terraform says that it is done."""
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    done = threading.Event()
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(8), options=unlimited)
    plugin_rpc.add_ProviderServicer_to_server(Provider(next(iter(document["provider_schemas"].values()))), server)
    controller_rpc.add_GRPCControllerServicer_to_server(_Controller(done), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(_Output(), server)
    private, public = certificate()
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(public) + b"-----END CERTIFICATE-----\n"
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/socket"
        server.add_secure_port(f"unix://{socket}", grpc.ssl_server_credentials([(private, pem)]))
        server.start()
        print("|".join(["1", "6", "unix", socket, "grpc", base64.b64encode(public).decode().rstrip("=")]), flush=True)
        done.wait()
        server.stop(0.2)


if __name__ == "__main__":
    main()
