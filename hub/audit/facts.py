"""The public facts of one interval: the oracle's revisions, settlement and lines, registered meters, published journal.

``reader`` reads them; the checks work on these facts alone.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hub.market.orders import Rates
from hub.market.published_journal import JournalMalformedError, PublishedJournal, read_journal
from hub.units import Micros, PriceMills, Wh

OPEN_WINDOW_S = 12 * 3600
"""Time after an interval's end in which its settlement can open (programs/trading/src/state/settlement.rs)."""

ABORT_AFTER_S = 24 * 3600
"""Time after an interval's end from which anybody may abort its settlement; before, only the settler (same file)."""

MINTABLE_S = 7 * 86_400
"""An interval that is attested later than this after its end mints nothing
(programs/energy_token/src/state/minted_interval.rs)."""


class SettlementStatus(IntEnum):
    """A settlement's status on the chain (same file)."""

    OPEN = 1
    CLOSED = 2
    ABORTED = 3
    EMPTY = 4
    RETURNING = 5


class MeterStatus(IntEnum):
    """A registered meter's status (programs/registry/src/state/meter.rs)."""

    ACTIVE = 1
    SUSPENDED = 2
    RETIRED = 3


LOAD_METER, FEEDER_METER = 1, 4
"""Kinds of meters that nothing is sold from (same file): a load generates nothing, a feeder is in no total."""


@dataclass(frozen=True, slots=True)
class Revision:
    """An attestation of the interval: the first, or a correction."""

    number: int
    start_s: int
    end_s: int
    merkle_root: bytes
    meters_valid: int
    meters_estimated: int
    import_wh: Wh
    export_wh: Wh
    attested_s: int

    @property
    def meter_count(self) -> int:
        """The number of meters in the interval's tree: its leaves."""
        return self.meters_valid + self.meters_estimated


@dataclass(frozen=True, slots=True)
class Settlement:
    """The settler's commitment, its progress, and the rates that the program found in force when it opened."""

    status: SettlementStatus
    opened_s: int
    closed_s: int
    """0 until it is closed."""
    lines_root: bytes
    journal_hash: bytes
    line_count: int
    cursor: int
    """The number of lines settled."""
    sold_wh: Wh
    bought_wh: Wh
    credit_micros: Micros
    debit_micros: Micros
    clearing_price_mills: PriceMills
    rates: Rates

    @property
    def has_effect(self) -> bool:
        """Whether its lines move money; they do not when it was closed empty or aborted."""
        return self.status in (SettlementStatus.OPEN, SettlementStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class SettledLine:
    """A line of a `settle` transaction, with the wallet that owns its account."""

    wallet: bytes
    sold_wh: Wh
    bought_wh: Wh
    credit_micros: Micros
    debit_micros: Micros

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """Sold and bought Wh, credit and debit in micros."""
        return self.sold_wh, self.bought_wh, self.credit_micros, self.debit_micros


@dataclass(frozen=True, slots=True)
class RegisteredMeter:
    """A meter's current entry in the registry."""

    meter_id: str
    owner: bytes
    gateway: bytes
    """The address of the gateway's account."""
    kind: int
    rated_power_w: int
    status: MeterStatus
    since_s: int
    """Unix seconds from which it has had this status and owner."""


@dataclass(frozen=True, slots=True)
class PublicInterval:
    """All public facts of the interval [start_s, end_s) at the chain's time ``now_s``; times in Unix seconds."""

    start_s: int
    end_s: int
    now_s: int
    revisions: tuple[Revision, ...]
    minted_wh: Wh | None
    settlement: Settlement | None
    lines: tuple[SettledLine, ...]
    rates: Rates | None
    """Governance's rates in force at the start; None when its account no longer has them."""
    meters: tuple[RegisteredMeter, ...]
    journal: bytes | None
    journal_requested: bool = True
    """False when the auditor gave neither a hub nor a file to read it from."""

    @property
    def first_revision(self) -> Revision | None:
        """Revision 1, by which the interval is traded, minted and settled; None before it is attested."""
        return self.revisions[0] if self.revisions else None

    @property
    def mintable_wh(self) -> Wh | None:
        """The export that is minted: nothing of an attestation that came too late; None before there is one."""
        first = self.first_revision
        if first is None:
            return None
        return first.export_wh if first.attested_s <= self.end_s + MINTABLE_S else Wh(0)

    @property
    def applicable_rates(self) -> Rates | None:
        """Governance's rates, or else those that the settlement was opened with."""
        if self.rates is not None or self.settlement is None:
            return self.rates
        return self.settlement.rates

    @property
    def published(self) -> PublishedJournal | None:
        """The decoded journal; None when there is none or it is malformed."""
        if self.journal is None:
            return None
        try:
            return read_journal(self.journal)
        except JournalMalformedError:
            return None


def revision_of(account: Any) -> Revision:
    """Converts a decoded ``oracle.Interval``."""
    return Revision(
        number=account.revision,
        start_s=account.start_s,
        end_s=account.end_s,
        merkle_root=bytes(account.merkle_root),
        meters_valid=account.meters_valid,
        meters_estimated=account.meters_estimated,
        import_wh=Wh(account.import_wh),
        export_wh=Wh(account.export_wh),
        attested_s=account.attested_at_s,
    )


def settlement_of(account: Any) -> Settlement:
    """Converts a decoded ``trading.IntervalSettlement``."""
    return Settlement(
        status=SettlementStatus(account.status),
        opened_s=account.opened_at_s,
        closed_s=account.closed_at_s,
        lines_root=bytes(account.lines_root),
        journal_hash=bytes(account.journal_hash),
        line_count=account.line_count,
        cursor=account.cursor,
        sold_wh=Wh(account.sold_wh),
        bought_wh=Wh(account.bought_wh),
        credit_micros=Micros(account.credit_micros),
        debit_micros=Micros(account.debit_micros),
        clearing_price_mills=PriceMills(account.clearing_price_mills),
        rates=_rates(account.rates),
    )


def rates_in_force(params: Any, start_s: int) -> Rates | None:
    """Returns the rates in force at ``start_s`` by a decoded ``governance.Params``; None when it has them no longer."""
    effective = [rate_set for rate_set in params.rate_sets if rate_set.effective_from_s <= start_s]
    return _rates(max(effective, key=lambda rate_set: rate_set.effective_from_s)) if effective else None


def meter_of(account: Any) -> RegisteredMeter:
    """Converts a decoded ``registry.Meter``."""
    return RegisteredMeter(
        meter_id=account.id,
        owner=bytes(account.owner),
        gateway=bytes(account.gateway),
        kind=account.kind,
        rated_power_w=account.rated_power_w,
        status=MeterStatus(account.status),
        since_s=account.since_s,
    )


def _rates(rate_set: Any) -> Rates:
    return Rates(
        PriceMills(rate_set.wheeling_mills),
        PriceMills(rate_set.platform_mills),
        PriceMills(rate_set.loss_mills),
        PriceMills(rate_set.export_tariff_mills),
        PriceMills(rate_set.import_tariff_mills),
    )
