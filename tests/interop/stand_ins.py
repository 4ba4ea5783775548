"""Stand-ins for `docker` and `gcloud`, as far as terraform/gcp/README.md calls them.

    python -m tests.interop.stand_ins docker|gcloud ARGUMENT…

A job of Cloud Run that is executed is the program of the job in Terraform's state, with its environment, and with the
credentials that $STAND_IN_ACCOUNTS has for it, as JSON; $STAND_IN_KMS is where its key is. All else is an error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

DIGEST = f"sha256:{'5' * 64}"


def docker(arguments: list[str]) -> None:
    """Build, push, inspect."""
    options = dict(each.split("=", 1) for each in arguments if each.startswith("--"))
    match arguments[0]:
        case "build" if Path(options["--file"]).is_file() and arguments[-1] == ".":
            Path("image").write_text(options["--tag"])
        case "push" if arguments[1:] == [Path("image").read_text()]:
            Path("pushed").touch()
        case "inspect" if Path("pushed").exists() and options["--format"] == "{{index .RepoDigests 0}}":
            print(f"{arguments[-1]}@{DIGEST}")
        case _:
            sys.exit(f"docker {arguments}")


def gcloud(arguments: list[str]) -> int:
    """Make a repository; execute a job."""
    options = dict(each.partition("=")[::2] for each in arguments if each.startswith("--"))
    words = [each for each in arguments if not each.startswith("--")]
    match words:
        case ["artifacts", "repositories", "create", "tiletree"] if options["--repository-format"] == "docker":
            return 0
        case ["run", "jobs", "execute", name] if {"--project", "--region", "--wait"} <= set(options):
            return execute(name, options.get("--args", ""))
    sys.exit(f"gcloud {arguments}")


def execute(name: str, given: str) -> int:
    """Run a job, with other arguments if some are given."""
    (values,) = [each["values"] for each in resources("google_cloud_run_v2_job") if each["values"]["name"] == name]
    (container,) = values["template"][0]["template"][0]["containers"]
    assert container["image"] == f"{Path('image').read_text()}@{DIGEST}"
    program = [sys.executable if each == "python" else each for each in container["command"]]
    told = {each["name"]: each["value"] for each in container["env"]}
    told["TILETREE_KEY"] += f"?endpoint={os.environ['STAND_IN_KMS']}"
    account = json.loads(os.environ["STAND_IN_ACCOUNTS"])[name]
    arguments = given.split(",") if given else container["args"]
    return subprocess.run([*program, *arguments], env={**account, **told}).returncode


def resources(kind: str) -> list[Any]:
    """Return the resources of a type that Terraform has made, in the folder that $LIVE names."""
    call = ["terraform", f"-chdir={os.environ['LIVE']}", "show", "-json"]
    state = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    modules = state.get("values", {}).get("root_module", {}).get("child_modules", [])
    return [each for module in modules for each in module["resources"] if each["type"] == kind]


if __name__ == "__main__":
    sys.exit({"docker": docker, "gcloud": gcloud}[sys.argv[1]](sys.argv[2:]))
