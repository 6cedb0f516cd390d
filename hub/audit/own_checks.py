"""The checks that only a participant can make, with their own readings, id and wallet beside what is public; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from hub.audit.checks import Check
from hub.audit.facts import MeterStatus, PublicInterval
from hub.audit.journal_checks import NO_JOURNAL, forward_trades, net_figures, residual_orders
from hub.audit.proofs import OwnProof, ShownLeaf, SignedReading
from hub.chain import pdas
from hub.market.auction.residuals import MeteredEnergy, Position, UnsettledDebits, ask_limit, bid_limit, exposure_left
from hub.market.funds import ParticipantFunds
from hub.market.orders import Order, Rates, Side, residual_order_id
from hub.market.published_journal import PublishedJournal
from hub.settlement.funds import funds_of
from hub.units import PriceMills, Wh


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A gateway's signing key as the registry has it."""

    gateway: bytes
    valid_from_s: int
    valid_until_s: int
    """0 while it has no end."""


@dataclass(frozen=True, slots=True)
class Own:
    """Who asks, and what they have in hand. The hub shows a participant their id with every bill."""

    participant_id: UUID | None = None
    wallet: bytes | None = None
    account: Any = None
    """The wallet's decoded ``trading.Account``."""
    ask_limit_mills: PriceMills | None = None
    bid_limit_mills: PriceMills | None = None
    """Standing limits as they were set; None: the market's default."""
    proofs: tuple[OwnProof, ...] = ()
    keys: Mapping[bytes, RegisteredKey | None] = field(default_factory=dict)
    """Of the gateways that signed the proofs, by public key; None where the registry has none."""

    @property
    def wanted(self) -> MeteredEnergy:
        """The standing limits as the market's rules take them; the energy in it says nothing."""
        return MeteredEnergy(UUID(int=0), Wh(0), Wh(0), True, self.ask_limit_mills, self.bid_limit_mills)

    def of(self, interval: PublicInterval) -> list[OwnProof]:
        return [proof for proof in self.proofs if proof.is_of(interval.start_s, interval.end_s)]

    def leaves(self, interval: PublicInterval) -> dict[str, ShownLeaf]:
        """By meter, of the latest revision that a proof shows."""
        found: dict[str, ShownLeaf] = {}
        for proof in sorted(self.of(interval), key=lambda one: one.leaf.revision if one.leaf else 0):
            if proof.leaf is not None and proof.reading is not None:
                found[proof.reading.meter_id] = proof.leaf
        return found

    def funds(self, interval: PublicInterval) -> ParticipantFunds | None:
        """What the wallet's mandate of that time allowed."""
        return None if self.account is None else funds_of(self.account, interval.start_s, interval.end_s)


def own_checks(own: Own) -> tuple[Check, ...]:
    """The checks of this participant, in their order."""
    return tuple(
        Check(name, meaning, partial(judge, own), partial(lacks, own)) for name, meaning, judge, lacks in _CHECKS
    )


def _no_proofs(own: Own, interval: PublicInterval) -> str | None:
    if not own.of(interval) and not any(proof.fault for proof in own.proofs):
        return "no proof of a reading in this interval was given"
    return None


def _proofs_hold(own: Own, interval: PublicInterval) -> Iterator[str]:
    for proof in own.proofs:
        if proof.fault is not None:
            yield f"{proof.name}: {proof.fault}"
        elif proof in own.of(interval) and proof.reading is not None:
            yield from (f"{proof.name}: {words}" for words in _key_faults(own, interval, proof.reading))


def _key_faults(own: Own, interval: PublicInterval, reading: SignedReading) -> Iterator[str]:
    key = own.keys.get(reading.public_key)
    gateway = bytes(pdas.gateway(reading.gateway_id))
    if key is None or key.gateway != gateway:
        yield f"the registry has no such key of {reading.gateway_id}"
    elif reading.sealed_s < key.valid_from_s or 0 < key.valid_until_s <= reading.sealed_s:
        yield f"the key of {reading.gateway_id} was not valid when it signed"
    meter = next((one for one in interval.meters if one.meter_id == reading.meter_id), None)
    if meter is not None and meter.gateway != gateway and meter.since_s <= interval.start_s:
        yield f"the registry has {reading.meter_id} at another gateway than {reading.gateway_id}"


