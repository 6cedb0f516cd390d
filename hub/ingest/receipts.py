"""Signed receipts: tell a gateway which frames are stored, or declared lost, so that it may let them go."""

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


class Receipts:
    """Signs and sends. A receipt that is lost heals with the gateway's next heartbeat."""

    def __init__(self, client: Client, key: SigningKey, clock: Clock) -> None:
        self._client = client
        self._key = key
        self._clock = clock
        self._newest: dict[str, tuple[int, int, bytes]] = {}

    async def after_storing(self, stored: Mapping[str, Sequence[FrameRow]]) -> None:
        """One receipt per gateway for the frames of a batch."""
        for gateway_id, frames in stored.items():
            newest = max((frame.sealed_at_ms, frame.sequence, frame.header_hash) for frame in frames)
            # batches overlap, so an older one may end after a newer
            self._newest[gateway_id] = newest = max(newest, self._newest.get(gateway_id, newest))
            ranges = by_boot((frame.boot_id, frame.sequence) for frame in frames)
            await self._send(gateway_id, ranges, {}, newest[2], "stored")

    async def after_heartbeat(self, gateway_id: str, stored: ByBoot, lost: ByBoot, last_header_hash: bytes) -> None:
        """The answer to a heartbeat."""
        await self._send(gateway_id, stored, lost, last_header_hash, "beat")

    async def _send(self, gateway_id: str, stored: ByBoot, lost: ByBoot, last: bytes, occasion: str) -> None:
        receipt = Receipt(
            gateway_id=gateway_id,
            issued_at_ms=self._clock.now_ms(),
            stored=stored,
            lost=lost,
            last_header_hash=last,
        )
        await self._client.publish(receipt_subject(gateway_id), sign_receipt(receipt, self._key))
        metrics.RECEIPTS.labels(occasion).inc()


def by_boot(frames: Iterable[tuple[bytes, int]]) -> dict[bytes, Ranges]:
    """Single frames (boot id, sequence) as ranges."""
    sequences: dict[bytes, set[int]] = defaultdict(set)
    for boot_id, sequence in frames:
        sequences[boot_id].add(sequence)
    return {boot_id: ranges_of(sorted(found)) for boot_id, found in sequences.items()}


def merged(stretches: Iterable[tuple[int, int]]) -> Ranges:
    """Ranges that may overlap or touch, in the one form that receipts carry."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
