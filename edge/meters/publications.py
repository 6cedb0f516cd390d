"""Remembers which messages of MQTT meters were recorded: one that comes again is the same reading."""

from collections.abc import Iterable

REMEMBERED = 512
"""Messages per meter."""
REPEATED_MS = 600_000
"""A message that comes again so soon is the same; later only where a broker may have kept it."""


class Publications:
    """The newest messages of each meter, by their digests."""

    def __init__(self) -> None:
        self._taken_ms: dict[str, dict[bytes, int | None]] = {}
        """By meter id and digest, oldest first: when it came, by the monotonic clock; None before this start."""
        self._digests: dict[tuple[str, int], bytes] = {}
        """By meter id and sequence of the reading."""

    def restore(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Restores what the ledger has kept: meter ids and digests, oldest first."""
        for meter_id, digest in messages:
            self._taken_ms.setdefault(meter_id, {})[digest] = None

    def is_repeated(self, meter_id: str, digest: bytes, now_ms: int, *, was_kept: bool) -> bool:
        """Returns whether this message was recorded; ``was_kept`` when a broker may have kept it for a while.

        ``now_ms`` is of the monotonic clock. A device whose clock shows the same time twice, as in autumn, may publish
        the same message again an hour later, and means it.
        """
        taken_ms = self._taken_ms.get(meter_id, {})
        if not digest or digest not in taken_ms:
            return False
        at_ms = taken_ms[digest]
        return was_kept or (at_ms is not None and now_ms - at_ms < REPEATED_MS)

    def add(self, meter_id: str, digest: bytes, now_ms: int | None, sequence: int) -> list[bytes]:
        """Adds a message with the sequence of its reading; returns digests that are forgotten for it."""
        taken_ms = self._taken_ms.setdefault(meter_id, {})
        taken_ms.pop(digest, None)
        taken_ms[digest] = now_ms
        self._digests[meter_id, sequence] = digest
        self._digests.pop((meter_id, sequence - REMEMBERED), None)
        forgotten = list(taken_ms)[: max(0, len(taken_ms) - REMEMBERED)]
        for old in forgotten:
            del taken_ms[old]
        return forgotten

    def forget(self, meter_id: str, sequence: int) -> None:
        """Forgets the message of a reading that was dropped before it was durable: when it comes again it is news."""
        digest = self._digests.pop((meter_id, sequence), None)
        if digest is not None:
            self._taken_ms[meter_id].pop(digest, None)
