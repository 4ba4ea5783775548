"""The policies of terraform/aws against each object that a log has: who may create, replace and delete it, and caches.

The names are made by tiles/records/paths.py, so a name that is new there fails here until the policies know it.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

import pytest

from tests.terraform import iam
from tests.terraform.deployment import ACCOUNT, OTHER, Deploy, Deployment
from tests.terraform.log_objects import OF_OTHER_FORMATS
from tests.terraform.tools import HERE
from tiles.entries.kind import LEAF
from tiles.inbox.submission import SUBMITTER, Name
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.page import page_files
from tiles.records import paths
from tiles.records.serving import DAILY, FRESH, IMMUTABLE, headers_of
from tiles.store.probe import PROBES
from tiles.tree.layout import BUNDLES, CHECKPOINT, ENTRIES, Tile
from tiles.upkeep.metrics import EMF_METRICS, NAMESPACE, RunMetrics, emf_line
from tiletree.commands.sequence import sequence
from tiletree.commands.serve import PAGE_POLICY, SAFE
from tiletree.jobs.job import OPTIONS

pytestmark = pytest.mark.interop

DIGEST = "0123456789abcdef" * 4
SUBMITTED = Name("release", DIGEST[:32], DIGEST).path
PAGE = {*page_files(policy_for(signing_key("log.example.com", bytes(32)).verifier)), paths.SITE}

ONCE, REPLACED = "written once", "replaced"
SEQUENCER, OPERATOR, BOTH, NOBODY = {"sequencer"}, {"operator"}, {"sequencer", "operator"}, set[str]()


@dataclass(frozen=True)
class Row:
    """An object, and what the policies are to say of it.

    kind      ONCE or REPLACED
    writes    who may write it; deletes likewise
    """

    part: str
    path: str
    kind: str
    writes: frozenset[str]
    deletes: frozenset[str]


def rows() -> Iterator[Row]:
    """Yield each kind of object that a log has."""
    for part, kind, writes, deletes, names in (
        ("public", REPLACED, BOTH, NOBODY, [CHECKPOINT, paths.PENDING, paths.POLICY]),
        ("public", ONCE, BOTH, OPERATOR, [Tile(0, 0).path, Tile(5, 1234567).path, Tile(1, 300, 7).path]),
        ("public", ONCE, BOTH, OPERATOR, [Tile(ENTRIES, 0).path, Tile(ENTRIES, 0, 255).path]),
        ("public", ONCE, BOTH, NOBODY, [paths.checkpoint_path(1234067), paths.day_path(date(2026, 11, 29))]),
        ("public", ONCE, BOTH, NOBODY, [paths.key_change_path(7)]),
        ("public", ONCE, BOTH, OPERATOR, [paths.payload_path(DIGEST)]),
        ("public", REPLACED, BOTH, OPERATOR, [paths.index_head_path(LEAF), paths.index_head_path("example.com/7")]),
        ("public", ONCE, BOTH, OPERATOR, [paths.run_file_path(LEAF, 3, 65536, 2)]),
        ("public", ONCE, BOTH, OPERATOR, [paths.run_tile_path(LEAF, 0, 1, Tile(0, 0, 3))]),
        ("public", REPLACED, OPERATOR, OPERATOR, sorted(PAGE)),
        ("private", REPLACED, BOTH, NOBODY, [paths.HEAD, paths.SETTINGS, paths.STOPPED_INDEXES]),
        ("public", REPLACED, BOTH, OPERATOR, [paths.withheld_path(1234)]),
        ("public", REPLACED, BOTH, NOBODY, [paths.newest_endorsed_path("log.example.com")]),
        ("public", ONCE, BOTH, NOBODY, [paths.endorsed_path("log.example.com", 1234067)]),
        ("private", REPLACED, OPERATOR, OPERATOR, [paths.MOVED, paths.MOVING]),
        ("private", ONCE, BOTH, BOTH, [paths.staged_path(1234067, DIGEST)]),
        ("private", ONCE, BOTH, NOBODY, [paths.policy_path(DIGEST)]),
        (
            "private",
            ONCE,
            BOTH,
            OPERATOR,
            [paths.decided_path(DIGEST), f"{paths.SET_ASIDE}tile/0/000", paths.witnessed_path(DIGEST)],
        ),
        ("private", ONCE, BOTH, OPERATOR, [f"{paths.REJECTED}release/x", paths.odd_rejection_path(DIGEST)]),
        ("private", ONCE, {"submit-release"}, BOTH, [SUBMITTED, f"{paths.INBOX}release/odd.html"]),
        ("anchor", REPLACED, BOTH, NOBODY, [paths.ANCHOR]),
    ):
        for name in names:
            yield Row(part, name, kind, frozenset(writes), frozenset(deletes))
    for part in ("public", "private", "anchor"):
        yield Row(part, f"{PROBES}{DIGEST[:32]}", REPLACED, frozenset(BOTH), frozenset(BOTH))


ROWS = list(rows())
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.part}/{row.path}")
ROLES = ("sequencer", "operator", "submit-release", "submit-nightly")


@pytest.fixture(scope="module")
def complete(deploy: Deploy) -> Deployment:
    """Return the example with everything in it."""
    return deploy()


def everyone(deployment: Deployment) -> dict[str, str]:
    """Return who there is, by the end of the name of its role; and an administrator of the account."""
    return {**{name: deployment.role(name) for name in ROLES}, "administrator": OTHER}


def test_the_rows_have_each_name_that_the_code_has() -> None:
    """What tiles/records/paths.py calls by a name of its own is in the table: a new name is asked for."""
    inside = {paths.TRACES, paths.ODD, *OF_OTHER_FORMATS}  # parts of others, and what no log of ours has
    names = {
        value
        for name, value in vars(paths).items()
        if re.fullmatch(r"[A-Z][A-Z_]*", name) and isinstance(value, str) and value not in inside
    }
    assert len(names) > 15
    assert [name for name in sorted(names) if not any(row.path.startswith(name) for row in ROWS)] == []
    assert any(row.path.startswith(BUNDLES) for row in ROWS)


@each
def test_who_may_write(complete: Deployment, row: Row) -> None:
    """Only those who are to may create an object; it is replaced only if it is one that changes, and never blindly."""
    bucket = complete.buckets[row.part]

    def writers(**header: str) -> set[str]:
        found = everyone(complete).items()
        return {name for name, who in found if complete.may(who, "s3:PutObject", bucket, row.path, **header)}

    allowed = set(row.writes) | ({"administrator"} if row.path.startswith(paths.INBOX) else set())
    assert writers(if_none_match="*") == allowed
    assert writers(if_match="etag") == (allowed if row.kind == REPLACED else set())
    assert writers() == set()


@each
def test_who_may_delete(complete: Deployment, row: Row) -> None:
    """Only those who are to may delete an object, and nobody a version of it."""
    bucket = complete.buckets[row.part]
    for action, allowed in (("s3:DeleteObject", set(row.deletes)), ("s3:DeleteObjectVersion", set())):
        found = everyone(complete).items()
        assert {name for name, who in found if complete.may(who, action, bucket, row.path)} == allowed


@each
def test_who_may_read(complete: Deployment, row: Row) -> None:
    """Sequencer and operator read everything, submitters nothing, and an administrator no anchor."""
    bucket = complete.buckets[row.part]
    readers = {name for name, who in everyone(complete).items() if complete.may(who, "s3:GetObject", bucket, row.path)}
    assert readers == {"sequencer", "operator"} | (set() if row.part == "anchor" else {"administrator"})


@each
def test_nothing_of_a_frozen_log_changes(deploy: Deploy, row: Row) -> None:
    """Nobody writes or deletes anything of a frozen log but its page, not even who could before."""
    frozen = deploy(frozen="true")
    bucket, people = frozen.buckets[row.part], [frozen.role("sequencer"), frozen.role("operator"), OTHER]
    calls = [("s3:PutObject", {"if_none_match": "*"}), ("s3:PutObject", {"if_match": "etag"}), ("s3:DeleteObject", {})]
    changed = {who for who in people for action, said in calls if frozen.may(who, action, bucket, row.path, **said)}
    assert changed == ({frozen.role("operator")} if row.path in PAGE else set())


def test_nothing_goes_without_tls(complete: Deployment) -> None:
    """A request in the clear is denied, whoever sends it."""
    for bucket in complete.buckets.values():
        call = iam.Call(OTHER, "s3:GetObject", f"arn:aws:s3:::{bucket}/x", {"aws:SecureTransport": "false"})
        assert not iam.is_allowed(call, complete.role_policies[OTHER], [complete.bucket_policies[bucket]])


def test_only_the_cdn_reads_without_a_role(complete: Deployment) -> None:
    """The distribution reads the public bucket, and is told what is missing; others are not."""
    (distribution,) = complete.all("aws_cloudfront_distribution")
    for part, bucket in complete.buckets.items():
        for source, action in product((distribution["arn"], "other"), ("s3:GetObject", "s3:ListBucket")):
            resource = f"arn:aws:s3:::{bucket}/checkpoint" if action == "s3:GetObject" else f"arn:aws:s3:::{bucket}"
            call = iam.Call("cloudfront.amazonaws.com", action, resource, {"aws:SourceArn": source})
            allowed = iam.is_allowed(call, [], [complete.bucket_policies[bucket]])
            assert allowed == (part == "public" and source == distribution["arn"])
        assert not complete.may("arn:aws:iam::999999999999:role/stranger", "s3:GetObject", bucket, "checkpoint")


def test_what_is_withheld_is_not_served(complete: Deployment) -> None:
    """The CDN is denied the bundle that the example withholds, in each width, and no other; the sequencer reads it."""
    (distribution,) = complete.all("aws_cloudfront_distribution")
    bucket, source = complete.buckets["public"], {"aws:SourceArn": distribution["arn"]}
    withheld = [Tile(ENTRIES, 1234, width).path for width in (256, 7)]
    for path in (*withheld, Tile(ENTRIES, 1235).path, Tile(0, 1234).path, paths.withheld_path(1234)):
        call = iam.Call("cloudfront.amazonaws.com", "s3:GetObject", f"arn:aws:s3:::{bucket}/{path}", source)
        assert iam.is_allowed(call, [], [complete.bucket_policies[bucket]]) == (path not in withheld)
        assert complete.may(complete.role("sequencer"), "s3:GetObject", bucket, path)


@pytest.mark.parametrize("who", ["sequencer", "operator", "submit-release", "administrator"])
def test_who_may_sign(complete: Deployment, who: str) -> None:
    """The sequencer alone signs, and only as a checkpoint is signed; an administrator does not."""
    (key,) = complete.all("aws_kms_key")
    policy, role = json.loads(key["policy"]), everyone(complete)[who]
    assert (key["customer_master_key_spec"], key["key_usage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")

    def may(action: str, **context: str) -> bool:
        call = iam.Call(role, action, key["arn"], {f"kms:{name}": value for name, value in context.items()})
        # the policy of a key decides: a policy of IAM counts only where it lets the account's root allow that action
        return iam.is_allowed(call, [], [policy])

    said = {"SigningAlgorithm": "ED25519_SHA_512", "MessageType": "RAW"}
    assert may("kms:Sign", **said) == (who == "sequencer")
    assert not may("kms:Sign", **{**said, "MessageType": "DIGEST"})
    assert not may("kms:Sign", **{**said, "SigningAlgorithm": "ED25519_PH_SHA_512"})
    assert may("kms:GetPublicKey") == (who in ("sequencer", "operator"))


def test_iam_of_the_account_cannot_allow_signing(complete: Deployment) -> None:
    """The account's root, by which policies of IAM get their force, administers the key and does not sign."""
    (key,) = complete.all("aws_kms_key")
    call = iam.Call(f"arn:aws:iam::{ACCOUNT}:root", "kms:Sign", key["arn"])
    assert not iam.is_allowed(call, [], [json.loads(key["policy"])])