def _no_proofs_or_revision(own: Own, interval: PublicInterval) -> str | None:
    if not own.of(interval):
        return "no proof of a reading in this interval was given"
    return "it is not attested" if interval.first is None else None


def _meter_attested(own: Own, interval: PublicInterval) -> Iterator[str]:
    for proof in own.of(interval):
        leaf = proof.leaf
        if leaf is None:
            yield f"{proof.name}: the reading was signed in this interval, and its meter is shown at no place in it"
            continue
        revision = next((one for one in interval.revisions if one.number == leaf.revision), None)
        if revision is None or leaf.root != revision.merkle_root:
            yield f"{proof.name}: it leads to a root that the chain has not attested"
        elif (leaf.count, leaf.end_s) != (revision.leaves, revision.end_s):
            yield f"{proof.name}: it shows one of {leaf.count} meters, the chain attests {revision.leaves}"


def _boundaries(own: Own, meter_id: str, interval: PublicInterval) -> tuple[SignedReading, SignedReading] | None:
    """The meter's readings exactly at start and end, where both were given."""
    by_slot = {p.reading.slot_s: p.reading for p in own.proofs if p.reading and p.reading.meter_id == meter_id}
    start, end = by_slot.get(interval.start_s), by_slot.get(interval.end_s)
    return None if start is None or end is None else (start, end)


def _no_boundaries(own: Own, interval: PublicInterval) -> str | None:
    valid = [meter for meter, leaf in own.leaves(interval).items() if leaf.quality == "valid"]
    if not any(_boundaries(own, meter_id, interval) for meter_id in valid):
        return "no valid meter has a proof for both its readings, at the interval's start and at its end"
    return None


def _energy_signed(own: Own, interval: PublicInterval) -> Iterator[str]:
    for meter_id, leaf in own.leaves(interval).items():
        readings = _boundaries(own, meter_id, interval)
        if readings is None or leaf.quality != "valid":
            continue
        start, end = readings
        signed = end.import_wh - start.import_wh, end.export_wh - start.export_wh
        if signed != (leaf.import_wh, leaf.export_wh):
            yield (
                f"{meter_id}: the signed registers say {signed[0]} Wh import and {signed[1]} Wh export, attested are "
                f"{leaf.import_wh} and {leaf.export_wh}"
            )


def _no_id_or_journal(own: Own, interval: PublicInterval) -> str | None:
    if own.participant_id is None or own.wallet is None:
        return "participant id and wallet were not given"
    return NO_JOURNAL if interval.published is None else None


def _nothing_to_say_of_an_order(own: Own, interval: PublicInterval) -> str | None:
    lacking, published = _no_id_or_journal(own, interval), interval.published
    if lacking is not None or published is None or own.participant_id is None:
        return lacking
    if own_order(own.participant_id, published) is not None:
        return None
    if forward_trades(published):
        return "no automatic order has this participant's name, and there may be none after forward trades"
    if _metered_wh(own, interval) is None or own.funds(interval) is None:
        return (
            "no order has this participant's name; a mandate and proofs of all meters would show whether one is missing"
        )
    return None


def own_order(participant_id: UUID, published: PublishedJournal) -> Order | None:
    """The participant's automatic order: nobody else's has a name that is a hash over this id."""
    for order in residual_orders(published):
        named = residual_order_id(published.start_s, participant_id, order.side, order.wh, order.limit_mills)
        if named == order.order_id:
            return order
    return None


def _order_own(own: Own, interval: PublicInterval) -> Iterator[str]:
    published = interval.published
    assert published is not None and own.participant_id is not None  # noqa: S101 - `_no_id_or_journal`
    order, metered = own_order(own.participant_id, published), _metered_wh(own, interval)
    funds, rates = own.funds(interval), interval.known_rates
    if order is None:
        if metered is not None and funds is not None and rates is not None:
            yield from _missing_order(own, metered, funds, rates)
        return
    if funds is not None and rates is not None:
        yield from _limit_faults(own, order, funds, rates)
    if metered is not None:
        yield from _energy_faults(order, metered, published)


