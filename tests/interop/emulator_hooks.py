"""What makes the resources of terraform/aws in the emulator: hooks of `tests.terraform.schema_provider`, with boto3.

HashiCorp's provider is not there. So this shows that the module's resources fit together and that its policies hold. It
does not show that HashiCorp's provider accepts every value. A type without a hook is an error; a value that no hook
passes on is not tried.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

Values = dict[str, Any]


@cache
def client(service: str, region: str | None = None) -> Any:
    """Return boto3's client of a service."""
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})
    return boto3.client(service, region_name=region or os.environ["AWS_REGION"], config=config)


def create(name: str, values: Values) -> Values:
    """Make a resource of a type; return what is known of it by then."""
    return _CREATE[name](values) or {}


def update(name: str, values: Values) -> Values:
    """Change a resource, of a type for which that was of use so far."""
    if name not in _UPDATE:
        raise NotImplementedError(f"{name} cannot be changed here")
    return _UPDATE[name](values) or {}


def delete(name: str, values: Values) -> None:
    """Delete a resource, if it is one by itself: what is part of another one goes with it."""
    if name in _DELETE:
        _DELETE[name](values)


def read(name: str, values: Values) -> Values:
    """Return what a data source says."""
    if name == "aws_caller_identity":
        return {"account_id": client("sts").get_caller_identity()["Account"]}
    return {"aws_partition": {"partition": "aws"}, "aws_region": {"region": os.environ["AWS_REGION"]}}[name]


def refresh(name: str, values: Values) -> Values | None:
    """Return what differs in the emulator from what Terraform knows of a resource; None if it is not there.

    Policies are compared, and the schedule's state; of other types, what is deleted by hand is found.
    """
    try:
        return (_REFRESH[name](values) or {}) if name in _REFRESH else {}
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return None
        raise


def _policy(known: str, found: str | Values) -> Values:
    """Return nothing if both policies say the same, whatever their spaces and order are."""
    found = json.loads(found) if isinstance(found, str) else found
    return {} if json.loads(known) == found else {"policy": json.dumps(found)}


def _changed(values: Values, **found: Any) -> Values:
    return {name: value for name, value in found.items() if values.get(name) not in (None, value)}


def _one(values: Any) -> Any:
    """Return the one block there can be; {} for none."""
    return (values or [{}])[0] if isinstance(values, list | None) else values


def _given(values: Values, **names: str) -> Values:
    """Return arguments of a call: those that have a value."""
    return {argument: values[name] for argument, name in names.items() if values.get(name) not in (None, [], {})}


# ---- buckets


def _bucket(values: Values) -> Values:
    name, region = values["bucket"], client("s3").meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client("s3").create_bucket(Bucket=name, ObjectLockEnabledForBucket=bool(values.get("object_lock_enabled")), **where)
    domain = f"{name}.s3.{region}.amazonaws.com"
    return {"id": name, "arn": f"arn:aws:s3:::{name}", "bucket_regional_domain_name": domain, "region": region}


def _delete_bucket(values: Values) -> None:
    name = values["bucket"]
    if values.get("force_destroy"):
        for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=name):
            for listed in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                client("s3").delete_object(
                    Bucket=name, Key=listed["Key"], VersionId=listed["VersionId"], BypassGovernanceRetention=True
                )
    client("s3").delete_bucket(Bucket=name)


def _versioning(values: Values) -> None:
    status = _one(values["versioning_configuration"])["status"]
    client("s3").put_bucket_versioning(Bucket=values["bucket"], VersioningConfiguration={"Status": status})


def _ownership(values: Values) -> None:
    rules = [{"ObjectOwnership": _one(values["rule"])["object_ownership"]}]
    client("s3").put_bucket_ownership_controls(Bucket=values["bucket"], OwnershipControls={"Rules": rules})


