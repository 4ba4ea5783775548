"""Trying a store out: one that does not keep its conditions is refused by what it did, and nothing is left in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin, contents, files, owner_only, use_environment
from tests.support.command_line import ORIGIN, Command
from tests.support.faults import Died, Fault, Faults
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Answer, Request
from tests.support.object_server_rules import Fault as HttpFault
from tests.support.object_server_stores import open_on
from tests.support.sampling import quickly
from tiles.errors import AccessError, Conflict, Refused
from tiles.records.paths import SETTINGS
from tiles.records.settings import parse_settings
from tiles.store import Store, Version
from tiles.store import probe as probe_module
from tiles.store.memory import MemoryStore
from tiles.store.probe import PROBES, probe
from tiles.write import prepare

NONCE = "0123456789abcdef" * 2


class Probing(MemoryStore):
    """A store in memory that does one thing wrong."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__("here")
        self.wrong = wrong

    def create(self, objects):  # type: ignore[no-untyped-def]
        if self.wrong == "creates over":
            self.delete(objects)
        if self.wrong != "creates nothing" or not any(map(self._is_there, objects)):
            super().create(objects)

    def _is_there(self, path: str) -> bool:
        return next(self.list(path.rpartition("/")[0] + "/"), None) is not None

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap, as far as nothing is wrong."""
        if self.wrong == "swaps stale" and expected is not None:
            expected = self.read(path).version
        if self.wrong == "swaps what is there" and expected is None:
            self.delete([path])
        if self.wrong == "swaps what is not there" and not any(path == listed.path for listed in self.list("")):
            expected = None
        if self.wrong == "swaps nothing" and expected is not None:
            raise Conflict(path)
        version = super().swap(path, data, expected)
        return Version("other") if self.wrong == "other version" and data == b"second" else version


def objects(store: Store) -> list[str]:
    """Return all paths."""
    return [listed.path for listed in store.list("")]


def test_a_sound_store() -> None:
    """It passes, and nothing is left."""
    store = Probing()
    probe(store, NONCE)
    assert objects(store) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("creates over", "overwrote an object that it was asked to create"),
        ("creates nothing", "says that it created an object that is there already"),
        ("swaps stale", "replaced an object that had changed since"),
        ("swaps what is there", "replaced an object that was not to be there"),
        ("swaps what is not there", "replaced an object that is not there"),
        ("swaps nothing", "did not replace an object that had not changed"),
        ("other version", "one version when it is written, another when read"),
    ],
)
def test_refused_by_what_it_did(wrong: str, said: str) -> None:
    """Each way of not keeping conditions has a name, and nothing is left."""
    store = Probing(wrong)
    with pytest.raises(Refused, match=said) as caught:
        probe(store, NONCE)
    assert caught.value.message.startswith("memory://here ")
    assert caught.value.hint
    assert objects(store) == []


@pytest.mark.parametrize("fault", Fault)
def test_whatever_happens_at_any_operation(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that fails or dies anywhere leaves nothing but objects of its own, and the next one passes."""
    monkeypatch.setattr(probe_module, "RACERS", 3)
    monkeypatch.setattr(probe_module, "ROUNDS", 2)
    counting = Faults()
    probe(counting.wrap(MemoryStore(), "public"), NONCE)
    assert len(counting.done) > 7
    for at in (at for at, (_, kinds) in enumerate(counting.done) if fault in kinds):
        store = MemoryStore()
        try:
            probe(Faults(at, fault).wrap(store, "public"), NONCE, lambda _seconds: None)
        except (AccessError, Died):
            assert fault not in (Fault.DONE_UNKNOWN, Fault.NOT_DONE_UNKNOWN), "what came of it can be looked at"
            left = objects(store)
            assert all(path.startswith(PROBES) for path in left)
        probe(store, NONCE[::-1].replace("0", "a"), lambda _seconds: None)


# ---- the command, on servers


def refuse(tiletree: Command, server: ObjectServer, said: str) -> None:
    """Begin a log that is refused: exit code 4, no key, no object anywhere, nothing remembered."""
    done = tiletree("init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--json")
    assert done.code == 4, done
    assert done.json["error"]["kind"] == "Refused"
    assert said in done.err
    assert contents(server) == {}
    assert [path for path in Path("home").rglob("*") if path.is_file() and not path.name.startswith(".")] == []


