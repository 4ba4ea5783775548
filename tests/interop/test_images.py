"""cosign signs and attests images and files through the shim, and verifies them; it verifies what we have signed, too.

Nothing of ours is between cosign and the registry.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.interop.peers import run_tiletree
from tests.interop.servers import free_port, running
from tests.interop.sigstore_clients import PASSWORD, TYPE, program, run, without_network
from tests.interop.timestamp_server import timestamp_server
from tests.support.sigstore_authority import (
    IDENTITY,
    ISSUER,
    Authority,
    certificate_authority,
    log_instance,
    timestamp_leaf,
)
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.sigstore.hashedrekord import check_hashedrekord
from tiles.sigstore.public_key import parse_public_key

pytestmark = pytest.mark.interop

ORIGIN = "images.example.com"
KEY = ("--key", "key")
HTTP = "--allow-http-registry"
SIGNER = ["--key", "cosign.key", "--signing-config", "here.json", "--trusted-root", "trust/trusted_root.json", "-y"]
VERIFIER = ["--key", "cosign.pub", "--trusted-root", "trust/trusted_root.json"]
PREDICATE = {"buildDefinition": {"buildType": "https://example.com/build/v1"}, "runDetails": {"builder": {"id": "x"}}}


@dataclass(frozen=True)
class Job:
    """A directory with a log, what cosign needs, and an image in a registry on this machine.

    image   by its digest
    """

    directory: Path
    image: str

    def cosign(self, *words: object, directory: Path | None = None) -> str:
        """Return "" or what cosign says is wrong."""
        return run([program("cosign"), *words], directory or self.directory, PASSWORD)

    def entries(self) -> list[bytes]:
        """Return the entries of the log, verified."""
        vkey = (self.directory / "trust" / "log.vkey").read_text().strip()
        client = LogClient(open_log(str(self.directory / "log")), policy_for(parse_vkey(vkey)))
        return [entry for _, entry in client.entries(0, client.tree.size)]


@contextmanager
def shim(directory: Path, *options: object) -> Iterator[None]:
    """Run a shim of the log there."""
    words = ["shim", "log", "--ready-file", "ready", "--signing-config", "here.json", *(options or KEY)]
    command = [sys.executable, "-m", "tiletree", *map(str, words)]
    with (directory / "shim.out").open("wb") as out:
        process = subprocess.Popen(command, cwd=directory, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 60
        while not (directory / "ready").exists():
            assert process.poll() is None, (directory / "shim.out").read_text()
            assert time.monotonic() < until
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        assert process.wait(60) == 0, (directory / "shim.out").read_text()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """A job that has built an image, and has a key to sign it with."""
    directory = tmp_path_factory.mktemp("images")
    assert run([program("cosign"), "generate-key-pair"], directory, PASSWORD) == ""
    run_tiletree(directory, "init", "log", "--origin", ORIGIN, "--key", "key")
    run_tiletree(directory, "trust-root", "log", "--out", "trust")
    (directory / "predicate.json").write_text(json.dumps(PREDICATE))
    with running_registry(directory) as address:
        yield Job(directory, put_image(directory, f"{address}/app:1.0"))


@contextmanager
def running_registry(directory: Path) -> Iterator[str]:
    """Run a registry on this machine; it keeps images in memory."""
    port = free_port()
    (directory / "registry").mkdir()
    with running([str(program("registry")), "-port", str(port)], {}, directory / "registry", port):
        yield f"localhost:{port}"


def put_image(directory: Path, tag: str) -> str:
    """Put an image with one file into the registry, and return its name with its digest."""
    (directory / "app").write_text(f"#!/bin/sh\necho {tag}\n")
    with tarfile.open(directory / "layer.tar", "w") as layer:
        layer.add(directory / "app", "app")
    words: Sequence[object] = [program("crane"), "append", "--insecure", "-f", "layer.tar", "-t", tag]
    done = subprocess.run([str(word) for word in words], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_sign_attest_verify(job: Job) -> None:
    """An image is signed and attested through the shim; both verify; what is logged is what our own checks expect."""
    before = len(job.entries())
    with shim(job.directory):
        assert job.cosign("sign", *SIGNER, HTTP, job.image) == ""
        attest = ["attest", *SIGNER, HTTP, "--type", TYPE, "--predicate", "predicate.json", job.image]
        assert job.cosign(*attest) == ""
    assert job.cosign("verify", *VERIFIER, HTTP, job.image) == ""
    assert job.cosign("verify-attestation", *VERIFIER, HTTP, "--type", TYPE, job.image) == ""
    key = parse_public_key((job.directory / "cosign.pub").read_bytes())
    logged = [check_hashedrekord(entry) for entry in job.entries()[before:]]
    assert [entry.raw for entry in logged] == [key.spki] * 2
    assert run_tiletree(job.directory, "audit", "log")["findings"] == []
    hits = run_tiletree(job.directory, "search", "log", "--key", "cosign.pub")["hits"]
    assert {hit["index"] for hit in hits} >= {before, before + 1}
    hits = run_tiletree(job.directory, "search", "log", "--image", job.image)["hits"]
    assert before in {hit["index"] for hit in hits}
    assert before + 1 not in {hit["index"] for hit in hits}, "the attestation is not the image's signature"


RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "images.md"
WITH_REGISTRY = {"sign", "attest", "verify", "verify-attestation"}


def test_the_recipe(job: Job, tmp_path: Path) -> None:
    """The commands of docs/recipes/images.md, as they stand there, from an empty directory on."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", RECIPE.read_text())
    blocks = [each for each in blocks if "s3://" not in each]
    assert len(blocks) == 4
    script = "\n".join(["set -eu", *blocks])
    programs = tmp_path / "programs"
    programs.mkdir()
    # the registry of a test has no certificate
    words = "|".join(sorted(WITH_REGISTRY))
    write_program(
        programs / "cosign", f'case "$1" in {words}) set -- "$@" {HTTP};; esac; exec {program("cosign")} "$@"'
    )
    write_program(programs / "tiletree", f'exec {sys.executable} -m tiletree "$@"')
    (tmp_path / "provenance.json").write_text(json.dumps(PREDICATE))
    home = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "STATE", "CACHE")}
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "IMAGE": job.image, **home, **PASSWORD}
    assert run(["bash", "-c", script], tmp_path, environment) == ""


