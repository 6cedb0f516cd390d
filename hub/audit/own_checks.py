"""The checks that only a participant can make, with their own readings, id and wallet. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from hub.audit.checks import Check
from hub.audit.facts import MeterStatus, PublicInterval
from hub.audit.journal_checks import NO_JOURNAL, forward_trades, net_figures, residual_orders
from hub.audit.proofs import ProvenLeaf, ReadingProof, SignedReading
from hub.chain import pdas
from hub.market.auction.residuals import MeteredEnergy, Position, UnsettledDebits, ask_limit, bid_limit, exposure_left
from hub.market.funds import ParticipantFunds
from hub.market.orders import Order, Rates, Side, residual_order_id
from hub.market.published_journal import PublishedJournal
from hub.settlement.funds import funds_of
from hub.units import PriceMills, Wh


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A gateway's signing key in the registry; times in Unix seconds."""

    gateway: bytes
    valid_from_s: int
    valid_until_s: int
    """0 when its validity has no end."""


@dataclass(frozen=True, slots=True)
class ParticipantEvidence:
    """A participant's own data. The hub shows a participant their id with every bill."""

    participant_id: UUID | None = None
    wallet: bytes | None = None
    account: Any = None
    """The wallet's decoded ``trading.Account``."""
    ask_limit_mills: PriceMills | None = None
    bid_limit_mills: PriceMills | None = None
    """Standing limits that the participant has set; None for the market's default."""
    proofs: tuple[ReadingProof, ...] = ()
    keys: Mapping[bytes, RegisteredKey | None] = field(default_factory=dict)
    """The registered keys of the gateways that signed the proofs, by public key; None where the registry has none."""

    @property
    def standing_limits(self) -> MeteredEnergy:
        """The standing limits in the form that the market's rules take; the energy in it has no meaning."""
        return MeteredEnergy(UUID(int=0), Wh(0), Wh(0), True, self.ask_limit_mills, self.bid_limit_mills)

    def proofs_of(self, interval: PublicInterval) -> list[ReadingProof]:
        """Returns the proofs that concern this interval."""
        return [proof for proof in self.proofs if proof.concerns(interval.start_s, interval.end_s)]

    def leaves(self, interval: PublicInterval) -> dict[str, ProvenLeaf]:
        """Returns the proven leaf of each meter by meter id, of the latest revision that a proof shows."""
        leaves: dict[str, ProvenLeaf] = {}
        for proof in sorted(self.proofs_of(interval), key=lambda proof: proof.leaf.revision if proof.leaf else 0):
            if proof.leaf is not None and proof.reading is not None:
                leaves[proof.reading.meter_id] = proof.leaf
        return leaves

    def funds(self, interval: PublicInterval) -> ParticipantFunds | None:
        """Returns what the wallet's mandate of that time allowed; None without the account."""
        return None if self.account is None else funds_of(self.account, interval.start_s, interval.end_s)


def own_checks(evidence: ParticipantEvidence) -> tuple[Check, ...]:
    """Returns the checks of this participant, in order."""
    return tuple(
        Check(name, meaning, partial(findings, evidence), partial(unchecked_reason, evidence))
        for name, meaning, findings, unchecked_reason in _CHECKS
    )


def _no_proofs(evidence: ParticipantEvidence, interval: PublicInterval) -> str | None:
    if not evidence.proofs_of(interval) and not any(proof.fault for proof in evidence.proofs):
        return "no proof of a reading in this interval was given"
    return None


def _proofs_hold(evidence: ParticipantEvidence, interval: PublicInterval) -> Iterator[str]:
    for proof in evidence.proofs:
        if proof.fault is not None:
            yield f"{proof.name}: {proof.fault}"
        elif proof in evidence.proofs_of(interval) and proof.reading is not None:
            yield from (f"{proof.name}: {finding}" for finding in _key_findings(evidence, interval, proof.reading))


def _key_findings(evidence: ParticipantEvidence, interval: PublicInterval, reading: SignedReading) -> Iterator[str]:
    key = evidence.keys.get(reading.public_key)
    gateway = bytes(pdas.gateway(reading.gateway_id))
    if key is None or key.gateway != gateway:
        yield f"the registry has no such key of {reading.gateway_id}"
    elif reading.sealed_s < key.valid_from_s or 0 < key.valid_until_s <= reading.sealed_s:
        yield f"the key of {reading.gateway_id} was not valid when it signed"
    meter = next((meter for meter in interval.meters if meter.meter_id == reading.meter_id), None)
    if meter is not None and meter.gateway != gateway and meter.since_s <= interval.start_s:
        yield f"the registry has {reading.meter_id} at another gateway than {reading.gateway_id}"


