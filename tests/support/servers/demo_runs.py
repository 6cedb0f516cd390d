"""The two demos of the acceptance tests, each in a thread of its own: one that settles, and one with crashes."""

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from support.servers.demo import DemoProcess

FIRST_SETTLED = "settled and reconciled: 1 of"


def twelve_hours_later(state: Path) -> None:
    """Moves the site's clock on by twelve hours, as for a visitor who comes back at night."""
    file = state / "demo.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({**facts, "sun_offset_s": facts["sun_offset_s"] + 12 * 3600}))


@dataclass(eq=False)
class DemoRun(threading.Thread):
    """A course of events that takes minutes; tests wait for its end."""

    folder: Path
    fault: BaseException | None = None

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def run(self) -> None:
        try:
            self.play()
        except BaseException as fault:  # noqa: BLE001 - raised again in the tests that wait
            self.fault = fault

    def play(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """Ends what still runs."""
        raise NotImplementedError

    def wait(self) -> None:
        self.join()
        if self.fault is not None:
            raise self.fault


@dataclass(eq=False)
class SettledDemo(DemoRun):
    """A demo until two intervals are settled, then a second start on the same state folder, by night at the site."""

    first: DemoProcess = field(init=False)
    second: DemoProcess = field(init=False)
    first_settled_s: float = 0.0

    def play(self) -> None:
        self.first = DemoProcess(self.folder / "settled", ("--until-settled", "2", "--json")).start()
        self.first.until(
            lambda: True if FIRST_SETTLED in self.first.stderr else None, 420, "the first settled interval"
        )
        self.first_settled_s = time.monotonic() - self.first.begun
        self.first.wait(420)
        twelve_hours_later(self.folder / "settled")
        self.second = DemoProcess(self.folder / "settled", ("--until-settled", "1", "--json")).start()
        self.second.wait(300)

    def end(self) -> None:
        for demo in (getattr(self, name, None) for name in ("first", "second")):
            if demo is not None:
                demo.end()


@dataclass(eq=False)
class CrashDemo(DemoRun):
    """A demo of short intervals in which agent, worker and ledger are killed, each in the middle of an interval."""

    demo: DemoProcess = field(init=False)
    killed: dict[str, datetime] = field(default_factory=dict)

    def play(self) -> None:
        self.demo = DemoProcess(self.folder / "crashes", ("--interval", "30")).start().until_running()
        self.demo.until_reconciled(1, 180)
        for name, words in (
            ("agent", ("peerwatt-edge", "gw-south")),
            ("worker", ("peerwatt-hub", "worker")),
            ("ledger", ("peerwatt-hub", "ledger")),
        ):
            self.killed[name] = self._kill_in_the_middle(words)
        last = max(self.killed.values())
        self.demo.until(lambda: self._reconciled(last), 240, "the intervals of the kills to be reconciled")

    def _kill_in_the_middle(self, words: tuple[str, ...]) -> datetime:
        """Kills the part ten to twenty seconds into an interval that no other kill has met; returns its start."""
        met = set(self.killed.values())

        def middle() -> datetime | None:
            now = time.time()
            start = datetime.fromtimestamp(now // 30 * 30).astimezone()
            return start if 10 <= now % 30 <= 20 and start not in met else None

        start = self.demo.until(middle, 120, "the middle of an interval")
        self.demo.part(*words).kill()
        return start

    def _reconciled(self, start: datetime) -> bool | None:
        rows = self.demo.query("SELECT FROM intervals WHERE start_at = $1 AND state = 'reconciled'", start)
        return True if rows else None

    def end(self) -> None:
        if hasattr(self, "demo"):
            self.demo.end()