def write_program(path: Path, line: str) -> None:
    """Write a program that is one line of a shell."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_what_does_not_verify(job: Job, tmp_path: Path) -> None:
    """Another key, another log, an image that nobody signed, an attestation of another type: cosign refuses each."""
    with shim(job.directory):
        assert job.cosign("sign", *SIGNER, HTTP, job.image) == ""
    registry = job.image.partition("/")[0]
    unsigned = put_image(job.directory, f"{registry}/other:1.0")
    assert "no signatures found" in job.cosign("verify", *VERIFIER, HTTP, unsigned)
    assert job.cosign("verify-attestation", *VERIFIER, HTTP, "--type", "spdxjson", job.image) != ""
    assert job.cosign("generate-key-pair", "--output-key-prefix", "eve") == ""
    with_other_key = [each.replace("cosign.pub", "eve.pub") for each in VERIFIER]
    assert job.cosign("verify", *with_other_key, HTTP, job.image) != ""
    run_tiletree(tmp_path, "init", "log", "--origin", "other.example.com", "--key", "key")
    run_tiletree(tmp_path, "trust-root", "log", "--out", "trust")
    (tmp_path / "cosign.pub").write_bytes((job.directory / "cosign.pub").read_bytes())
    assert job.cosign("verify", *VERIFIER, HTTP, job.image, directory=tmp_path) != ""


def test_files(job: Job) -> None:
    """cosign signs a file through the shim, and verifies it without a network; so do we, and not with a byte more."""
    path = job.directory / "release"
    path.write_bytes(b"of this release\n")
    with shim(job.directory):
        assert job.cosign("sign-blob", *SIGNER, "--bundle", "release.sigstore.json", "release") == ""
    verify = [*without_network(), program("cosign"), "verify-blob", *VERIFIER, "--bundle", "release.sigstore.json"]
    assert run([*verify, "release"], job.directory) == ""
    ours = ["verify", "release", "--key", "cosign.pub", "--trusted-root", "trust/trusted_root.json"]
    run_tiletree(job.directory, *ours)
    path.write_bytes(b"of this release\n\n")
    assert "invalid signature" in run([*verify, "release"], job.directory)
    assert "this is another file" in run([sys.executable, "-m", "tiletree", *ours], job.directory)


def test_statements_about_files(job: Job) -> None:
    """cosign attests to a file through the shim, and verifies that without a network; so do we."""
    directory = job.directory
    (directory / "built").write_bytes(b"built\n")
    attest = [
        "attest-blob",
        *SIGNER,
        "--type",
        TYPE,
        "--predicate",
        "predicate.json",
        "--bundle",
        "built.sigstore.json",
    ]
    with shim(directory):
        assert job.cosign(*attest, "built") == ""
    verify = [*without_network(), program("cosign"), "verify-blob-attestation", *VERIFIER, "--type", TYPE]
    assert run([*verify, "--bundle", "built.sigstore.json", "built"], directory) == ""
    run_tiletree(directory, "verify", "built", "--key", "cosign.pub", "--trusted-root", "trust/trusted_root.json")


def test_through_the_inbox(job: Job) -> None:
    """Without the log's key the shim submits; cosign gets its answer once somebody else has sequenced."""
    directory, vkey = job.directory, (job.directory / "trust" / "log.vkey").read_text().strip()
    (directory / "submitted").write_bytes(b"submitted\n")
    sequence = [sys.executable, "-m", "tiletree", "sequence", "log", "--key", "key", "--watch", "1"]
    before = len(job.entries())
    with subprocess.Popen(sequence, cwd=directory, stdout=subprocess.DEVNULL) as run_elsewhere:
        try:
            with shim(directory, "--submit", "--submitter", "ci", "--vkey", vkey):
                assert job.cosign("sign-blob", *SIGNER, "--bundle", "submitted.json", "submitted") == ""
        finally:
            run_elsewhere.terminate()
    assert len(job.entries()) == before + 1
    verify = [*without_network(), program("cosign"), "verify-blob", *VERIFIER, "--bundle", "submitted.json"]
    assert run([*verify, "submitted"], directory) == ""


