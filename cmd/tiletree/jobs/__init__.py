"""One job, many doors: whatever wakes it, it is one run of `tiletree sequence` with the environment as its options.

`job` is the run, `record` what it says while it runs; `aws_lambda` is the door of AWS Lambda, `http` that of Cloud Run
and of whatever else calls by HTTP. A timer, a Cloud Run job and a workflow call `tiletree sequence` itself.
docs/jobs.md has the configuration of each.

Whoever wakes a job tells it nothing: what is logged is what is in the inbox. So a wake-up that comes twice, late or
never does no harm, and a run that is killed is finished by the next one.
"""