@pytest.mark.parametrize("dialect", ["s3", "gcs"])
@pytest.mark.parametrize("create", [True, False])
def test_conditions_are_ignored(dialect: str, create: bool, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not know the condition of creating, or that of swapping, is refused at `init`."""
    ignored = {"s3": ["if-match", "if-none-match"], "gcs": ["x-goog-if-generation-match"] * 2}[dialect][create]
    said = {
        True: "s3://public/log overwrote an object that it was asked to create only if it is not there",
        False: "s3://public/log replaced an object that had changed since",
    }[create or dialect == "gcs"]
    scheme = {"s3": "s3", "gcs": "gs"}[dialect]
    with ObjectServer(dialect, ignores=[ignored]) as server:
        use_environment(monkeypatch, server.environment())
        done = tiletree(
            "init", LOG.replace("s3", scheme), "--private", PRIVATE.replace("s3", scheme), "--origin", ORIGIN
        )
        assert done.code == 4, done
        assert said.replace("s3", scheme) in done.err
        assert contents(server) == {}
        assert not list(Path().rglob("*.key"))


def test_only_the_private_part_ignores_conditions(
    s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both parts are tried, and so is the anchor's place; which one it is, is said."""
    respond = s3._http.respond

    def forgetful(request: Request) -> Answer | None:
        if request.path.startswith(f"/{ignoring}/"):
            request.headers.pop("if-none-match", None)
        return respond(request)

    s3._http.respond = forgetful
    for ignoring in ("private", "anchors"):
        done = tiletree(
            "init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--anchor", "s3://anchors/a", "--key", "k"
        )
        assert done.code == 4
        assert f"s3://{ignoring}/{'log' if ignoring == 'private' else 'a'} overwrote" in done.err
        assert contents(s3) == {}
        assert not Path("k").exists()


def test_versions_that_differ(s3: ObjectServer, tiletree: Command) -> None:
    """A server that names another version when an object is read than when it was written is refused."""
    respond = s3._http.respond

    def other_tags(request: Request) -> Answer | None:
        answer = respond(request)
        if answer is not None and request.method == "GET" and "ETag" in answer.headers:
            answer.headers["ETag"] = f'"{len(answer.body)}"'
        return answer

    s3._http.respond = other_tags
    refuse(tiletree, s3, "s3://public/log gives an object one version when it is written, another when read")


def test_weak_versions(s3: ObjectServer, tiletree: Command) -> None:
    """A server whose conditions never hold is refused: nothing could be replaced there."""
    respond = s3._http.respond

    def never(request: Request) -> Answer | None:
        if "if-match" in request.headers:
            request.headers["if-match"] = '"never"'
        return respond(request)

    s3._http.respond = never
    refuse(tiletree, s3, "did not replace an object that had not changed")


def probes(server: ObjectServer) -> int:
    """Return how many objects of probes were written so far."""
    return sum(each.kind == "PUT" and f"/{PROBES}" in f"/{each.key}" for each in server.requests)


def test_when_it_is_tried(s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """At `init`, and at the first write by another version; never again, and never by who only reads."""
    vkey = begin(tiletree)
    at_init = probes(s3)
    assert at_init > 0
    assert not any(PROBES in key for bucket in s3.objects.values() for key in bucket)
    (one,) = files("a")
    for command in (["init", LOG, "--origin", ORIGIN], ["add", LOG, one], ["sequence", LOG], ["audit", LOG]):
        tiletree.ok(*command, *(["--vkey", vkey] if command[0] == "audit" else []))
    assert probes(s3) == at_init
    monkeypatch.setattr(prepare, "__version__", "99.0")
    tiletree.ok("info", LOG)
    tiletree.ok("status", LOG)
    assert probes(s3) == at_init
    tiletree.ok("add", LOG, one)
    after = probes(s3)
    assert after > at_init
    assert parse_settings(s3.objects["private"][f"log/{SETTINGS}"]).probed == "99.0"
    tiletree.ok("add", LOG, one)
    assert probes(s3) == after


def test_a_store_that_forgot(s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that kept its conditions once is refused by the next version before anything is written."""
    begin(tiletree)
    before = contents(s3)
    monkeypatch.setattr(prepare, "__version__", "99.0")
    s3.ignores = {"if-none-match"}
    for command in (["add", LOG, *files("a")], ["sequence", LOG], ["freeze", LOG, "--yes"]):
        done = tiletree(*command)
        assert done.code == 4, done
        assert "overwrote an object" in done.err
        assert contents(s3) == before


def test_nothing_is_tried_where_there_is_no_log(s3: ObjectServer, tiletree: Command) -> None:
    """A command that finds no log writes nothing."""
    begin(tiletree)
    done = tiletree("add", "s3://public/other", "--private", "s3://private/other", *files("a"))
    assert done.code != 0
    writes = len([each for each in s3.requests if each.kind == "PUT" and each.key.startswith("other/")])
    assert writes == 0


@pytest.mark.parametrize("fault", quickly([HttpFault.DROPPED, HttpFault.DONE_BROKEN], [HttpFault.DROPPED]))
def test_dies_in_the_middle(fault: HttpFault, s3: ObjectServer, tiletree: Command) -> None:
    """`init` that fails for good at any write of the probe: no key, and the same call begins the log later."""
    for nth in (0, 1, 2, 5, 20, 40):
        seen = []

        def fail(_number: int, what: str, where: str, nth: int = nth, seen: list[str] = seen) -> HttpFault | None:
            if what == "PUT" and PROBES in where:
                seen.append(where)
            return fault if len(seen) > nth else None

        s3.fault = fail
        log, private = f"s3://public/{nth}", f"s3://private/{nth}"
        key = f"k{nth}"
        done = tiletree("init", log, "--private", private, "--origin", ORIGIN, "--key", key)
        s3.fault = None
        s3.settle()
        assert done.code in (0, 3), done
        if done.code:
            assert not Path(key).exists()
        left = {key for bucket in s3.objects.values() for key in bucket if key.startswith(f"{nth}/")}
        assert all(PROBES in name for name in left) or done.code == 0
        begin(tiletree, log, private, "--key", key)
        tiletree.ok("add", log, "--key", key, *files("a"))


@pytest.mark.parametrize("fault", [HttpFault.DROPPED, HttpFault.DONE_BROKEN, HttpFault.BUSY])
def test_what_was_tried_cannot_be_deleted(fault: HttpFault, s3: ObjectServer, tiletree: Command) -> None:
    """A log begins all the same: what stays of the probe is read by nobody."""
    s3.fault = lambda _number, kind, _where: fault if kind == "POST" else None
    begin(tiletree)
    tiletree.ok("status", LOG)


def test_several_at_once() -> None:
    """Probes with different nonces do not disturb each other."""
    with ObjectServer("s3") as server:
        owner_only(server)
        store = open_on(server)
        left = [f"{PROBES}{'f' * 32}", f"{PROBES}{'e' * 32}"]
        store.create(dict.fromkeys(left, b"of one that died"))
        probe(store, NONCE)
        assert objects(store) == sorted(left)
