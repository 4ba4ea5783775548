"""What the Dockerfile puts together, put together without a container: its copies, its wheels, its variables.

NOT TESTED here are the base image, the user, and that anything builds it: there is no Docker.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import urllib3

from tests.interop.pythons import python_3_13

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "container" / "Dockerfile").read_text(encoding="utf-8")
_PATIENCE = 60.0  # seconds


def instructions(name: str) -> list[str]:
    """Return what stands after each instruction of that name."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the image would have beside its base."""
    folder = tmp_path_factory.mktemp("image")
    for copied in instructions("COPY"):
        source, target = copied.split()[-2:]
        if "--from=" in copied:
            continue  # it is there already, as there is one folder for both stages
        place = folder / target.removeprefix("/")
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, place)
    ((python, *words),) = (json.loads(text) for text in instructions("RUN"))
    assert python == "python"
    words = [re.sub(r"(?<==)/", f"{folder}/", word) for word in words]
    done = subprocess.run([python_3_13(), *words, "--quiet"], capture_output=True, text=True)
    if done.returncode and "HASH" not in done.stderr.upper():
        pytest.skip(f"NOT TESTED: the wheels cannot be had: {done.stderr.strip()[-500:]}")
    assert done.returncode == 0, done.stderr
    return folder


def environment(image: Path, **own: str) -> dict[str, str]:
    """Return the variables of a process in the container."""
    (text,) = instructions("ENV")
    said = dict(word.split("=", 1) for word in text.split())
    assert said["HOME"] == "/nonexistent"
    said["HOME"] = "/proc/nonexistent"  # which root cannot make either
    said["PYTHONPATH"] = ":".join(f"{image}{place}" for place in said["PYTHONPATH"].split(":"))
    return {**said, "PATH": os.environ["PATH"], **own}


def test_the_command_and_the_service(image: Path, tmp_path: Path) -> None:
    """The same image is any command, with keys of each cloud, and the service, which SIGTERM ends."""
    python, (entrypoint,), (command,) = python_3_13(), instructions("ENTRYPOINT"), instructions("CMD")
    assert json.loads(entrypoint) == ["python", "-m"]

    def tiletree(*words: str) -> str:
        call = [python, "-m", "tiletree", *words]
        done = subprocess.run(call, env=environment(image), cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    tiletree("init", "log", "--origin", "log.example.com", "--key", "k", "--anchor", "a")
    tiletree("page", "log")
    libraries = "import boto3, google.auth, google_crc32c, obstore, pysequoia, rfc3161_client"
    subprocess.run([python, "-c", libraries], env=environment(image), check=True)
    own = environment(image, PORT="0", TILETREE_LOG="log", TILETREE_KEY="k", TILETREE_ANCHOR="a")
    service = [python, *json.loads(entrypoint)[1:], *json.loads(command)]
    with subprocess.Popen(service, env=own, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())
        url = f"http://127.0.0.1:{listening['port']}"
        try:
            answer = urllib3.request("POST", url, timeout=_PATIENCE, retries=False)
            assert (answer.status, answer.json()["origin"]) == (200, "log.example.com")
            assert json.loads(process.stdout.readline())["outcome"] == "done"
            process.send_signal(signal.SIGTERM)
            assert process.wait(_PATIENCE) == 0
        finally:
            process.kill()
