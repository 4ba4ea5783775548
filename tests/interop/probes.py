"""Who may do what in a deployment: calls that have to be allowed, and calls that have to be refused, in one table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.interop.deployed import ANYBODY_HERE, SUBMITTER, AnswerError, Deployment

# What no probe can show here: `make terraform` holds the module's documents against it, or nobody does.
NOT_TRIED = (
    ("caching times and compression of the CDN", "asserted as JSON only: the emulator's CDN keeps nothing"),
    ("Object Lock by lock_days", "asserted as JSON only: this deployment locks nothing"),
    ("a second factor for operators", "asserted as JSON only"),
    ("lifecycle rules, alarms, log groups", "made, and asserted as JSON only: nothing expires or fires here"),
    ("a certificate and a domain of one's own", "asserted as JSON only"),
    ("a key of another account", "asserted as JSON only"),
    ("values that HashiCorp's provider or AWS would refuse", "not tried: the provider here is our own"),
)


@dataclass(frozen=True)
class Probe:
    """One call. Refused by rights is "denied", by a condition of the call itself "conflict"."""

    who: str
    what: str
    expected: str
    call: Callable[[], Any]

    def outcome(self) -> str:
        """Make the call; return "allowed", or how it was refused and by which code."""
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        try:
            self.call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return f"{_REFUSALS.get(code, 'failed')} ({code})"
        except AnswerError as error:
            return f"{_STATUSES.get(error.status, 'failed')} ({error.status})"
        return "allowed"


CHANGING = (("log", "checkpoint"), ("private", "head"), ("anchor", "anchor"))  # what a run replaces

_REFUSALS = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException"), "denied"),
    **dict.fromkeys(("PreconditionFailed", "ConditionalRequestConflict"), "conflict"),
}
_STATUSES = {403: "denied", 404: "not there", 405: "denied"}


def check(probes: Iterable[Probe], not_tried: Iterable[tuple[str, str]] = ()) -> None:
    """Make all calls and print the table; fails if one of them is not refused, or not allowed, as it should be.

    not_tried   what the table says of what no call shows
    """
    wrong = []
    for probe in probes:
        outcome = probe.outcome()
        if not outcome.startswith(probe.expected):
            wrong.append(f"{probe.who}: {probe.what}: {outcome}, and not {probe.expected}")
        print(f"{probe.who:14} {probe.what:58} {outcome}")
    for what, why in not_tried:
        print(f"{'nobody':14} {what:58} {why}")
    assert not wrong, "\n".join(wrong)


class Caller:
    """Calls of one role, and how each has to end."""

    def __init__(self, log: Deployment, who: str, credentials: dict[str, str], endpoint: str = "") -> None:
        self.who = who
        self.log = log
        self.s3 = log.emulator.client("s3", credentials, endpoint)
        self.kms = log.emulator.client("kms", credentials)
        self.others = {name: log.emulator.client(name, credentials) for name in ("lambda", "sts", "iam", "scheduler")}

    def probe(self, what: str, expected: str, call: Callable[[], Any]) -> Probe:
        """Return a probe of any call."""
        return Probe(self.who, what, expected, call)

    def put(self, part: str, path: str, expected: str, data: bytes = b"x", **conditions: str) -> Probe:
        """Return a probe that writes an object."""
        bucket = self.log.bucket(part)
        how = {"IfNoneMatch": "if nothing is there", "IfMatch": "if it is that version"}
        told = ", ".join(how[name] for name in conditions) or "whatever is there"
        return self.probe(
            f"writes {part} {shown(path)}, {told}",
            expected,
            lambda: self.s3.put_object(Bucket=bucket, Key=path, Body=data, **conditions),
        )

    def get(self, part: str, path: str, expected: str) -> Probe:
        """Return a probe that reads an object."""
        bucket = self.log.bucket(part)
        return self.probe(f"reads {part} {shown(path)}", expected, lambda: self.s3.get_object(Bucket=bucket, Key=path))

    def delete(self, part: str, path: str, expected: str) -> Probe:
        """Return a probe that deletes an object."""
        bucket = self.log.bucket(part)
        return self.probe(
            f"deletes {part} {shown(path)}", expected, lambda: self.s3.delete_object(Bucket=bucket, Key=path)
        )

    def list(self, part: str, expected: str) -> Probe:
        """Return a probe that lists a bucket."""
        bucket = self.log.bucket(part)
        return self.probe(f"lists {part}", expected, lambda: self.s3.list_objects_v2(Bucket=bucket))

    def sign(self, expected: str, algorithm: str = "ED25519_SHA_512", kind: str = "RAW") -> Probe:
        """Return a probe that signs with the log's key."""
        what = {"KeyId": self.log.key_id, "Message": b"m" * 64, "MessageType": kind, "SigningAlgorithm": algorithm}
        return self.probe(f"signs with the key, {kind} {algorithm}", expected, lambda: self.kms.sign(**what))

    def change_policy(self, expected: str) -> Probe:
        """Return a probe that removes a bucket's policy."""
        bucket = self.log.bucket("log")
        return self.probe("removes the policy of log", expected, lambda: self.s3.delete_bucket_policy(Bucket=bucket))