# ---- what is served


def behaviour(deployment: Deployment, path: str) -> dict[str, object]:
    """Return how CloudFront treats a path: the first pattern that fits, or the default."""
    (distribution,) = deployment.all("aws_cloudfront_distribution")
    for found in distribution["ordered_cache_behavior"]:
        if iam.matches(found["path_pattern"], path):
            return dict(found)
    return dict(distribution["default_cache_behavior"][0])


@pytest.mark.parametrize("path", sorted({row.path for row in ROWS if row.part == "public"}))
def test_caches_keep_what_the_code_says(complete: Deployment, path: str) -> None:
    """The CDN keeps what never changes for a year, what changes for five seconds at most, and the page for minutes."""
    policies = {policy["id"]: policy for policy in complete.all("aws_cloudfront_cache_policy")}
    found = behaviour(complete, path)
    policy = policies[found["cache_policy_id"]]
    if path.startswith(PROBES):
        return
    said = headers_of(path)["Cache-Control"]
    assert said in (IMMUTABLE, FRESH, DAILY)
    least, most = {IMMUTABLE: (31536000, 31536000), FRESH: (1, 5), DAILY: (0, 300)}[said]
    assert least <= policy["min_ttl"] <= policy["default_ttl"] <= policy["max_ttl"] <= most
    assert found["compress"] == (said == DAILY)  # parts of the index are asked for; hashes do not get shorter


