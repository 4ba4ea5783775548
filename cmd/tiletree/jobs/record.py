"""What a job says: a line of JSON for each thing, as collectors of logs read it.

    {"time": "2026-11-29T08:00:00.000Z", "level": "warning", "event": "remark", "message": "…"}

`level` is info, warning or error. The last line of a run has its numbers (`tiles.upkeep.metrics`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from tiles.upkeep.log_line import log_line
from tiles.upkeep.metrics import DONE, RunMetrics, json_line
from tiles.write.results import Sequenced
from tiletree.documents import located
from tiletree.telemetry import Form, report
from tiletree.ui import Output, shown


class Record(Output):
    """What a run says, each in a line; its answer and its error are kept for whoever called.

    write     takes a line, without the line break
    context   fields that each line has
    form      how the numbers of the run are written
    now       POSIX seconds
    """

    def __init__(
        self,
        write: Callable[[str], object],
        context: Mapping[str, str],
        form: Form = json_line,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(now)
        self.json = True
        self._write, self._context, self._form = write, context, form
        self._metrics: RunMetrics | None = None
        self.document: dict[str, Any] = {}
        self.failure: dict[str, str] = {}

    def say(self, level: str, event: str, **fields: Any) -> None:
        """Write a line. level, event: as for `log_line`."""
        self._write(log_line(level, event, {**self._context, **fields}, self.now()))

    def begin(self, origin: str) -> None:
        """Say of which log the run is."""
        self._metrics = RunMetrics(origin)

    def decided(self, done: Sequenced) -> None:
        """Count one more batch."""
        if self._metrics is not None:
            self._metrics = self._metrics.plus(done)

    def end(self, seconds: float) -> None:
        """Write what the run did in numbers. Of a run that does not know its log there are none."""
        if self._metrics is not None:
            report(self, self._metrics.ended(seconds, self.failure.get("kind", DONE), self.quorum_missed), self._form)

    def log(self, line: str) -> None:
        """Write a line as it is."""
        self._write(line)

    def answer(self, document: dict[str, Any], *_lines: str) -> None:
        """Keep the answer."""
        self.document = {**document, **self.remarks}
        self.remarks = {}

    def _say(self, text: str, level: str, event: str, **fields: Any) -> None:
        self.say(level, event, message=shown(self.plain(text)), **fields)

    def error(self, kind: str, message: str, hint: str = "") -> None:
        """Say what went wrong, and keep it, with what was done before."""
        self.document = {**self.partial, **self.remarks}
        self.fail(kind, message, hint)

    def fail(self, kind: str, message: str, hint: str = "") -> None:
        """Say what went wrong although the run has an answer, and keep both."""
        hint = located(hint, is_read_here=False)
        self.failure = {"kind": kind, "message": shown(self.plain(message)), "hint": shown(self.plain(hint))}
        self.say("error", "failed", **self.failure)
