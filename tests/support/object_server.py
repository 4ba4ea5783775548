"""Object stores over real HTTP on 127.0.0.1, in this process: S3, GCS or Azure, with all that can go wrong.

    with ObjectServer("s3") as server:
        environment = server.environment()  # for a client
        server.objects, server.requests     # what came of it

One lock makes every check and the write after it one step, so writers that race have one winner, except where a gap
between the two is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Event, RLock
from types import TracebackType
from typing import Self

from tests.support.object_server_environment import environment
from tests.support.object_server_http import Answer, HttpServer, Request
from tests.support.object_server_others import Azure, Gcs
from tests.support.object_server_rules import Fault, Gap, Hook, Recorded, Rule, no_gap, possible
from tests.support.object_server_s3 import S3
from tests.support.object_server_shelf import Bucket, Stored

DIALECTS = {"s3": S3, "gcs": Gcs, "azure": Azure}
PAGE = 1000


class ObjectServer:
    """A server, from the beginning of a `with` block to its end.

    dialect     "s3", "gcs" or "azure"
    buckets     the only ones there are; none are given: each is made when it is first used
    access      what each access key may do ("" is for anonymous requests); all may do everything without
    fault       asked for each request what goes wrong with it; it holds the lock
    page        how many objects a page of a list has, at most
    ignores     names of headers, in lower case, that the server does not know
    slowness    how long SLOW takes, in seconds
    lateness    how many requests are answered before what is LATE happens
    wrote       told bucket and key of every object that a request has written; it holds the lock
    held        called before each request is carried out, and before it is answered; it may take its time
    clock       seconds since the epoch, for modification times
    gap         how long others are answered between the check and the write of a request
    """

    def __init__(
        self,
        dialect: str = "s3",
        *,
        buckets: Iterable[str] = (),
        access: Mapping[str, Rule] | None = None,
        fault: Hook | None = None,
        page: int = PAGE,
        ignores: Iterable[str] = (),
        slowness: float = 0.05,
        lateness: int = 1,
        wrote: Callable[[str, str], None] | None = None,
        held: Callable[[Request, str], None] | None = None,
        clock: Callable[[], float] = time.time,
        gap: Gap = no_gap,
    ) -> None:
        self.dialect = dialect
        self.access = access
        self.fault = fault
        self.page = page
        self.ignores = set(ignores)
        self.slowness = slowness
        self.lateness = lateness
        self.wrote = wrote
        self.held = held
        self.clock = clock
        self.gap = gap
        self.lock = RLock()
        self.requests: list[Recorded] = []
        self.count = 0  # of requests so far, those being answered too
        self._dialect = DIALECTS[dialect]()
        self._any_bucket = not (names := list(buckets))
        self._buckets = {name: Bucket() for name in names}
        self._generation = 1_700_000_000_000_000
        self._settled = 0
        self._late: list[tuple[int, Request]] = []  # what is to happen, and how many requests are to come before
        self._errors: list[BaseException] = []
        self._over = Event()
        self._http = HttpServer(self._respond)

    # ---- for tests

    def __enter__(self) -> Self:
        self._http.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._http.stop()
        if error is None:
            self.check()

    def check(self) -> None:
        """Raise what was raised while requests were answered, by a hook or by mistake; they were answered with 500."""
        with self.lock:
            if self._errors:
                raise self._errors.pop(0)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._http.url

    @property
    def objects(self) -> dict[str, dict[str, bytes]]:
        """All contents, by bucket and key."""
        with self.lock:
            return {
                name: {key: stored.data for key, stored in bucket.objects.items()}
                for name, bucket in self._buckets.items()
            }

    def get(self, bucket: str, key: str) -> bytes | None:
        """Return a content, None if there is none."""
        with self.lock:
            stored = self._buckets[bucket].objects.get(key) if bucket in self._buckets else None
            return None if stored is None else stored.data

    def headers(self, bucket: str, key: str) -> Mapping[str, str]:
        """Return what was kept with an object, by names in lower case."""
        with self.lock:
            return self._buckets[bucket].objects[key].headers

    def put(self, bucket: str, key: str, data: bytes, **headers: str) -> None:
        """Put an object behind everyone's back; underscores in names of headers are dashes."""
        with self.lock:
            kept = {"content-type": "application/octet-stream"}
            kept |= {name.replace("_", "-"): value for name, value in headers.items()}
            self._put(self._buckets.setdefault(bucket, Bucket()), key, data, kept)

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object behind everyone's back."""
        with self.lock:
            self._buckets[bucket].remove(key)

    def hurry(self, requests: int) -> bool:
        """Let what is late happen after so many more requests; return whether there is any."""
        with self.lock:
            self._late = [(requests, request) for _, request in self._late]
            return bool(self._late)

    def settle(self) -> None:
        """Let every list be in step with all that was written so far; what is late happens now."""
        with self.lock:
            self._apply_late(all_of_it=True)
            self._settled = self._generation
            for bucket in self._buckets.values():
                bucket.deleted = None

    def environment(self, who: str = "tester") -> dict[str, str]:
        """Return the environment variables for a client that has this access key; in Azure all have one."""
        return environment(self.dialect, self.url, who)

    # ---- one request

    def _respond(self, request: Request) -> Answer | None:
        for name in self.ignores:
            request.headers.pop(name, None)
        try:
            self._dialect.read_address(request)
            self._hold(request, "before")
            answer = self._recorded(request)
            self._hold(request, "after")
            return answer
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shall see it
            with self.lock:
                self._errors.append(error)
            return self._dialect.error("broken")

    def _hold(self, request: Request, moment: str) -> None:
        if self.held is not None:
            self.held(request, moment)

    def _recorded(self, request: Request) -> Answer | None:
        with self.lock:
            number = self.count
            self.count += 1
            fault = self.fault(number, request.kind, request.where) if self.fault else None
        if fault not in possible(request.kind):
            fault = None
        if fault is Fault.SLOW:
            self._over.wait(self.slowness)
        with self.lock:
            answer = self._answer_with(fault, request)
            if fault is not Fault.LATE:
                self._apply_late()
            status = answer.status if answer else 0
            self.requests.append(Recorded(request.kind, request.bucket, request.key, status, fault))
        return answer

    def _apply_late(self, *, all_of_it: bool = False) -> None:
        late, self._late = self._late, []
        for left, request in late:
            if left > 1 and not all_of_it:
                self._late.append((left - 1, request))
            else:
                self._answer(request)

    def _answer_with(self, fault: Fault | None, request: Request) -> Answer | None:
        if fault is Fault.CONFLICT:
            return self._dialect.error("conflict", request.key)
        if fault is Fault.BUSY:
            return self._dialect.error("busy", request.key)
        if fault is Fault.LATE:
            self._late.append((self.lateness, request))
        if fault in (Fault.DROPPED, Fault.LATE):
            return None
        answer = self._answer(request, out_of_step=fault is Fault.OUT_OF_STEP)
        if fault is Fault.DONE_DROPPED:
            return None
        if fault is Fault.DONE_BROKEN:
            return self._dialect.error("broken", request.key)
        if fault is Fault.TRUNCATED:
            answer.cut = (len(answer.body) + 1) // 2
        return answer

    def _may(self, request: Request, kind: str, key: str | None = None) -> bool:
        if self.access is None:
            return True
        rule = self.access.get(request.who)
        return rule is not None and rule(replace(request, kind=kind, key=request.key if key is None else key))

    def _answer(self, request: Request, *, out_of_step: bool = False) -> Answer:
        say = self._dialect.error
        if request.kind != "POST" and not self._may(request, request.kind):
            return say("denied", request.key)
        if request.bucket and (self._any_bucket or (request.kind == "PUT" and not request.key)):
            self._buckets.setdefault(request.bucket, Bucket())
        bucket = self._buckets.get(request.bucket)
        if bucket is None:
            return say("no bucket", request.bucket)
        if request.kind == "LIST":
            shown = bucket.out_of_step(request.key, self._settled) if out_of_step else bucket
            delimiter, after, limit = self._dialect.page_of(request, self.page)
            return self._dialect.page(request, shown.page(request.key, delimiter, after, limit))
        if request.kind == "POST":
            return self._dialect.delete_many(request, lambda key: self._delete(request, bucket, key))
        if not request.key:
            return Answer(200) if request.kind in ("HEAD", "PUT") else say("no method")
        if request.kind in ("GET", "HEAD"):
            return self._get(request, bucket)
        if request.kind == "PUT":
            return self._write(request, bucket)
        return self._delete(request, bucket, request.key) if request.kind == "DELETE" else say("no method")

    def _get(self, request: Request, bucket: Bucket) -> Answer:
        stored = bucket.objects.get(request.key)
        if stored is not None:
            return self._dialect.object(request, stored)
        # whether an object is there is told only to those who may list
        hidden = self._dialect.hides_what_is_missing and not self._may(request, "LIST")
        return self._dialect.error("denied" if hidden else "no key", request.key)

    def _write(self, request: Request, bucket: Bucket) -> Answer:
        if "if-match" in request.headers and not self._may(request, "GET"):
            return self._dialect.error("denied", request.key)
        there = bucket.objects.get(request.key)
        if there is not None and self._dialect.overwriting_is_deleting and not self._may(request, "DELETE"):
            return self._dialect.error("denied", request.key)
        refused = self._dialect.refused(request, there)
        if refused is not None:
            return refused
        if (gap := self.gap(request)) > 0.0:
            self.lock.release()
            time.sleep(gap)
            self.lock.acquire()
        stored = self._put(bucket, request.key, request.body, self._dialect.kept(request))
        if self.wrote is not None:
            self.wrote(request.bucket, request.key)
        return self._dialect.wrote(stored)

    def _put(self, bucket: Bucket, key: str, data: bytes, headers: Mapping[str, str]) -> Stored:
        self._generation += 1
        stored = Stored(data, headers, self._generation, self.clock())
        bucket.put(key, stored)
        return stored

    def _delete(self, request: Request, bucket: Bucket, key: str) -> Answer:
        if not self._may(request, "DELETE", key):
            return self._dialect.error("denied", key)
        if bucket.remove(key) or self._dialect.deleting_nothing_is_fine:
            return self._dialect.deleted()
        return self._dialect.error("no key", key)
