"""What is public about one interval, as values: the oracle's revisions, the settlement with its lines, the registered
meters, the published journal. Comes from ``reader``; every check works on this and on nothing else.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hub.market.orders import Rates
from hub.market.published_journal import JournalMalformedError, PublishedJournal, read_journal
from hub.units import Micros, PriceMills, Wh

OPEN_WINDOW_S = 12 * 3600
"""So long after its end an interval's settlement can open (programs/trading/src/state/settlement.rs)."""

ABORT_AFTER_S = 24 * 3600
"""So long after an interval's end anybody may abort its settlement (same file); earlier only the settler's key can."""


class Status(IntEnum):
    """How far a settlement has come (same file)."""

    OPEN = 1
    CLOSED = 2
    ABORTED = 3
    EMPTY = 4
    RETURNING = 5


class MeterStatus(IntEnum):
    """Of a registered meter (programs/registry/src/state/meter.rs)."""

    ACTIVE = 1
    SUSPENDED = 2
    RETIRED = 3


LOAD_METER = 1
"""The kind of a meter that generates nothing (same file)."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The oracle's word on the interval: the first, or a correction."""

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
    def leaves(self) -> int:
        return self.meters_valid + self.meters_estimated


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the settler has committed to, under the rates that the program found in force."""

    status: Status
    opened_s: int
    closed_s: int
    """0 before."""
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
    def counts(self) -> bool:
        """Whether its lines move money: they do not when nothing was settled, or all of it went back."""
        return self.status in (Status.OPEN, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class SettledLine:
    """A line as it stood in a `settle` transaction, with the wallet behind its account."""

    wallet: bytes
    sold_wh: Wh
    bought_wh: Wh
    credit_micros: Micros
    debit_micros: Micros

    @property
    def figures(self) -> tuple[int, int, int, int]:
        return self.sold_wh, self.bought_wh, self.credit_micros, self.debit_micros


@dataclass(frozen=True, slots=True)
class RegisteredMeter:
    """A meter as the registry has it now."""

    meter_id: str
    owner: bytes
    gateway: bytes
    """The address of the gateway's account."""
    kind: int
    rated_power_w: int
    status: MeterStatus
    since_s: int
    """Since when it has this status and this owner."""


@dataclass(frozen=True, slots=True)
class PublicInterval:
    """Everything that an outsider can know of [start, end) at the chain's time ``now_s``."""

    start_s: int
    end_s: int
    now_s: int
    revisions: tuple[Revision, ...]
    minted_wh: Wh | None
    settlement: Settlement | None
    lines: tuple[SettledLine, ...]
    rates: Rates | None
    """What governance says was in force at the start; None when it has forgotten."""
    meters: tuple[RegisteredMeter, ...]
    journal: bytes | None
    journal_asked: bool = True
    """False when the auditor has named no place to get it from."""

    @property
    def first(self) -> Revision | None:
        """Revision 1: what is traded, minted and settled."""
        return self.revisions[0] if self.revisions else None

    @property
    def known_rates(self) -> Rates | None:
        """Governance's, or those that the settlement was opened with."""
        if self.rates is not None or self.settlement is None:
            return self.rates
        return self.settlement.rates

    @property
    def published(self) -> PublishedJournal | None:
        """The journal, when it is there and can be read."""
        if self.journal is None:
            return None
        try:
            return read_journal(self.journal)
        except JournalMalformedError:
            return None


def revision_of(account: Any) -> Revision:
    """A decoded ``oracle.Interval``."""
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
    """A decoded ``trading.IntervalSettlement``."""
    return Settlement(
        status=Status(account.status),
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
    """What a decoded ``governance.Params`` still knows to have been in force then."""
    begun = [one for one in params.rate_sets if one.effective_from_s <= start_s]
    return _rates(max(begun, key=lambda one: one.effective_from_s)) if begun else None


def meter_of(account: Any) -> RegisteredMeter:
    """A decoded ``registry.Meter``."""
    return RegisteredMeter(
        meter_id=account.id,
        owner=bytes(account.owner),
        gateway=bytes(account.gateway),
        kind=account.kind,
        rated_power_w=account.rated_power_w,
        status=MeterStatus(account.status),
        since_s=account.since_s,
    )


def _rates(found: Any) -> Rates:
    return Rates(
        PriceMills(found.wheeling_mills),
        PriceMills(found.platform_mills),
        PriceMills(found.loss_mills),
        PriceMills(found.export_tariff_mills),
        PriceMills(found.import_tariff_mills),
    )