def _no_proofs_or_revision(evidence: ParticipantEvidence, interval: PublicInterval) -> str | None:
    if not evidence.proofs_of(interval):
        return "no proof of a reading in this interval was given"
    return "it is not attested" if interval.first_revision is None else None


def _meter_attested(evidence: ParticipantEvidence, interval: PublicInterval) -> Iterator[str]:
    for proof in evidence.proofs_of(interval):
        leaf = proof.leaf
        if leaf is None:
            yield f"{proof.name}: the reading was signed in this interval, and its meter is shown at no place in it"
            continue
        revision = next((revision for revision in interval.revisions if revision.number == leaf.revision), None)
        if revision is None or leaf.root != revision.merkle_root:
            yield f"{proof.name}: it leads to a root that the chain has not attested"
        elif (leaf.count, leaf.end_s) != (revision.meter_count, revision.end_s):
            yield f"{proof.name}: it shows one of {leaf.count} meters, the chain attests {revision.meter_count}"


def _boundaries(
    evidence: ParticipantEvidence, meter_id: str, interval: PublicInterval
) -> tuple[SignedReading, SignedReading] | None:
    """Returns the meter's readings exactly at the interval's start and end, or None unless both were given."""
    readings = [proof.reading for proof in evidence.proofs if proof.reading is not None]
    by_slot = {reading.slot_s: reading for reading in readings if reading.meter_id == meter_id}
    start, end = by_slot.get(interval.start_s), by_slot.get(interval.end_s)
    return None if start is None or end is None else (start, end)


def _no_boundaries(evidence: ParticipantEvidence, interval: PublicInterval) -> str | None:
    valid = [meter for meter, leaf in evidence.leaves(interval).items() if leaf.quality == "valid"]
    if not any(_boundaries(evidence, meter_id, interval) for meter_id in valid):
        return "no valid meter has a proof for both its readings, at the interval's start and at its end"
    return None


def _energy_signed(evidence: ParticipantEvidence, interval: PublicInterval) -> Iterator[str]:
    for meter_id, leaf in evidence.leaves(interval).items():
        readings = _boundaries(evidence, meter_id, interval)
        if readings is None or leaf.quality != "valid":
            continue
        start, end = readings
        import_wh, export_wh = end.import_wh - start.import_wh, end.export_wh - start.export_wh
        if (import_wh, export_wh) != (leaf.import_wh, leaf.export_wh):
            yield (
                f"{meter_id}: the signed registers say {import_wh} Wh import and {export_wh} Wh export, attested are "
                f"{leaf.import_wh} and {leaf.export_wh}"
            )


def _no_id_or_journal(evidence: ParticipantEvidence, interval: PublicInterval) -> str | None:
    if evidence.participant_id is None or evidence.wallet is None:
        return "participant id and wallet were not given"
    return NO_JOURNAL if interval.published is None else None


def _order_unchecked(evidence: ParticipantEvidence, interval: PublicInterval) -> str | None:
    reason, published = _no_id_or_journal(evidence, interval), interval.published
    if reason is not None or published is None or evidence.participant_id is None:
        return reason
    if own_order(evidence.participant_id, published) is not None:
        return None
    if forward_trades(published):
        return "no automatic order has this participant's name, and there may be none after forward trades"
    if _metered_wh(evidence, interval) is None or evidence.funds(interval) is None:
        return (
            "no order has this participant's name; a mandate and proofs of all meters would show whether one is missing"
        )
    return None


def own_order(participant_id: UUID, published: PublishedJournal) -> Order | None:
    """Returns the participant's automatic order, or None. Its id is a hash over the participant's id."""
    for order in residual_orders(published):
        expected_id = residual_order_id(published.start_s, participant_id, order.side, order.wh, order.limit_mills)
        if expected_id == order.order_id:
            return order
    return None


def _own_order(evidence: ParticipantEvidence, interval: PublicInterval) -> Iterator[str]:
    published = interval.published
    assert published is not None and evidence.participant_id is not None  # noqa: S101 - `_no_id_or_journal`
    order, metered_wh = own_order(evidence.participant_id, published), _metered_wh(evidence, interval)
    funds, rates = evidence.funds(interval), interval.applicable_rates
    if order is None:
        if metered_wh is not None and funds is not None and rates is not None:
            yield from _missing_order(evidence, metered_wh, funds, rates)
        return
    if funds is not None and rates is not None:
        yield from _limit_findings(evidence, order, funds, rates)
    if metered_wh is not None:
        yield from _energy_findings(order, metered_wh, published)


