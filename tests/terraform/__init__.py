"""What holds the modules of `terraform/`: formats, types, tests, rights, documents; without a cloud and its provider.

Terraform checks nothing without the schema of a provider, and the providers are no packages that can be had everywhere.
The prebuilt packages of CDKTF have that schema, in the TypeScript that was generated from it. So a provider of our own
serves the schema, and Terraform type-checks, plans, tests and even applies with it. It makes nothing.

    __main__          `python -m tests.terraform`: all checks, or one line that says why there are none
    tools             the wheels that this needs, by their hashes, in .venv/terraform
    cdktf_schema      the schema of a type, from the package of CDKTF
    schema_provider   the provider: a program that Terraform starts
    mirror            the providers where Terraform looks for them, with the types that the modules use
    modules           which folders below terraform/ are modules and examples, and calling Terraform on a copy of them
    hcl               what .tf files declare: variables, outputs, types
    docs              the tables of inputs and outputs in the modules' README.md
    log_objects       every object of a log, and what the sequencer has to be able to do with it
    gcp_iam           what a policy of a bucket on Google Cloud allows
    gcp_rights        the policies of terraform/gcp against every object of a log
    iam               what policies of AWS allow and deny
    deployment        terraform/aws, applied to nothing, to look at its policies; placeholders is what it is told

    test_rights                  the policies of terraform/aws against every object of a log
    test_iam                     the rules of AWS that this relies on
    test_gcp_rights              those of terraform/gcp; test_gcp_alerts: what its alerts look for
    test_commands_under_rights   the commands, on a server that enforces the policies of terraform/aws
    test_readme                  the commands of the modules' README.md

What this cannot find: enumerations, conflicts between arguments, and limits that only the provider's own code knows.
"""