def test_a_reader_can_ask_past_the_cache(complete: Deployment) -> None:
    """The query by which readers ask once more is another copy, and no other query reaches the bucket."""
    for policy in complete.all("aws_cloudfront_cache_policy"):
        (key,) = policy["parameters_in_cache_key_and_forwarded_to_origin"]
        (queries,) = key["query_strings_config"]
        assert queries["query_string_behavior"] == "whitelist"
        assert queries["query_strings"][0]["items"] == ["past"]


def test_headers_of_the_page(complete: Deployment) -> None:
    """The page has the headers that `tiletree serve` sends, verify.html its own policy only, and all of it nosniff."""
    policies = {p["id"]: p for p in complete.all("aws_cloudfront_response_headers_policy")}
    for path in ("index.html", "verify.html", CHECKPOINT, Tile(0, 0).path):
        found = policies[behaviour(complete, path)["response_headers_policy_id"]]
        (security,) = found["security_headers_config"]
        assert security["content_type_options"][0]["override"]
        assert found["cors_config"][0]["access_control_allow_origins"][0]["items"] == ["*"]
        csp = [each["content_security_policy"] for each in security["content_security_policy"]]
        assert csp == ([PAGE_POLICY] if path == "index.html" else [])
        if path == "index.html":
            (custom,) = found["custom_headers_config"]
            assert [(item["header"], item["value"]) for item in custom["items"]] == [
                ("Cross-Origin-Opener-Policy", "same-origin")
            ]
            assert security["referrer_policy"][0]["referrer_policy"] == SAFE["Referrer-Policy"]