def _no_public_access(values: Values) -> None:
    block = {
        "BlockPublicAcls": values["block_public_acls"],
        "IgnorePublicAcls": values["ignore_public_acls"],
        "BlockPublicPolicy": values["block_public_policy"],
        "RestrictPublicBuckets": values["restrict_public_buckets"],
    }
    client("s3").put_public_access_block(Bucket=values["bucket"], PublicAccessBlockConfiguration=block)


def _encryption(values: Values) -> None:
    default = _one(_one(values["rule"])["apply_server_side_encryption_by_default"])
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": default["sse_algorithm"]}}
    client("s3").put_bucket_encryption(Bucket=values["bucket"], ServerSideEncryptionConfiguration={"Rules": [rule]})


def _lifecycle(values: Values) -> None:
    rules = []
    for rule in values["rule"]:
        made: Values = {"ID": rule["id"], "Status": rule["status"]}
        made["Filter"] = {"Prefix": _one(rule["filter"]).get("prefix") or ""}
        if expiration := _one(rule["expiration"]):
            days = expiration.get("days")
            made["Expiration"] = {"Days": int(days)} if days else {"ExpiredObjectDeleteMarker": True}
        if old := _one(rule["noncurrent_version_expiration"]):
            made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(old["noncurrent_days"])}
        if upload := _one(rule["abort_incomplete_multipart_upload"]):
            made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(upload["days_after_initiation"])}
        rules.append(made)
    client("s3").put_bucket_lifecycle_configuration(Bucket=values["bucket"], LifecycleConfiguration={"Rules": rules})


def _bucket_policy(values: Values) -> None:
    client("s3").put_bucket_policy(Bucket=values["bucket"], Policy=values["policy"])


def _object(values: Values) -> None:
    body = Path(values["source"]).read_bytes() if values.get("source") else (values.get("content") or "").encode()
    more = _given(values, ContentType="content_type", CacheControl="cache_control")
    client("s3").put_object(Bucket=values["bucket"], Key=values["key"], Body=body, **more)


# ---- rights and keys


def _role(values: Values) -> Values:
    made = client("iam").create_role(RoleName=values["name"], AssumeRolePolicyDocument=values["assume_role_policy"])
    return {"id": values["name"], "arn": made["Role"]["Arn"], "unique_id": made["Role"]["RoleId"]}


def _role_policy(values: Values) -> Values:
    client("iam").put_role_policy(RoleName=values["role"], PolicyName=values["name"], PolicyDocument=values["policy"])
    return {"id": f"{values['role']}:{values['name']}"}


def _key(values: Values) -> Values:
    given = _given(values, KeySpec="customer_master_key_spec", KeyUsage="key_usage", Description="description")
    made = client("kms").create_key(Policy=values["policy"], **given)["KeyMetadata"]
    return {"id": made["KeyId"], "key_id": made["KeyId"], "arn": made["Arn"]}


def _key_policy(values: Values) -> None:
    client("kms").put_key_policy(KeyId=values["key_id"], PolicyName="default", Policy=values["policy"])


def _key_alias(values: Values) -> Values:
    client("kms").create_alias(AliasName=values["name"], TargetKeyId=values["target_key_id"])
    return {"id": values["name"]}


def _secret(values: Values) -> Values:
    made = client("secretsmanager").create_secret(Name=values["name"])
    return {"id": made["ARN"], "arn": made["ARN"]}


# ---- the function and its schedule