def _missing_order(
    evidence: ParticipantEvidence, metered_wh: int, funds: ParticipantFunds, rates: Rates
) -> Iterator[str]:
    all_in_mills = bid_limit(evidence.standing_limits, funds, rates)
    if metered_wh > 0:
        yield f"a surplus of {metered_wh} Wh was measured, and the journal has no ask for it"
    elif metered_wh < 0 and rates.charges_mills <= all_in_mills <= exposure_left(Position(), funds, UnsettledDebits()):
        yield f"a need of {-metered_wh} Wh was measured, and the journal has no bid for it, though the account can pay"


def _metered_wh(evidence: ParticipantEvidence, interval: PublicInterval) -> int | None:
    """Returns export - import of all meters of the wallet in Wh; None unless each has a valid leaf among the proofs."""
    leaves = evidence.leaves(interval)
    active = [meter for meter in interval.meters if meter.status is MeterStatus.ACTIVE]
    own_meter_ids = {meter.meter_id for meter in active if meter.owner == evidence.wallet}
    if not leaves or not own_meter_ids <= leaves.keys() or any(leaf.quality != "valid" for leaf in leaves.values()):
        return None
    return sum(leaf.export_wh - leaf.import_wh for leaf in leaves.values())


def _limit_findings(
    evidence: ParticipantEvidence, order: Order, funds: ParticipantFunds, rates: Rates
) -> Iterator[str]:
    if order.side is Side.ASK:
        limit = ask_limit(evidence.standing_limits, funds, rates)
    else:
        limit = PriceMills(bid_limit(evidence.standing_limits, funds, rates) - rates.charges_mills)
    if order.limit_mills != limit:
        yield f"the {order.side.value} has the limit {order.limit_mills} mills net, {limit} follows from what was set"


def _energy_findings(order: Order, metered_wh: int, published: PublishedJournal) -> Iterator[str]:
    rank, forward = order.participant_id, forward_trades(published)
    sold_wh = sum(trade.wh for trade in forward if trade.seller_id == rank)
    bought_wh = sum(trade.wh for trade in forward if trade.buyer_id == rank)
    residual_wh = metered_wh - (sold_wh - bought_wh)
    if order.wh > (residual_wh if order.side is Side.ASK else -residual_wh):
        yield f"the {order.side.value} is over {order.wh} Wh, the meters leave a residual of {residual_wh} Wh"


def _own_line(evidence: ParticipantEvidence, interval: PublicInterval) -> Iterator[str]:
    published, settlement = interval.published, interval.settlement
    assert published is not None and evidence.participant_id is not None  # noqa: S101 - `_no_id_or_journal`
    order = own_order(evidence.participant_id, published)
    settled = [line.figures for line in interval.lines if line.wallet == evidence.wallet]
    if order is None:
        if settled and not forward_trades(published):
            yield f"a line moves {_describe(settled)}, and the journal has no order of this participant"
        return
    traded = net_figures(published).get(order.participant_id)
    complete = settlement is not None and settlement.cursor == settlement.line_count
    if traded is None and settled:
        yield f"a line moves {_describe(settled)}, and the order was not filled"
    elif traded is not None and not settled and complete:
        yield f"the order's trades come to {_describe([traded])}, and no line of this wallet was settled"
    elif traded is not None and settled and settled != [traded]:
        yield f"the order's trades come to {_describe([traded])}, and the line moves {_describe(settled)}"


def _describe(figures: Iterable[tuple[int, int, int, int]]) -> str:
    return " and ".join(
        f"{sold} Wh sold for {credit} micros, {bought} Wh bought for {debit}" for sold, bought, credit, debit in figures
    )


def _line_unchecked(evidence: ParticipantEvidence, interval: PublicInterval) -> str | None:
    if interval.settlement is None or not interval.settlement.has_effect:
        return "no line counts"
    return _no_id_or_journal(evidence, interval)


_CHECKS = (
    ("own_proofs_hold", "the proof was changed, or signed by a key that is not the gateway's", _proofs_hold,
     _no_proofs),
    ("own_meter_attested", "the meter was left out of the interval", _meter_attested, _no_proofs_or_revision),
    ("own_energy_signed", "other energy was attested than the gateway signed", _energy_signed, _no_boundaries),
    ("own_order", "the order was suppressed, or another was made in this participant's name", _own_order,
     _order_unchecked),
    ("own_line", "money of this participant moved that their trades do not account for, or did not move", _own_line,
     _line_unchecked),
)  # fmt: skip
