"""What one commit makes durable: records, what meter indexes mean, counters and receipts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.store.repository import CounterRow, KnownRow, MeterRow
from edge.wire.receipts import Receipt


@dataclass
class Batch:
    """Encoded records in the order of their chain, and the rows that go with them; false when it is empty."""

    records: list[bytes] = field(default_factory=list)
    meters: list[MeterRow] = field(default_factory=list)
    counters: dict[str, CounterRow] = field(default_factory=dict)
    """By meter id; of several only the last is kept."""
    known: dict[str, KnownRow] = field(default_factory=dict)
    """Likewise."""
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    """Meter id and digest of messages that its readings came in."""
    forgotten: list[tuple[str, bytes]] = field(default_factory=list)
    """Those that need not be remembered any more."""
    receipts: Sequence[Receipt] = ()
    dropped: int = 0
    """Readings that memory had no room for while the disk refused: a signed record says so."""

    def __bool__(self) -> bool:
        return bool(self.records or self.meters or self.counters or self.receipts or self.dropped)

    def extend(self, later: "Batch") -> None:
        """Adds what a later batch would make durable."""
        self.records += later.records
        self.meters += later.meters
        self.counters |= later.counters
        self.known |= later.known
        self.messages += later.messages
        self.forgotten += later.forgotten
        self.receipts = [*self.receipts, *later.receipts]
        self.dropped += later.dropped

    @classmethod
    def joined(cls, batches: Iterable["Batch"]) -> "Batch":
        """Makes one batch of several, in their order."""
        whole = cls()
        for batch in batches:
            whole.extend(batch)
        return whole
