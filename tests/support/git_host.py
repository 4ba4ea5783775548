"""A Git host as tests play it: bare repositories in its place, and a runner that plays the steps of a workflow.

`run` steps are run by bash as they stand, with programs in front of the real ones: `tiletree` runs in forks of a
process that has imported it; `git` does what a test says before a push; `gh` copies files; `sleep` does not wait.
"""

from __future__ import annotations

import os
import re
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.forking_tiletree import Forks

PROJECT = "OWNER/PROJECT"
STATE = f"{PROJECT}-state"
DIE, FAIL = 9, 1  # what a test can answer for a push; 0: it goes on
Before = Callable[[int], int]  # gets the number of a push or a fetch, from 1, before it is done, and answers

# what stands in front of a program: asks the test, and exits as that says, or goes on with the real one
_ASK = r"""#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\0' "$#" {name} "$PWD" "$@" >&3
IFS= read -r -d '' code <&3
IFS= read -r -d '' out <&3
IFS= read -r -d '' err <&3
case $code in
real) exec {real} "$@" ;;
die) kill -9 "$PPID" ;;
*) printf %s "$out"; printf %s "$err" >&2; exit "$code" ;;
esac
"""
_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


class _Asked(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        host: GitHost = self.server.host  # type: ignore[attr-defined]
        count = int(self._text())
        program, directory, *words = [self._text() for _ in range(count + 2)]
        self.wfile.write("".join(f"{text}\0" for text in host.answer(program, words, Path(directory))).encode())

    def _text(self) -> str:
        text = b""
        while (one := self.rfile.read(1)) != b"\0":
            text += one
        return text.decode()


@dataclass
class Job:
    """A job that ran: its machine's directory, its exit code, what it printed, and how often it pushed and fetched."""

    directory: Path
    before_push: Before = lambda _: 0
    before_fetch: Before = lambda _: 0
    environment: dict[str, str] = field(default_factory=dict)
    pushes: int = 0
    fetches: int = 0
    code: int = 0
    said: str = ""


@dataclass
class GitHost:
    """Two bare repositories, the files of releases, and machines for jobs.

    seen   each checkpoint that a job has signed, whether it was pushed or not
    """

    directory: Path
    workflow: Mapping[str, Any]
    forks: Forks
    secrets: Mapping[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in (PROJECT, STATE):
            self.git("init", "--quiet", "--bare", "--initial-branch", "main", str(self.bare(name)))
            self.bare(f"{name}.git").symlink_to(self.bare(name))
        (self.directory / "gitconfig").write_text(
            f'[url "file://{self.directory}/host/"]\ninsteadOf = git@github.com:\ninsteadOf = git@gitlab.example.com:\n'
            "insteadOf = https://gitlab-ci-token:token@gitlab.example.com/\n[init]\ndefaultBranch = main\n"
            "[user]\nname = me\nemail = me@example.com\n[core]\nfsync = none\n[gc]\nauto = 0\n"
        )

    def bare(self, name: str) -> Path:
        """Return where a repository is."""
        return self.directory / "host" / name

    def environment(self, programs: bool = True) -> dict[str, str]:
        """Return the environment of whoever uses this host; programs: with those in front of the real ones."""
        path = f"{self.directory / 'programs'}:{os.environ['PATH']}" if programs else os.environ["PATH"]
        home = {name: str(self.directory / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        return {"PATH": path, "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": str(self.directory / "gitconfig")} | home

    def git(self, *words: str, directory: Path | None = None) -> str:
        """Run git, and return what it prints."""
        done = subprocess.run(
            ["git", *words], env=self.environment(False), cwd=directory, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def branch(self, name: str) -> str:
        """Return the branch of a repository in which a part of the log is."""
        return "log" if name == PROJECT else "main"

    def put_back(self, name: str, commit: str) -> None:
        """Let the branch of a repository be another commit, as a forced push does."""
        self.git("update-ref", f"refs/heads/{self.branch(name)}", commit, directory=self.bare(name))

    def at(self, name: str) -> str:
        """Return the commit of that branch."""
        return self.git("rev-parse", self.branch(name), directory=self.bare(name))

    def shell(self, text: str, directory: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a text as GitHub runs a `run` step."""
        command = ["bash", "--noprofile", "--norc", "-e", "-c", text]
        return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300)

    def published(self) -> Path:
        """Return what the pages serve: a copy of the branch."""
        copy = self.directory / f"published {len(list(self.directory.glob('published *')))}"
        self.git("clone", "--quiet", "--branch", "log", str(self.bare(PROJECT)), str(copy))
        shutil.rmtree(copy / ".git")
        return copy

    def play(self, tag: str, before_push: Before = lambda _: 0, before_fetch: Before = lambda _: 0) -> Job:
        """Play the workflow for a release, and return its job; it ends at the first step that fails."""
        # a machine's directories have the names that they had on the one before, unless that is still at work
        job = Job(self.directory / f"machine {len(self.jobs)}", before_push, before_fetch)
        self.jobs.append(job)
        try:
            return self._played(job, tag)
        finally:
            self.jobs.remove(job)
            shutil.rmtree(job.directory)

    def _played(self, job: Job, tag: str) -> Job:
        job.directory.mkdir()
        known = {"inputs.tag || github.event.release.tag_name": tag, "github.repository": PROJECT}
        known |= {"github.token": "token", "github.run_attempt": "1"}
        known |= {f"secrets.{name}": value for name, value in self.secrets.items()}

        def filled(given: Mapping[str, str]) -> dict[str, str]:
            return {name: _EXPRESSION.sub(lambda found: known[found[1]], str(text)) for name, text in given.items()}

        for name in ("log", "pages"):
            todo = self.workflow["jobs"][name]
            machine = job.directory / name
            machine.mkdir()
            usual = self.environment() | {"GITHUB_REPOSITORY": PROJECT, "RUNNER_TEMP": str(job.directory)}
            usual |= {key: str(job.directory / "user") for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
            usual |= filled(todo.get("env", {}))
            for step in todo["steps"]:
                if "uses" in step:
                    self._use(step["uses"], filled(step.get("with", {})), machine)
                else:
                    job.environment = usual | filled(step.get("env", {}))
                    done = self.shell(step["run"], machine, job.environment)
                    job.code, job.said = done.returncode, job.said + done.stdout + done.stderr
                    if job.code:
                        return job
        return job

    def play_gitlab(self, tag: str, todo: Mapping[str, Any]) -> Job:
        """Play a job of GitLab for a tag, and return it; its directory stays, and `log.sh` is in it."""
        (text,) = [step["run"] for step in self.workflow["jobs"]["log"]["steps"] if step.get("name") == "log them"]
        job = Job(self.directory / "runner")
        self.jobs.append(job)
        machine = job.directory / "log"
        shutil.copytree(self.directory / "releases" / tag, machine / "dist")
        (machine / "log.sh").write_text(text)
        (job.directory / "key").write_text(self.secrets["STATE_KEY"])
        known = {"CI_COMMIT_TAG": tag, "CI_JOB_TOKEN": "token", "CI_PROJECT_PATH": PROJECT}
        known |= {"CI_SERVER_HOST": "gitlab.example.com", "STATE_KEY": str(job.directory / "key")}
        given = {name: known.get(text.removeprefix("$"), text) for name, text in todo["variables"].items()}
        job.environment = self.environment() | known | given | {"TILETREE_PRIVATE_KEY": self.secrets["LOG_KEY"]}
        done = self.shell("\n".join([*todo["script"], *todo["after_script"]]), machine, job.environment)
        job.code, job.said = done.returncode, done.stdout + done.stderr
        return job

    def _use(self, action: str, given: Mapping[str, str], machine: Path) -> None:
        name = action.partition("@")[0]
        if name == "actions/checkout":
            repository = given.get("repository", PROJECT)
            if repository == STATE:
                assert given["ssh-key"] == self.secrets["STATE_KEY"]
            branch = given.get("ref", self.branch(repository))
            # as the action does it: one commit, of one branch
            origin = f"file://{self.bare(repository)}"
            words = [
                "clone",
                "--quiet",
                "--depth",
                "1",
                "--branch",
                branch,
                origin,
                str(machine / given.get("path", ".")),
            ]
            self.git(*words)
        else:
            assert name in ("actions/setup-python", "actions/upload-pages-artifact", "actions/deploy-pages"), name

    # ---- what programs ask

    def stand_in_front(self, port: int) -> None:
        """Put programs in front of the real ones, which ask at a port."""
        programs = self.directory / "programs"
        programs.mkdir()
        for name in ("git", "gh", "pip", "sleep", "tiletree"):
            ask = _ASK.format(port=port, name=name, real=shutil.which(name) or "false")
            if name == "git":  # only pushes and fetches are asked about
                ask = ask.replace("\n", f'\n[[ " $* " =~ " push "|" fetch " ]] || exec {shutil.which(name)} "$@"\n', 1)
            (programs / name).write_text(ask)
            (programs / name).chmod(0o755)

    def answer(self, program: str, words: list[str], directory: Path) -> tuple[str, str, str]:
        """Return what a program does that stands in front of a real one: its exit code, and what it prints."""
        job = next((job for job in self.jobs if job.directory in directory.parents), None)
        if program == "git":
            if job is None:
                return "real", "", ""
            if "fetch" in words:
                job.fetches += 1
                job.before_fetch(job.fetches)
                return "real", "", ""
            job.pushes += 1
            decided = job.before_push(job.pushes)
            return {0: "real", DIE: "die"}.get(decided, str(decided)), "", "no push, on purpose\n"
        if program == "gh":
            return str(self._release(words, directory)), "", ""
        if program in ("pip", "sleep"):
            return "0", "", ""
        environment = job.environment if job else self.environment()
        done = self.forks(words, directory=directory, environment=environment)
        if (signed := directory / "public" / "checkpoint").exists():
            self.seen.add(signed.read_bytes())
        return str(done.code), done.out, done.err

    def _release(self, words: list[str], directory: Path) -> int:
        _, verb, tag, *more = words
        files = self.directory / "releases" / tag
        if verb == "download":
            shutil.copytree(files, directory / more[more.index("--dir") + 1])
        else:
            for name in [word for word in more if word.endswith(".tlog-proof")]:
                shutil.copy(directory / name, files)
        return 0

    def release(self, tag: str, files: Mapping[str, bytes]) -> None:
        """Put files at a release."""
        folder = self.directory / "releases" / tag
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)


@contextmanager
def git_host(directory: Path, workflow: str, forks: Forks) -> Iterator[GitHost]:
    """Return a Git host without anything in it. workflow: the file that a project has there"""
    host = GitHost(directory, yaml.safe_load(workflow), forks)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Asked) as server:
        server.host = host  # type: ignore[attr-defined]
        host.stand_in_front(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
