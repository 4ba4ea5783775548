# objects.json says what the sequencer may do with which objects. A "*" stands for any characters, slashes too.
#   create    create what is not there: whoever may not delete cannot overwrite on Cloud Storage
#   replace   create, overwrite and delete: Cloud Storage knows no right to overwrite alone. The sequencer does it by
#             compare-and-swap, on the generation; no policy can demand that
#   delete    delete, and neither create nor overwrite
locals {
  objects = jsondecode(file("${path.module}/objects.json"))

  roles = {
    create  = "roles/storage.objectCreator"
    replace = "roles/storage.objectUser"
    delete  = "projects/${var.project_id}/roles/${google_project_iam_custom_role.deleter.role_id}"
  }

  parts    = keys(local.buckets)
  prefixes = { for part, bucket in local.buckets : part => "projects/_/buckets/${bucket}/objects/" }

  # A pattern as a condition: a name, its beginning, or its beginning and its end.
  terms = { for part in local.parts : part => { for pattern in distinct(flatten(values(local.objects[part]))) : pattern => (
    !strcontains(pattern, "*") ? "resource.name == \"${local.prefixes[part]}${pattern}\"" : join(" && ", concat(
      ["resource.name.startsWith(\"${local.prefixes[part]}${split("*", pattern)[0]}\")"],
      [for end in compact([split("*", pattern)[1]]) : "resource.name.endsWith(\"${end}\")"],
    ))
  ) } }
  conditions = { for part, rights in local.objects : part => {
    for right, patterns in rights : right => join(" || ", [for pattern in patterns : local.terms[part][pattern]])
  } }

  # Who has which role where: with a title, for the objects of a condition only; without one, for all of the bucket.
  #
  # The sequencer has to see names as well: whoever may not list is told 403 of what is not there, and no log is begun.
  of_sequencer = flatten([for part in local.parts : [for right, expression in local.conditions[part] : {
    part       = part
    role       = local.roles[right]
    members    = [local.members.sequencer]
    title      = "sequencer-${right}"
    expression = expression
  }]])
  of_submitters = [for name, members in var.submitters : {
    part       = "private"
    role       = "roles/storage.objectCreator"
    members    = sort(members)
    title      = "submitter-${name}"
    expression = "resource.name.startsWith(\"${local.prefixes.private}inbox/${name}/\")"
  }]
  everywhere = flatten([for part in local.parts : [
    { part = part, role = "roles/storage.objectViewer", members = local.runs ? [local.members.sequencer] : [] },
    { part = part, role = "roles/storage.objectAdmin", members = local.repairs ? [local.members.maintenance] : [] },
    { part = part, role = part == "anchor" ? local.reader : local.operator, members = sort(var.operators) },
    { part = part, role = "roles/storage.legacyObjectReader", members = part == "public" ? ["allUsers"] : [] }, # gets by name, does not list
  ]])
  reader   = "roles/storage.objectViewer"
  operator = var.frozen ? local.reader : "roles/storage.objectUser"
  grants = concat(
    [for grant in local.everywhere : merge(grant, { title = "", expression = "" })],
    [for grant in concat(local.of_sequencer, local.of_submitters) : grant if local.runs && grant.expression != ""],
  )

  policies = { for part in local.parts : part => jsonencode({ bindings = [for grant in local.grants : {
    for key, value in {
      role      = grant.role
      members   = grant.members
      condition = { title = grant.title, expression = grant.expression }
    } : key => value if key != "condition" || grant.title != ""
  } if grant.part == part && length(grant.members) > 0] }) }
}

# A policy is all of a bucket's rights: it takes away those that a new bucket gives to the project's editors and viewers.
# Whoever applies this needs roles/storage.admin for the project.
resource "google_storage_bucket_iam_policy" "public" {
  bucket      = google_storage_bucket.public.name
  policy_data = local.policies.public
  depends_on  = [google_service_account.sequencer, google_service_account.maintenance]
}

resource "google_storage_bucket_iam_policy" "private" {
  bucket      = google_storage_bucket.private.name
  policy_data = local.policies.private
  depends_on  = [google_service_account.sequencer, google_service_account.maintenance]
}

resource "google_storage_bucket_iam_policy" "anchor" {
  bucket      = google_storage_bucket.anchor.name
  policy_data = local.policies.anchor
  depends_on  = [google_service_account.sequencer, google_service_account.maintenance]
}

resource "google_project_iam_custom_role" "deleter" {
  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_deleter"
  title       = "Deletes objects of the log ${var.name}"
  description = "Deletes objects, and cannot create or overwrite them."
  permissions = ["storage.objects.delete"]

  depends_on = [google_project_service.this]
}