# ---- what is called


def test_the_function_is_the_job(complete: Deployment) -> None:
    """The handler is a function that there is, and each of its variables one that a job reads."""
    (function,) = complete.all("aws_lambda_function")
    assert callable(pkgutil.resolve_name(function["handler"]))
    (environment,) = function["environment"]
    options = {f"TILETREE_{name.upper()}" for name in OPTIONS} | {str(each.envvar) for each in sequence.params}
    places = {"TILETREE_LOG", "TILETREE_PRIVATE", "TILETREE_ANCHOR", "TILETREE_KEY"}
    assert places <= set(environment["variables"]) <= places | options


def test_alarms_are_about_numbers_that_there_are(complete: Deployment) -> None:
    """The alarms for backlog and quorum look at metrics that the job writes, by the dimension that they have."""
    found = [alarm for alarm in complete.all("aws_cloudwatch_metric_alarm") if alarm["namespace"] == NAMESPACE]
    names = {alarm["metric_name"] for alarm in found}
    assert names == {"oldest_pending_seconds", "below_quorum"}
    assert names <= {*EMF_METRICS}
    line = json.loads(emf_line(RunMetrics("log.example.com"), 0.0))
    assert [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]] * 2 == [[list(each["dimensions"])] for each in found]


def test_names_of_submitters_are_those_of_the_code() -> None:
    """A name that the module takes is one that the code takes; it takes shorter ones only, for the names of roles."""
    text = (HERE.parents[1] / "terraform" / "aws" / "variables.tf").read_text(encoding="utf-8")
    assert f"^{SUBMITTER.replace('{0,63}', '{0,31}')}$" in text
