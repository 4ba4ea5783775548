"""docs/recipes/small-project.md: the log with nothing but a Git host. Its commands and its workflow are run as they
stand there; jobs die, meet, fail, branches are put back, and what readers see is verified after each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import Command, Done
from tests.support.forking_tiletree import Ended, Forks
from tests.support.git_host import DIE, FAIL, PROJECT, STATE, Before, GitHost, Job, git_host
from tests.support.recipes import Shell, blocks, lines
from tests.support.reference import Tree
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.tree.merkle import leaf_hash

pytestmark = pytest.mark.slow

WORKFLOW, GITLAB = blocks("small-project", "yaml")
BEGIN, VERIFY = blocks("small-project", "sh")


class Project:
    """A project on a Git host, with a log that was begun as the recipe says."""

    def __init__(self, host: GitHost, tiletree: Command) -> None:
        self.host = host
        self._tiletree = tiletree
        self._numbers = count(1)
        self.files: list[Path] = []
        desk = host.directory / "desk"
        desk.mkdir()
        seed = host.directory / "seed"
        host.git("clone", "--quiet", str(host.bare(PROJECT)), str(seed))
        host.git("commit", "--quiet", "--allow-empty", "--message", "a project", directory=seed)
        host.git("push", "--quiet", "origin", "HEAD", directory=seed)
        begun = host.shell(BEGIN, desk, host.environment())
        assert begun.returncode == 0, begun
        self.vkey = begun.stdout.partition("vkey     ")[2].partition("\n")[0]
        host.secrets = {"LOG_KEY": (desk / "log.key").read_text(), "STATE_KEY": (desk / "state.key").read_text()}
        host.seen.clear()

    def release(self) -> str:
        """Release something new, and return its tag."""
        tag = f"v{next(self._numbers)}"
        name = f"app-{tag}.whl"
        self.host.release(tag, {name: f"what {tag} is\n".encode()})
        self.files.append(self.host.directory / "releases" / tag / name)
        return tag

    def run(self, tag: str, before_push: Before = lambda _: 0) -> Job:
        """Run the workflow, which has to do its work, and see that the release's proofs verify."""
        job = self.host.play(tag, before_push)
        assert job.code == 0, job.said
        for file in self.files:
            if file.parent.name == tag:
                self.verify(file)
        return job

    def read(self) -> Done:
        """Read what is published, as somebody who remembers what was seen before."""
        return self._tiletree("info", self.host.published(), "--vkey", self.vkey)

    def repair(self) -> Ended:
        """Try on new clones to make a head that goes with what is there."""
        desk = self.host.directory / f"desk {next(self._numbers)}"
        for name, clone in [(PROJECT, "public"), (STATE, "state")]:
            words = [
                "clone",
                "--quiet",
                "--branch",
                self.host.branch(name),
                str(self.host.bare(name)),
                str(desk / clone),
            ]
            self.host.git(*words)
        places = {"TILETREE_PRIVATE": "state/private", "TILETREE_ANCHOR": "state/anchor"}
        environment = self.host.environment() | places | {"TILETREE_PRIVATE_KEY": self.host.secrets["LOG_KEY"]}
        return self.host.forks(["repair", "public", "--head"], directory=desk, environment=environment)

    def verify(self, file: Path) -> None:
        """Verify a file with the proof that is beside it, as the recipe says."""
        (call,) = lines(VERIFY)
        shell = Shell(self._tiletree, {"VKEY": self.vkey})
        assert shell.run(call.replace("app-1.0.whl", str(file))).code == 0

    def check(self, *, size: int | None = None) -> None:
        """See as a reader that what is published is sound, and that nothing was signed that does not go with it."""
        published = self.host.published()
        audited = self._tiletree.ok("audit", published, "--vkey", self.vkey)
        assert audited["findings"] == []
        entries = [self._tiletree("get", published, i, "--vkey", self.vkey).out for i in range(audited["size"])]
        tree = Tree({index: leaf_hash(entry.encode()) for index, entry in enumerate(entries)})
        for data in self.host.seen:
            signed = parse_signed_checkpoint(data).tree
            if signed.size <= len(entries):  # what was signed and not pushed is looked at once it was
                assert signed == tree.head(signed.size), "another history was signed"
        assert len(set(entries)) == len(entries)
        if size is not None:
            assert audited["size"] == size


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Return what runs commands in forks."""
    made = Forks()
    yield made
    made.end()


@pytest.fixture
def project(tmp_path: Path, tiletree: Command, forks: Forks) -> Iterator[Project]:
    """Return a project whose log was begun."""
    with git_host(tmp_path, WORKFLOW, forks) as host:
        yield Project(host, tiletree)


def only(number: int, answer: int) -> Before:
    """Return what answers one push of a job with that, and lets all others be."""
    return lambda push: answer if push == number else 0


def test_releases(project: Project) -> None:
    """Two are logged, each with four pushes; the job of the first one is run again, and adds nothing."""
    first, second = project.release(), project.release()
    project.run(first)
    project.check(size=1)
    assert project.run(second).pushes == 4
    project.check(size=2)
    before = project.host.at(PROJECT)
    project.run(first)
    project.check(size=2)
    assert project.host.at(PROJECT) == before


def test_jobs_that_die(project: Project) -> None:
    """One job after the other dies, each with one push more done than the one before; the next one takes that up."""
    project.run(project.release())
    for through, size, pushed in [
        (0, 1, "nothing"),
        (1, 1, "what is committed"),
        (1, 1, "the anchor"),
        (1, 2, "what is published"),
        (2, 2, "that all is tidy, and what the job itself commits"),
    ]:
        died = project.host.play(project.release(), only(through + 1, DIE))
        assert (died.code, died.pushes) == (-DIE, through + 1), pushed
        project.check(size=size)
    project.run(project.release())
    project.check(size=4)
    assert max(parse_signed_checkpoint(data).tree.size for data in project.host.seen) == 4


def test_two_jobs_at_once(project: Project) -> None:
    """Other jobs do all their work before a push of a job, which is refused then, and goes on with what they left."""
    size = 0
    for met in [
        (1, 3),  # another job commits first; another one publishes what this one has committed
        (3, 5),  # another one does so when the anchor was moved; and one comes when all is published, and not tidy
    ]:

        def meet(number: int, met: tuple[int, ...] = met) -> int:
            if number in met:
                project.run(project.release())
                project.check()
            return 0

        project.run(project.release(), meet)
        size += 3
        project.check(size=size)


def test_pushes_that_fail(project: Project) -> None:
    """One that fails is tried again; if all fail the job does, and the next one goes on."""
    failed = project.host.play(project.release(), lambda push: FAIL if push > 2 else 0)
    assert (failed.code, failed.pushes) == (1, 7)
    project.check(size=0)
    project.run(project.release(), only(2, FAIL))
    project.check(size=2)


def test_an_older_branch(project: Project) -> None:
    """Each branch is put back: that is refused, and nothing is signed. Once it is as it was, the log goes on.

    If both are put back, the log forks, and who has seen the newer tree has the evidence.
    """
    project.run(project.release())
    older = {name: project.host.at(name) for name in (PROJECT, STATE)}
    project.run(project.release())
    put_back = {
        PROJECT: ("the committed batch is lost", "more-was-signed-than-is-published"),
        STATE: (
            "the head in state/private has size 1",
            "the anchor at state/anchor holds size 1",
        ),
    }
    for name, (said, refuses) in put_back.items():
        newest = project.host.at(name)
        project.host.put_back(name, older[name])
        project.host.seen.clear()
        refused = project.host.play(project.release())
        assert (refused.code, refused.pushes, said in refused.said) == (4, 0, True), refused.said
        repaired = project.repair()
        assert (repaired.code, refuses in repaired.err) == (4, True), repaired
        assert {parse_signed_checkpoint(data).tree.size for data in project.host.seen} == {1 if name == PROJECT else 2}
        project.host.put_back(name, newest)
    project.run(project.release())
    project.check(size=3)
    for name, commit in older.items():
        project.host.put_back(name, commit)
    project.run(project.release())  # nothing on this side can notice that
    assert project.read().code == 7


def test_the_job_of_gitlab(project: Project) -> None:
    """It does the same, and leaves no token and no key where its artifacts are from."""
    project.run(project.release())
    tag = project.release()
    job = project.host.play_gitlab(tag, yaml.safe_load(GITLAB)["log"])
    assert (job.code, job.pushes) == (0, 5), job.said  # one more, because the anchor is at another place than on GitHub
    machine = job.directory / "log"
    project.verify(next((machine / "files").glob("*.whl")))
    assert not (machine / "public" / ".git").exists()
    assert not (machine / "state.key").exists()
    project.check(size=2)
