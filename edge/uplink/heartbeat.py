"""Sends the heartbeat every minute, and when more is complete.

It tells the gateway's state, and which frames have no receipt of the hub yet.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from nats.aio.client import Client
from nats.errors import Error as NatsError

from edge.errors import StorageError
from edge.runtime import metrics
from edge.runtime.clock import Clock, TimeKeeper
from edge.runtime.version import agent_version
from edge.store.ledger import Signer
from edge.store.ledger_writer import LedgerWriter
from edge.store.repository import Backlog, Repository
from edge.wire.heartbeats import (
    MAX_METERS_LOST,
    MAX_TROUBLE_CHARACTERS,
    MAX_TROUBLES,
    Heartbeat,
    encode_heartbeat,
)
from edge.wire.kinds import RELATIVE
from edge.wire.ranges import MAX_RANGES, ranges_of
from edge.wire.subjects import heartbeat_subject

MAX_LISTED_FRAMES = 20_000
MAX_LISTED_BOOTS = 200


@dataclass
class HeartbeatSender:
    """Makes heartbeats and sends them; ``peerwatt-edge status`` shows the same on the gateway."""

    signer: Signer
    writer: LedgerWriter
    clock: Clock
    times: TimeKeeper
    period_s: int
    meters: int
    """How many the gateway has."""
    lost_meters: Callable[[], list[str]]
    """Gives the ids of those that do not answer."""
    troubles: Callable[[], Mapping[str, str]] = dict
    """Gives why meters are not recorded as good now, by meter id."""
    complete_until_s: Callable[[Repository], int] = lambda _repository: 0
    """Gives up to when every reading has the hub's receipt."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _is_due: bool = False
    _told_until_s: int = 0
    _client: Client | None = None

    def on_connect(self, client: Client) -> None:
        """Takes a new connection and sends over it at once: the hub's answer makes up for receipts that were lost."""
        self._client = client
        self._is_due = True
        self._wake.set()

    def look(self) -> None:
        """Has a heartbeat sent now if more is complete than was told."""
        self._wake.set()

    async def run(self) -> None:
        """Sends until cancelled."""
        next_s = _now_s() + self.period_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_s):
                    await self._wake.wait()
            self._wake.clear()
            is_due, self._is_due = self._is_due or _now_s() >= next_s, False
            if is_due:
                next_s = _now_s() + self.period_s
            with suppress(StorageError):
                heartbeat = await self.current()
                if is_due or heartbeat.complete_until_s > self._told_until_s:
                    await self._send(heartbeat)

    async def _send(self, heartbeat: Heartbeat) -> None:
        if self._client is not None and self._client.is_connected:
            with suppress(NatsError, OSError):
                await self._client.publish(heartbeat_subject(self.signer.gateway_id), encode_heartbeat(heartbeat))
                self._told_until_s = heartbeat.complete_until_s

    async def current(self) -> Heartbeat:
        """Makes a heartbeat of the present state, and sets the metrics of the same figures.

        Raises:
            StorageError: the ledger can not be read.
        """
        waiting, backlog, complete_until_s = await self.writer.call(self._read_waiting)
        oldest_sealed_at_ms = backlog.oldest_sealed_at_ms
        now_ms = max(0, self.clock.now_ms())
        age_s = max(0, now_ms - oldest_sealed_at_ms) // 1000 if oldest_sealed_at_ms is not None else 0
        lost = self.lost_meters()
        metrics.METERS_LOST.set(len(lost))
        metrics.OUTBOX_FRAMES.set(backlog.frames)
        metrics.OUTBOX_AGE_SECONDS.set(age_s)
        metrics.MEMORY_QUEUE.set(self.writer.queued_records)
        metrics.COMMITS.set(self.writer.commits)
        return Heartbeat(
            gateway_id=self.signer.gateway_id,
            sent_at_ms=now_ms,
            version=agent_version(),
            boot_id=self.signer.boot_id,
            last_sequence=self.writer.ledger.last_sequence,
            waiting=waiting,
            outbox_frames=backlog.frames,
            outbox_age_s=age_s,
            time_quality=self.times.quality,
            clock_error_ms=self.clock.synchronised()[1],
            meters=self.meters,
            meters_lost=tuple(lost[:MAX_METERS_LOST]),
            disk_free_bytes=_free_bytes(self.writer),
            memory_queue=self.writer.queued_records,
            complete_until_s=0 if self.times.quality == RELATIVE else complete_until_s,
            troubles=tuple(_in_bounds(meter_id, why) for meter_id, why in sorted(self.troubles().items()))[
                :MAX_TROUBLES
            ],
        )

    def _read_waiting(self) -> tuple[dict[bytes, list[tuple[int, int]]], Backlog, int]:
        """Reads which frames have no receipt, as sequence ranges per boot id, and up to when all readings have one.

        The ranges stay within a heartbeat's bounds.
        """
        with self.writer.ledger.reading() as repository:
            sequences = sorted(repository.waiting_sequences(MAX_LISTED_FRAMES))
            backlog = repository.backlog()
            complete_until_s = self.complete_until_s(repository)
        by_boot = {
            boot: ranges_of(sequence for _, sequence in group)[:MAX_RANGES]
            for boot, group in groupby(sequences, key=lambda pair: pair[0])
        }
        return dict(list(by_boot.items())[:MAX_LISTED_BOOTS]), backlog, complete_until_s


def _in_bounds(meter_id: str, why: str) -> tuple[str, str]:
    text = "".join(letter if 0x20 <= ord(letter) < 0x7F else "?" for letter in why)
    return meter_id, text[:MAX_TROUBLE_CHARACTERS]


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _free_bytes(writer: LedgerWriter) -> int:
    try:
        return shutil.disk_usage(writer.ledger.path.parent).free
    except OSError:
        return 0