def test_what_we_sign_cosign_verifies(job: Job) -> None:
    """`sign` and `attest` write what cosign verifies without a network, and refuses once the file has changed."""
    directory = job.directory
    path = directory / "app.whl"
    path.write_bytes(b"a wheel\n")
    run_tiletree(directory, "key", "generate", "--signing", "--out", "s.key")
    where = ["--log", "log", "--log-key", "key", "--key", "s.key"]
    run_tiletree(directory, "sign", "app.whl", *where)
    run_tiletree(
        directory, "attest", "app.whl", *where, "--predicate", "predicate.json", "--type", TYPE, "--bundle", "dsse.json"
    )
    trust = ["--key", "s.key.pub", "--trusted-root", "trust/trusted_root.json"]
    signed = [*without_network(), program("cosign"), "verify-blob", *trust, "--bundle", "app.whl.sigstore.json"]
    attested = [*without_network(), program("cosign"), "verify-blob-attestation", *trust, "--bundle", "dsse.json"]
    attested += ["--type", TYPE]
    assert run([*signed, path.name], directory) == ""
    assert run([*attested, path.name], directory) == ""
    path.write_bytes(b"another wheel\n")
    assert "invalid signature" in run([*signed, path.name], directory)
    assert "do not match digests in statement" in run([*attested, path.name], directory)


def test_stapled(job: Job) -> None:
    """cosign signs without a log; with the entry that `staple` puts into the bundle, it verifies."""
    directory = job.directory
    (directory / "late").write_bytes(b"signed while there was no log\n")
    without = [each.replace("here.json", "trust/signing_config.json") for each in SIGNER]
    assert job.cosign("sign-blob", *without, "--bundle", "late.json", "late") == ""
    verify = [*without_network(), program("cosign"), "verify-blob", *VERIFIER, "--bundle", "late.json", "late"]
    assert "not enough verified log entries" in run(verify, directory)
    run_tiletree(directory, "staple", "late.json", "--log", "log", "--log-key", "key", "--key", "cosign.pub")
    assert run(verify, directory) == ""


def test_an_identity(job: Job) -> None:
    """An image, signed with a certificate and a timestamp, is found and verified by its identity, and by no other."""
    directory, who = job.directory, lasting_authority()
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "dev.pem").write_bytes(pem)
    assert job.cosign("import-key-pair", "--key", "dev.pem", "--output-key-prefix", "dev") == ""
    leaf = who.leaf(key=private, begin=datetime.now(UTC) - timedelta(minutes=1))
    (directory / "leaf.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    vkey = parse_vkey((directory / "trust" / "log.vkey").read_text().strip())
    (directory / "root.json").write_bytes(who.trusted_root_bytes(log_instance(vkey)))
    with shim(directory), timestamp_server(who) as stamps:
        here = json.loads((directory / "here.json").read_bytes())
        here["tsaUrls"] = [{**here["rekorTlogUrls"][0], "url": stamps, "majorApiVersion": 1}]
        (directory / "both.json").write_text(json.dumps(here))
        files = ["--signing-config", "both.json", "--trusted-root", "root.json"]
        # with --certificate-chain it would send the certificate as a key, which no log takes
        signer = ["--key", "dev.key", "--certificate", "leaf.pem"]
        assert job.cosign("sign", "-y", *signer, *files, HTTP, job.image) == ""
    verify = ["verify", "--trusted-root", "root.json", "--certificate-oidc-issuer", ISSUER, HTTP]
    assert job.cosign(*verify, "--certificate-identity", IDENTITY, job.image) == ""
    assert "eve@example.com" in job.cosign(*verify, "--certificate-identity", "eve@example.com", job.image)
    (hit,) = run_tiletree(directory, "search", "log", "--identity", IDENTITY)["hits"]
    assert hit["claimed"] == {"identities": [IDENTITY], "issuer": ISSUER}
    assert run_tiletree(directory, "audit", "log")["findings"] == []


def lasting_authority() -> Authority:
    """Return an authority of now: those of other tests are of a decided time."""
    begin = datetime.now(UTC) - timedelta(days=1)
    period = {"begin": begin, "end": begin + timedelta(days=3)}
    root = certificate_authority("root", **period)
    tsa_root = certificate_authority("tsa root", **period)
    who = Authority(root=root, tsa_root=tsa_root)
    object.__setattr__(who, "intermediate", certificate_authority("intermediate", root, **period))
    object.__setattr__(who, "tsa", timestamp_leaf(tsa_root, **period))
    return who
