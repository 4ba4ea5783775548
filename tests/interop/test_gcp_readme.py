"""The commands of terraform/gcp/README.md, as they stand there: with Terraform and a provider that makes nothing, with
stand-ins for Docker and gcloud, and with buckets on our own object server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.interop import stand_ins
from tests.interop.cloud_run import KEY, MAINTENANCE, OPERATOR, SEQUENCER, SUBMITTER, Cloud
from tests.support.check_log import published
from tests.support.object_server_stores import open_on
from tests.terraform.mirror import configuration
from tests.terraform.modules import ROOT, TERRAFORM, copied
from tests.terraform.tools import Unavailable, packages, program
from tiles.records.paths import HEAD

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ACCOUNTS = {"demo-sequencer": SEQUENCER, "demo-maintenance": MAINTENANCE}
MAIN = Path("terraform/examples/gcp-minimal/main.tf")


def blocks() -> list[str]:
    """Return the blocks of commands."""
    text = (TERRAFORM / "gcp" / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


class Shell:
    """Runs blocks of commands, each by somebody, in a folder that has what they need of the repository."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.exports = ""
        programs = folder / "bin"
        programs.mkdir()
        for name in ("docker", "gcloud"):
            self._script(name, f"-m {stand_ins.__name__} {name}")
        self._script("tiletree", "-m tiletree")

    def _script(self, name: str, arguments: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        path.chmod(0o755)

    def run(self, block: str, who: str = OPERATOR) -> str:
        """Run a block, and say yes if something asks; return what it printed."""
        environment = self.cloud.environment(who)
        environment = {name: value for name, value in environment.items() if not name.startswith("TILETREE_")}
        environment |= {
            "PATH": f"{self.folder / 'bin'}:{environment['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'cmd'}",
            "TF_CLI_CONFIG_FILE": str(configuration()),
            "CHECKPOINT_DISABLE": "1",
            "STAND_IN_KMS": self.cloud.kms.url,
            "STAND_IN_ACCOUNTS": json.dumps({name: self.cloud.environment(each) for name, each in ACCOUNTS.items()}),
        }
        self.exports += "".join(line for line in block.splitlines(True) if line.startswith("export "))
        text = block.replace("https://storage.googleapis.com", self.cloud.server.url)
        done = subprocess.run(
            ["bash", "-euc", self.exports + text],
            cwd=self.folder,
            env=environment,
            input="yes\n",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def state(self, kind: str) -> list[Any]:
        """Return the names of what Terraform has made of a type."""
        call = "import json, tests.interop.stand_ins as s; print(json.dumps([e['values'] for e in s.resources('{}')]))"
        found: list[Any] = json.loads(self.run(f'{sys.executable} -c "{call.format(kind)}"'))
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Any:
    """A new user's machine."""
    try:
        program()
        sys.path.insert(0, str(packages()))
        configuration()
    except Unavailable as error:
        pytest.skip(f"NOT TESTED with Terraform: {error}")
    copied(tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    with Cloud(str(tmp_path), "my-project") as cloud:
        yield Shell(cloud, tmp_path)


def test_from_nothing_to_a_log_and_to_its_end(shell: Shell) -> None:
    """Five commands begin a log; it is shown, submitted to, repaired without its head, frozen, and destroyed."""
    begin, show, submit, repair, freeze = blocks()
    cloud = shell.cloud
    assert "log.example.com, size 0" in shell.run(begin)
    assert shell.run("terraform -chdir=$LIVE plan -detailed-exitcode " + variables(begin)).count("No changes") == 1
    assert "index.html" not in cloud.server.objects[cloud.buckets["public"]]
    assert KEY.verifier.vkey in shell.run(show)
    assert "index.html" in cloud.server.objects[cloud.buckets["public"]]

    (shell.folder / "dist").mkdir(exist_ok=True)
    (shell.folder / "dist" / "app-1.0.whl").write_bytes(b"what was built")
    shell.run(submit, SUBMITTER)
    shell.run("gcloud run jobs execute demo-sequencer --project=$PROJECT --region=$REGION --wait")
    found = published(open_on(cloud.server, cloud.buckets["public"], who=OPERATOR), KEY.verifier)
    assert found is not None
    assert len(found[1]) == 1

    apply = f"terraform -chdir=$LIVE apply {variables(begin)}"
    cloud.server.remove(cloud.buckets["private"], HEAD)
    change(shell, "maintenance = true")
    shell.run(apply)
    assert "size 1" in shell.run(repair)
    assert cloud.server.get(cloud.buckets["private"], HEAD)

    shell.run(freeze)
    change(shell, "frozen = true")
    shell.run(apply)
    assert shell.state("google_cloud_run_v2_job") == shell.state("google_cloud_scheduler_job") == []
    assert shell.state("google_kms_crypto_key_iam_binding")[0]["role"] == "roles/cloudkms.publicKeyViewer"
    change(shell, "deletion_protection = false")
    shell.run(apply)
    shell.run(f"terraform -chdir=$LIVE destroy {variables(begin)}")
    assert shell.state("google_storage_bucket") == []


def change(shell: Shell, line: str) -> None:
    """Add a line to the module's inputs."""
    path = shell.folder / MAIN
    text = path.read_text()
    path.write_text(text.replace("  submitters = var.submitters\n", f"  submitters = var.submitters\n  {line}\n"))


def variables(block: str) -> str:
    """Return the inputs that the block gives."""
    (found,) = re.findall(r" apply (.*)", block)
    return str(found)
