"""Sends signed receipts: they tell a gateway which frames are stored or declared lost, so that it may delete them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nacl.signing import SigningKey
from nats.aio.client import Client

from edge.wire.ranges import ByBoot, Ranges, ranges_of
from edge.wire.receipts import Receipt, sign_receipt
from edge.wire.subjects import receipt_subject
from hub.clock import Clock
from hub.ingest.rows import FrameRow
from hub.observability import metrics


class ReceiptSender:
    """Signs and sends receipts. The answer to the gateway's next heartbeat makes up for a lost one."""

    def __init__(self, client: Client, key: SigningKey, clock: Clock) -> None:
        self._client = client
        self._key = key
        self._clock = clock
        self._newest: dict[str, tuple[int, int, bytes]] = {}
        """By gateway the newest stored frame: (sealed at ms, sequence, header hash)."""

    async def after_storing(self, stored: Mapping[str, Sequence[FrameRow]]) -> None:
        """Sends each gateway one receipt for its frames of a batch."""
        for gateway_id, frames in stored.items():
            newest = max((frame.sealed_at_ms, frame.sequence, frame.header_hash) for frame in frames)
            # batches are stored side by side, so an older one may end after a newer one
            self._newest[gateway_id] = newest = max(newest, self._newest.get(gateway_id, newest))
            ranges = ranges_by_boot((frame.boot_id, frame.sequence) for frame in frames)
            await self._send(gateway_id, ranges, {}, newest[2], "stored")

    async def after_heartbeat(self, gateway_id: str, stored: ByBoot, lost: ByBoot, last_header_hash: bytes) -> None:
        """Answers a heartbeat: which of the frames that wait at the gateway are stored or lost."""
        await self._send(gateway_id, stored, lost, last_header_hash, "beat")

    async def _send(self, gateway_id: str, stored: ByBoot, lost: ByBoot, last_hash: bytes, occasion: str) -> None:
        receipt = Receipt(
            gateway_id=gateway_id,
            issued_at_ms=self._clock.now_ms(),
            stored=stored,
            lost=lost,
            last_header_hash=last_hash,
        )
        await self._client.publish(receipt_subject(gateway_id), sign_receipt(receipt, self._key))
        metrics.RECEIPTS.labels(occasion).inc()


def ranges_by_boot(frames: Iterable[tuple[bytes, int]]) -> dict[bytes, Ranges]:
    """Returns frames, each (boot id, sequence), as ranges of sequences by boot id."""
    sequences_by_boot: dict[bytes, set[int]] = defaultdict(set)
    for boot_id, sequence in frames:
        sequences_by_boot[boot_id].add(sequence)
    return {boot_id: ranges_of(sorted(sequences)) for boot_id, sequences in sequences_by_boot.items()}


def merge_ranges(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Merges ranges (first, last) that overlap or touch; the result is sorted, as receipts carry it."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