def shown(path: str) -> str:
    """Return a path short enough for the table."""
    return path if len(path) <= 24 else f"{path[:21]}…"


def administrator(log: Deployment) -> dict[str, str]:
    """Return credentials of a role that may do everything by IAM, as administrators of an account may."""
    iam = log.emulator.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ANYBODY_HERE}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    made = iam.create_role(RoleName="administrator", AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName="administrator", PolicyName="all", PolicyDocument=_document(everything))
    return log.emulator.assume(made["Role"]["Arn"])


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def of_submitter(log: Deployment, own: str) -> list[Probe]:
    """Return the probes of who may submit. own: the path of a submission of its own."""
    role = log.outputs["submitter_role_arns"][SUBMITTER]
    it = Caller(log, "submitter", log.emulator.assume(role))
    function, sequencer = log.outputs["function_name"], log.outputs["sequencer_role_arn"]
    private = log.bucket("private")
    copy = {"Bucket": private, "Key": f"inbox/{SUBMITTER}/copy", "CopySource": {"Bucket": private, "Key": own}}
    return [
        it.put("private", f"inbox/{SUBMITTER}/probe", "allowed", IfNoneMatch="*"),
        it.put("private", own, "conflict", IfNoneMatch="*"),
        it.put("private", own, "denied"),
        it.put("private", own, "denied", IfMatch='"0"'),
        it.put("private", "inbox/bob/probe", "denied", IfNoneMatch="*"),
        *(
            it.put("private", path, "denied", IfNoneMatch="*")
            for path in ("inbox/probe", "staging/probe", "decided/probe")
        ),
        it.put("private", "head", "denied", IfMatch='"0"'),
        it.put("log", "checkpoint", "denied", IfMatch='"0"'),
        it.put("log", "tile/0/999", "denied", IfNoneMatch="*"),
        it.put("log", "index.html", "denied", IfNoneMatch="*"),
        it.put("anchor", "anchor", "denied", IfMatch='"0"'),
        it.get("private", own, "denied"),
        it.get("private", "head", "denied"),
        it.get("anchor", "anchor", "denied"),
        it.list("private", "denied"),
        it.delete("private", own, "denied"),
        it.delete("log", "checkpoint", "denied"),
        it.sign("denied"),
        it.probe("uploads a submission in parts", "denied", lambda: _in_parts(it, private)),
        it.probe("copies a submission", "denied", lambda: it.s3.copy_object(**copy)),
        it.probe("runs the function", "denied", lambda: it.others["lambda"].invoke(FunctionName=function)),
        it.probe(
            "becomes the sequencer",
            "denied",
            lambda: it.others["sts"].assume_role(RoleArn=sequencer, RoleSessionName="test"),
        ),
        it.change_policy("denied"),
    ]


def _in_parts(it: Caller, bucket: str) -> None:
    where = {"Bucket": bucket, "Key": f"inbox/{SUBMITTER}/parts"}
    upload = it.s3.create_multipart_upload(**where)["UploadId"]
    part = it.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    it.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)


def of_sequencer(log: Deployment, waiting: str) -> list[Probe]:
    """Return the probes of the function's role. waiting: the path of a submission that is not decided."""
    it = Caller(log, "sequencer", log.emulator.assume(log.outputs["sequencer_role_arn"]))
    plain = Caller(
        log, "without TLS", log.emulator.assume(log.outputs["sequencer_role_arn"]), log.emulator.plain_endpoint
    )
    tile, kept = "tile/0/000.p/2", "checkpoints/002"
    return [
        it.get("log", "checkpoint", "allowed"),
        it.get("anchor", "anchor", "allowed"),
        it.get("private", waiting, "allowed"),
        it.sign("allowed"),
        it.sign("denied", "ED25519_PH_SHA_512", "DIGEST"),
        it.put("log", tile, "denied"),
        it.put("log", tile, "denied", IfMatch='"0"'),
        it.put("log", tile, "conflict", IfNoneMatch="*"),
        it.put("log", kept, "conflict", IfNoneMatch="*"),
        it.put("log", "checkpoint", "denied"),
        it.put("log", "checkpoint", "conflict", IfMatch='"0"'),
        it.put("private", "head", "denied"),
        it.put("private", "head", "conflict", IfMatch='"0"'),
        it.put("anchor", "anchor", "denied"),
        it.put("anchor", "anchor", "conflict", IfMatch='"0"'),
        it.put("private", f"inbox/{SUBMITTER}/made", "denied", IfNoneMatch="*"),
        it.put("log", "index.html", "denied", IfNoneMatch="*"),
        it.delete("log", tile, "denied"),
        it.delete("log", "checkpoint", "denied"),
        it.delete("log", kept, "denied"),
        it.delete("private", "head", "denied"),
        it.delete("anchor", "anchor", "denied"),
        it.probe("deletes many objects of log at once", "denied", lambda: _delete_many(it, tile)),
        it.change_policy("denied"),
        it.probe("disables the key", "denied", lambda: it.kms.disable_key(KeyId=log.key_id)),
        plain.get("log", "checkpoint", "denied"),
        plain.get("private", "head", "denied"),
        plain.get("anchor", "anchor", "denied"),
    ]