def _queue(values: Values) -> Values:
    names = {"MessageRetentionPeriod": "message_retention_seconds", "VisibilityTimeout": "visibility_timeout_seconds"}
    attributes = {
        attribute: str(int(values[name])) for attribute, name in names.items() if values.get(name) is not None
    }
    attributes |= _given(values, RedrivePolicy="redrive_policy")
    url = client("sqs").create_queue(QueueName=values["name"], Attributes=attributes)["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"id": url, "url": url, "arn": arn}


def _queue_policy(values: Values) -> None:
    client("sqs").set_queue_attributes(QueueUrl=values["queue_url"], Attributes={"Policy": values["policy"]})


def _log_group(values: Values) -> Values:
    client("logs").create_log_group(logGroupName=values["name"])
    days = int(values["retention_in_days"])
    client("logs").put_retention_policy(logGroupName=values["name"], retentionInDays=days)
    return {"id": values["name"]}


def _function(values: Values) -> Values:
    made = client("lambda").create_function(
        FunctionName=values["function_name"],
        Runtime=values["runtime"],
        Role=values["role"],
        Handler=values["handler"],
        Code={"ZipFile": Path(values["filename"]).read_bytes()},
        MemorySize=int(values["memory_size"]),
        Timeout=int(values["timeout"]),
        Architectures=values["architectures"],
        Environment={"Variables": _one(values["environment"])["variables"]},
    )
    if (reserved := values.get("reserved_concurrent_executions")) is not None and reserved >= 0:
        client("lambda").put_function_concurrency(
            FunctionName=values["function_name"], ReservedConcurrentExecutions=int(reserved)
        )
    return {"id": values["function_name"], "arn": made["FunctionArn"]}


def _invocations(values: Values) -> None:
    failed = _one(_one(values["destination_config"]).get("on_failure"))
    client("lambda").put_function_event_invoke_config(
        FunctionName=values["function_name"],
        MaximumRetryAttempts=int(values["maximum_retry_attempts"]),
        MaximumEventAgeInSeconds=int(values["maximum_event_age_in_seconds"]),
        DestinationConfig={"OnFailure": {"Destination": failed["destination"]}} if failed else {},
    )


def _permission(values: Values) -> None:
    client("lambda").add_permission(
        FunctionName=values["function_name"],
        StatementId=values["statement_id"],
        Action=values["action"],
        Principal=values["principal"],
        **_given(values, SourceArn="source_arn", SourceAccount="source_account"),
    )


def _notification(values: Values) -> Values:
    queues = [
        {
            "QueueArn": queue["queue_arn"],
            "Events": list(queue["events"]),
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": queue["filter_prefix"]}]}},
        }
        for queue in values["queue"]
    ]
    client("s3").put_bucket_notification_configuration(
        Bucket=values["bucket"], NotificationConfiguration={"QueueConfigurations": queues}
    )
    return {"id": values["bucket"]}


def _mapping(values: Values) -> Values:
    made = client("lambda").create_event_source_mapping(
        EventSourceArn=values["event_source_arn"],
        FunctionName=values["function_name"],
        BatchSize=int(values["batch_size"]),
        MaximumBatchingWindowInSeconds=int(values["maximum_batching_window_in_seconds"]),
        FunctionResponseTypes=list(values["function_response_types"]),
        ScalingConfig={"MaximumConcurrency": int(_one(values["scaling_config"])["maximum_concurrency"])},
    )
    return {"id": made["UUID"], "uuid": made["UUID"]}


def _schedule_group(values: Values) -> Values:
    made = client("scheduler").create_schedule_group(Name=values["name"])
    return {"id": values["name"], "arn": made["ScheduleGroupArn"]}


def _schedule(values: Values) -> Values:
    target = _one(values["target"])
    retry = _one(target["retry_policy"])
    policy = {
        "MaximumRetryAttempts": int(retry["maximum_retry_attempts"]),
        "MaximumEventAgeInSeconds": int(retry["maximum_event_age_in_seconds"]),
    }
    made = client("scheduler").create_schedule(
        Name=values["name"],
        GroupName=values["group_name"],
        ScheduleExpression=values["schedule_expression"],
        FlexibleTimeWindow={"Mode": _one(values["flexible_time_window"])["mode"]},
        State=values.get("state") or "ENABLED",
        Target={
            "Arn": target["arn"],
            "RoleArn": target["role_arn"],
            "RetryPolicy": policy,
            **_given(target, Input="input"),
            **({"DeadLetterConfig": {"Arn": dead["arn"]}} if (dead := _one(target.get("dead_letter_config"))) else {}),
        },
    )
    return {"id": f"{values['group_name']}/{values['name']}", "arn": made["ScheduleArn"]}


# ---- the CDN


def _access_control(values: Values) -> Values:
    config = {
        "Name": values["name"],
        "SigningProtocol": values["signing_protocol"],
        "SigningBehavior": values["signing_behavior"],
        "OriginAccessControlOriginType": values["origin_access_control_origin_type"],
    }
    made = client("cloudfront").create_origin_access_control(OriginAccessControlConfig=config)
    return {"id": made["OriginAccessControl"]["Id"]}


def _cache_policy(values: Values) -> Values:
    times = {
        name: int(values[f"{name.removesuffix('TTL').lower()}_ttl"]) for name in ("MinTTL", "DefaultTTL", "MaxTTL")
    }
    key = _one(values["parameters_in_cache_key_and_forwarded_to_origin"])
    query = _one(key["query_strings_config"])
    names = _one(query.get("query_strings")).get("items")
    forwarded = {
        "EnableAcceptEncodingGzip": key["enable_accept_encoding_gzip"],
        "EnableAcceptEncodingBrotli": key["enable_accept_encoding_brotli"],
        "HeadersConfig": {"HeaderBehavior": _one(key["headers_config"])["header_behavior"]},
        "CookiesConfig": {"CookieBehavior": _one(key["cookies_config"])["cookie_behavior"]},
        "QueryStringsConfig": {
            "QueryStringBehavior": query["query_string_behavior"],
            **({"QueryStrings": _items(names)} if names else {}),
        },
    }
    config = {"Name": values["name"], **times, "ParametersInCacheKeyAndForwardedToOrigin": forwarded}
    made = client("cloudfront").create_cache_policy(CachePolicyConfig=config)
    return {"id": made["CachePolicy"]["Id"]}


def _headers_policy(values: Values) -> Values:
    config: Values = {"Name": values["name"]}
    if cors := _one(values.get("cors_config")):
        lists = {
            "AccessControlAllowOrigins": "access_control_allow_origins",
            "AccessControlAllowHeaders": "access_control_allow_headers",
            "AccessControlAllowMethods": "access_control_allow_methods",
            "AccessControlExposeHeaders": "access_control_expose_headers",
        }
        made = {argument: _items(_one(cors[name]).get("items")) for argument, name in lists.items() if cors.get(name)}
        flags = {"AccessControlAllowCredentials": False, "OriginOverride": True}
        config["CorsConfig"] = {**made, **flags}
    if security := _one(values.get("security_headers_config")):
        made = {}
        if _one(security.get("content_type_options")):
            made["ContentTypeOptions"] = {"Override": True}
        if own := _one(security.get("content_security_policy")):
            made["ContentSecurityPolicy"] = {
                "Override": True,
                "ContentSecurityPolicy": own["content_security_policy"],
            }
        if own := _one(security.get("strict_transport_security")):
            seconds = int(own["access_control_max_age_sec"])
            made["StrictTransportSecurity"] = {"Override": True, "AccessControlMaxAgeSec": seconds}
        if own := _one(security.get("frame_options")):
            made["FrameOptions"] = {"Override": True, "FrameOption": own["frame_option"]}
        if own := _one(security.get("referrer_policy")):
            made["ReferrerPolicy"] = {"Override": True, "ReferrerPolicy": own["referrer_policy"]}
        config["SecurityHeadersConfig"] = made
    if custom := _one(values.get("custom_headers_config")):
        headers = [
            {"Header": item["header"], "Value": item["value"], "Override": item["override"]} for item in custom["items"]
        ]
        config["CustomHeadersConfig"] = _items(headers)
    made = client("cloudfront").create_response_headers_policy(ResponseHeadersPolicyConfig=config)
    return {"id": made["ResponseHeadersPolicy"]["Id"]}


def _items(items: Any) -> Values:
    return {"Quantity": len(items or []), "Items": list(items or [])}


def _behavior(block: Values) -> Values:
    made = {
        "TargetOriginId": block["target_origin_id"],
        "ViewerProtocolPolicy": block["viewer_protocol_policy"],
        "AllowedMethods": {**_items(block["allowed_methods"]), "CachedMethods": _items(block["cached_methods"])},
        **_given(
            block,
            CachePolicyId="cache_policy_id",
            ResponseHeadersPolicyId="response_headers_policy_id",
            Compress="compress",
        ),
    }
    return {**made, "PathPattern": block["path_pattern"]} if block.get("path_pattern") else made


def _distribution(values: Values) -> Values:
    origins = [
        {
            "Id": origin["origin_id"],
            "DomainName": origin["domain_name"],
            "S3OriginConfig": {"OriginAccessIdentity": ""},
            **_given(origin, OriginAccessControlId="origin_access_control_id"),
        }
        for origin in values["origin"]
    ]
    config = {
        "CallerReference": values["comment"],
        "Comment": values["comment"],
        "Enabled": values["enabled"],
        "DefaultRootObject": values.get("default_root_object") or "",
        "Origins": _items(origins),
        "DefaultCacheBehavior": _behavior(_one(values["default_cache_behavior"])),
        "CacheBehaviors": _items([_behavior(block) for block in values["ordered_cache_behavior"]]),
    }
    made = client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    return {"id": made["Id"], "arn": made["ARN"], "domain_name": made["DomainName"]}


def _delete_distribution(values: Values) -> None:
    found = client("cloudfront").get_distribution_config(Id=values["id"])
    config = {**found["DistributionConfig"], "Enabled": False}
    tag = client("cloudfront").update_distribution(Id=values["id"], IfMatch=found["ETag"], DistributionConfig=config)
    client("cloudfront").delete_distribution(Id=values["id"], IfMatch=tag["ETag"])


# ---- alarms


def _alarm(values: Values) -> Values:
    client("cloudwatch", values.get("region")).put_metric_alarm(
        AlarmName=values["alarm_name"],
        Namespace=values["namespace"],
        MetricName=values["metric_name"],
        Statistic=values["statistic"],
        Period=int(values["period"]),
        EvaluationPeriods=int(values["evaluation_periods"]),
        Threshold=float(values["threshold"]),
        ComparisonOperator=values["comparison_operator"],
        TreatMissingData=values["treat_missing_data"],
        Dimensions=[{"Name": name, "Value": value} for name, value in (values["dimensions"] or {}).items()],
    )
    return {"id": values["alarm_name"]}


_CREATE: dict[str, Callable[[Values], Values | None]] = {
    "aws_cloudfront_cache_policy": _cache_policy,
    "aws_cloudfront_distribution": _distribution,
    "aws_cloudfront_origin_access_control": _access_control,
    "aws_cloudfront_response_headers_policy": _headers_policy,
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_iam_role": _role,
    "aws_iam_role_policy": _role_policy,
    "aws_kms_alias": _key_alias,
    "aws_kms_key": _key,
    "aws_lambda_event_source_mapping": _mapping,
    "aws_lambda_function": _function,
    "aws_lambda_function_event_invoke_config": _invocations,
    "aws_lambda_permission": _permission,
    "aws_s3_bucket": _bucket,
    "aws_s3_bucket_lifecycle_configuration": _lifecycle,
    "aws_s3_bucket_notification": _notification,
    "aws_s3_bucket_ownership_controls": _ownership,
    "aws_s3_bucket_policy": _bucket_policy,
    "aws_s3_bucket_public_access_block": _no_public_access,
    "aws_s3_bucket_server_side_encryption_configuration": _encryption,
    "aws_s3_bucket_versioning": _versioning,
    "aws_s3_object": _object,
    "aws_scheduler_schedule": _schedule,
    "aws_scheduler_schedule_group": _schedule_group,
    "aws_secretsmanager_secret": _secret,
    "aws_sqs_queue": _queue,
    "aws_sqs_queue_policy": _queue_policy,
}

# the codes of errors that say that something is not there
_GONE = frozenset(
    {"404", "NoSuchBucket", "NoSuchBucketPolicy", "NoSuchEntity", "NotFoundException", "ResourceNotFoundException"}
)

_REFRESH: dict[str, Callable[[Values], Any]] = {
    "aws_iam_role": lambda values: client("iam").get_role(RoleName=values["name"]) and {},
    "aws_iam_role_policy": lambda values: _policy(
        values["policy"],
        client("iam").get_role_policy(RoleName=values["role"], PolicyName=values["name"])["PolicyDocument"],
    ),
    "aws_kms_key": lambda values: _policy(
        values["policy"], client("kms").get_key_policy(KeyId=values["key_id"], PolicyName="default")["Policy"]
    ),
    "aws_lambda_function": lambda values: client("lambda").get_function(FunctionName=values["function_name"]) and {},
    "aws_s3_bucket": lambda values: client("s3").head_bucket(Bucket=values["bucket"]) and {},
    "aws_s3_bucket_policy": lambda values: _policy(
        values["policy"], client("s3").get_bucket_policy(Bucket=values["bucket"])["Policy"]
    ),
    "aws_scheduler_schedule": lambda values: _changed(
        values, state=client("scheduler").get_schedule(Name=values["name"], GroupName=values["group_name"])["State"]
    ),
}

_UPDATE: dict[str, Callable[[Values], Values | None]] = {
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_iam_role_policy": _role_policy,
    "aws_kms_key": _key_policy,
    "aws_s3_bucket_policy": _bucket_policy,
    "aws_s3_object": _object,
}

_DELETE: dict[str, Callable[[Values], Any]] = {
    "aws_cloudfront_distribution": _delete_distribution,
    "aws_cloudwatch_log_group": lambda values: client("logs").delete_log_group(logGroupName=values["name"]),
    "aws_cloudwatch_metric_alarm": lambda values: client("cloudwatch", values.get("region")).delete_alarms(
        AlarmNames=[values["alarm_name"]]
    ),
    "aws_iam_role": lambda values: client("iam").delete_role(RoleName=values["name"]),
    "aws_iam_role_policy": lambda values: client("iam").delete_role_policy(
        RoleName=values["role"], PolicyName=values["name"]
    ),
    "aws_kms_alias": lambda values: client("kms").delete_alias(AliasName=values["name"]),
    "aws_kms_key": lambda values: client("kms").schedule_key_deletion(
        KeyId=values["key_id"], PendingWindowInDays=int(values["deletion_window_in_days"])
    ),
    "aws_lambda_event_source_mapping": lambda values: client("lambda").delete_event_source_mapping(UUID=values["uuid"]),
    "aws_lambda_function": lambda values: client("lambda").delete_function(FunctionName=values["function_name"]),
    "aws_s3_bucket": _delete_bucket,
    "aws_s3_bucket_policy": lambda values: client("s3").delete_bucket_policy(Bucket=values["bucket"]),
    "aws_s3_object": lambda values: client("s3").delete_object(Bucket=values["bucket"], Key=values["key"]),
    "aws_scheduler_schedule": lambda values: client("scheduler").delete_schedule(
        Name=values["name"], GroupName=values["group_name"]
    ),
    "aws_scheduler_schedule_group": lambda values: client("scheduler").delete_schedule_group(Name=values["name"]),
    "aws_sqs_queue": lambda values: client("sqs").delete_queue(QueueUrl=values["url"]),
}
