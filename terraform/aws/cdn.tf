resource "aws_cloudfront_origin_access_control" "log" {
  name                              = local.bucket.public
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

locals {
  # For how long a copy may be served: tiles/records/serving.py. `make terraform` holds each name against it.
  cache = {
    fresh     = { min = var.checkpoint_ttl_seconds, default = var.checkpoint_ttl_seconds, max = var.checkpoint_ttl_seconds, encodes = false }
    immutable = { min = 31536000, default = 31536000, max = 31536000, encodes = false }
    page      = { min = 0, default = 60, max = 300, encodes = true }
  }
  # In this order: the first pattern that fits decides.
  behaviours = [
    { path = "checkpoint", cache = "fresh" },
    { path = "pending", cache = "fresh" },
    { path = "index/*/head", cache = "fresh" },
    { path = "withheld/*", cache = "fresh" },
    { path = "endorsed/*/newest", cache = "fresh" },
    { path = "endorsed/*", cache = "immutable" },
    { path = "index/*", cache = "immutable" }, # read in parts, so never compressed
    { path = "tile/*", cache = "immutable" },
    { path = "checkpoints/*", cache = "immutable" },
    { path = "keys/*", cache = "immutable" },
    { path = "payload/*", cache = "immutable" },
    { path = "verify.html", cache = "page" }, # has a policy of its own in it
  ]
  csp = join("; ", [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ])
}

resource "aws_cloudfront_cache_policy" "this" {
  for_each = local.cache

  name        = "${var.name}-${each.key}"
  comment     = "${each.key} objects of the log ${var.origin}"
  min_ttl     = each.value.min
  default_ttl = each.value.default
  max_ttl     = each.value.max

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = each.value.encodes
    enable_accept_encoding_brotli = each.value.encodes
    cookies_config {
      cookie_behavior = "none"
    }
    headers_config {
      header_behavior = "none"
    }
    # A reader that got a wrong answer asks once more with ?past=…, which is another copy: docs/hosting.md.
    query_strings_config {
      query_string_behavior = "whitelist"
      query_strings {
        items = ["past"]
      }
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "log" {
  name    = "${var.name}-log"
  comment = "objects of the log ${var.origin}"

  cors_config {
    access_control_allow_credentials = false
    access_control_max_age_sec       = 86400
    origin_override                  = true
    access_control_allow_headers {
      items = ["*"]
    }
    access_control_allow_methods {
      items = ["GET", "HEAD", "OPTIONS"]
    }
    access_control_allow_origins {
      items = ["*"]
    }
    access_control_expose_headers {
      items = ["Age", "Content-Range", "ETag", "Last-Modified"]
    }
  }

  security_headers_config {
    content_type_options {
      override = true
    }
    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "page" {
  name    = "${var.name}-page"
  comment = "the page of the log ${var.origin}"

  cors_config {
    access_control_allow_credentials = false
    origin_override                  = true
    access_control_allow_headers {
      items = ["*"]
    }
    access_control_allow_methods {
      items = ["GET", "HEAD"]
    }
    access_control_allow_origins {
      items = ["*"]
    }
  }

  custom_headers_config {
    items {
      header   = "Cross-Origin-Opener-Policy"
      value    = "same-origin"
      override = true
    }
  }

  security_headers_config {
    content_security_policy {
      content_security_policy = local.csp
      override                = true
    }
    content_type_options {
      override = true
    }
    frame_options {
      frame_option = "DENY"
      override     = true
    }
    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }
    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "log" {
  enabled             = true
  comment             = "transparency log ${var.origin}"
  aliases             = var.domain == null ? [] : [var.domain.name]
  default_root_object = "index.html"
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = var.price_class
  web_acl_id          = var.web_acl_arn
  tags                = local.tags

  origin {
    origin_id                = "public"
    domain_name              = aws_s3_bucket.public.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.log.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.behaviours
    content {
      path_pattern               = ordered_cache_behavior.value.path
      target_origin_id           = "public"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD", "OPTIONS"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = local.cache[ordered_cache_behavior.value.cache].encodes
      cache_policy_id            = aws_cloudfront_cache_policy.this[ordered_cache_behavior.value.cache].id
      response_headers_policy_id = aws_cloudfront_response_headers_policy.log.id
    }
  }

  default_cache_behavior {
    target_origin_id           = "public"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.this["page"].id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page.id
  }

  # What is not there yet may be there in a second.
  dynamic "custom_error_response" {
    for_each = [403, 404]
    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 1
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = var.domain == null ? null : var.domain.acm_certificate_arn
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021" # without a domain AWS allows no other
  }
}