def _missing_order(own: Own, metered_wh: int, funds: ParticipantFunds, rates: Rates) -> Iterator[str]:
    all_in = bid_limit(own.wanted, funds, rates)
    if metered_wh > 0:
        yield f"a surplus of {metered_wh} Wh was measured, and the journal has no ask for it"
    elif metered_wh < 0 and rates.charges_mills <= all_in <= exposure_left(Position(), funds, UnsettledDebits()):
        yield f"a need of {-metered_wh} Wh was measured, and the journal has no bid for it, though the account can pay"


def _metered_wh(own: Own, interval: PublicInterval) -> int | None:
    """Export - import of all meters of the wallet; None unless each of them has a valid leaf among the proofs."""
    leaves = own.leaves(interval)
    theirs = {m.meter_id for m in interval.meters if m.owner == own.wallet and m.status is MeterStatus.ACTIVE}
    if not leaves or not theirs <= leaves.keys() or any(leaf.quality != "valid" for leaf in leaves.values()):
        return None
    return sum(leaf.export_wh - leaf.import_wh for leaf in leaves.values())


def _limit_faults(own: Own, order: Order, funds: ParticipantFunds, rates: Rates) -> Iterator[str]:
    if order.side is Side.ASK:
        limit = ask_limit(own.wanted, funds, rates)
    else:
        limit = PriceMills(bid_limit(own.wanted, funds, rates) - rates.charges_mills)
    if order.limit_mills != limit:
        yield f"the {order.side.value} has the limit {order.limit_mills} mills net, {limit} follows from what was set"


def _energy_faults(order: Order, metered_wh: int, published: PublishedJournal) -> Iterator[str]:
    rank, forward = order.participant_id, forward_trades(published)
    sold = sum(t.wh for t in forward if t.seller_id == rank) - sum(t.wh for t in forward if t.buyer_id == rank)
    residual = metered_wh - sold
    if order.wh > (residual if order.side is Side.ASK else -residual):
        yield f"the {order.side.value} is over {order.wh} Wh, the meters leave a residual of {residual} Wh"


def _line_own(own: Own, interval: PublicInterval) -> Iterator[str]:
    published, settlement = interval.published, interval.settlement
    assert published is not None and own.participant_id is not None  # noqa: S101 - `_no_id_or_journal`
    order = own_order(own.participant_id, published)
    settled = [line.figures for line in interval.lines if line.wallet == own.wallet]
    if order is None:
        if settled and not forward_trades(published):
            yield f"a line moves {_money(settled)}, and the journal has no order of this participant"
        return
    traded = net_figures(published).get(order.participant_id)
    complete = settlement is not None and settlement.cursor == settlement.line_count
    if traded is None and settled:
        yield f"a line moves {_money(settled)}, and the order was not filled"
    elif traded is not None and not settled and complete:
        yield f"the order's trades come to {_money([traded])}, and no line of this wallet was settled"
    elif traded is not None and settled and settled != [traded]:
        yield f"the order's trades come to {_money([traded])}, and the line moves {_money(settled)}"


def _money(figures: Iterable[tuple[int, int, int, int]]) -> str:
    return " and ".join(
        f"{sold} Wh sold for {credit} micros, {bought} Wh bought for {debit}" for sold, bought, credit, debit in figures
    )


def _no_line_to_own(own: Own, interval: PublicInterval) -> str | None:
    if interval.settlement is None or not interval.settlement.counts:
        return "no line counts"
    return _no_id_or_journal(own, interval)


_CHECKS = (
    ("own_proofs_hold", "the proof was changed, or signed by a key that is not the gateway's", _proofs_hold,
     _no_proofs),
    ("own_meter_attested", "the meter was left out of the interval", _meter_attested, _no_proofs_or_revision),
    ("own_energy_signed", "other energy was attested than the gateway signed", _energy_signed, _no_boundaries),
    ("own_order", "the order was suppressed, or another was made in this participant's name", _order_own,
     _nothing_to_say_of_an_order),
    ("own_line", "money of this participant moved that their trades do not account for, or did not move", _line_own,
     _no_line_to_own),
)  # fmt: skip