def _delete_many(it: Caller, path: str) -> None:
    """Delete by the call that takes many names, which answers for each."""
    from botocore.exceptions import ClientError

    answer = it.s3.delete_objects(Bucket=it.log.bucket("log"), Delete={"Objects": [{"Key": path}]})
    for error in answer.get("Errors", []):
        raise ClientError({"Error": error}, "DeleteObjects")


def of_others(log: Deployment, administrator: dict[str, str]) -> list[Probe]:
    """Return the probes of the operator, who cannot sign, and of an administrator of the account."""
    operator = Caller(log, "operator", log.emulator.assume(log.outputs["operator_role_arn"]))
    it = Caller(log, "administrator", administrator)
    anchor = operator.s3.get_object(Bucket=log.bucket("anchor"), Key="anchor")
    same = anchor["Body"].read()
    return [
        operator.get("anchor", "anchor", "allowed"),
        operator.put("anchor", "anchor", "allowed", same, IfMatch=anchor["ETag"]),
        operator.put("log", "checkpoint", "denied"),
        operator.delete("log", "checkpoint", "denied"),
        operator.delete("anchor", "anchor", "denied"),
        operator.sign("denied"),
        it.get("anchor", "anchor", "denied"),
        it.put("anchor", "anchor", "denied", IfMatch='"0"'),
        it.put("log", "checkpoint", "denied", IfMatch='"0"'),
        it.put("log", "tile/0/999", "denied", IfNoneMatch="*"),
        it.put("private", "head", "denied", IfMatch='"0"'),
        it.delete("log", "checkpoint", "denied"),
        it.delete("private", "head", "denied"),
        it.sign("denied"),
    ]


def of_frozen(
    log: Deployment, sequencer: dict[str, str], submitter: dict[str, str], administrator: dict[str, str]
) -> list[Probe]:
    """Return the probes of a log that has ended, by credentials that were given before."""
    it, other = Caller(log, "sequencer", sequencer), Caller(log, "submitter", submitter)
    third = Caller(log, "administrator", administrator)
    return [
        it.sign("denied"),
        *(it.put(part, path, "denied", IfMatch='"0"') for part, path in CHANGING),
        it.put("log", "tile/0/999", "denied", IfNoneMatch="*"),
        other.put("private", f"inbox/{SUBMITTER}/late", "denied", IfNoneMatch="*"),
        third.sign("denied"),
        *(third.put(part, path, "denied", IfMatch='"0"') for part, path in CHANGING),
    ]


def of_reader(log: Deployment) -> list[Probe]:
    """Return the probes of who has no credentials: by the CDN, and past it."""

    def ask(method: str, url: str) -> Callable[[], Any]:
        return lambda: log.ask(method, url)

    def reader(what: str, expected: str, method: str, url: str) -> Probe:
        return Probe("reader", what, expected, ask(method, url))

    direct = {part: f"{log.emulator.endpoint}/{log.bucket(part)}" for part in ("log", "private", "anchor")}
    return [
        *(
            reader(f"reads {shown(path or 'the page')} by the CDN", "allowed", "GET", f"{log.url}/{path}")
            for path in ("checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2", "checkpoints/002", "verify.html", "")
        ),
        reader("reads what is not there by the CDN", "not there", "GET", f"{log.url}/tile/0/999"),
        *(
            reader(f"sends {method} to the CDN", "denied", method, f"{log.url}/checkpoint")
            for method in ("PUT", "DELETE")
        ),
        reader("reads log past the CDN", "denied", "GET", f"{direct['log']}/checkpoint"),
        reader("lists log past the CDN", "denied", "GET", direct["log"]),
        reader("reads private head", "denied", "GET", f"{direct['private']}/head"),
        reader("lists private", "denied", "GET", direct["private"]),
        reader("reads anchor", "denied", "GET", f"{direct['anchor']}/anchor"),
        reader("writes private", "denied", "PUT", f"{direct['private']}/inbox/{SUBMITTER}/anonymous"),
    ]
