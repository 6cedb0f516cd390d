"""A dishonest hub with the keys of the settler and the attestors, on the programs as deployed, and its audit.

An act replaces a part of what an honest hub would have stated. The audit sees accounts and accepted transactions.
"""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from nacl.signing import SigningKey
from solders.pubkey import Pubkey

from edge.wire import merkle
from hub.audit.audit import check_interval
from hub.audit.checks import CheckResult, failed_checks
from hub.audit.facts import (
    ABORT_AFTER_S,
    PublicInterval,
    meter_of,
    rates_in_force,
    revision_of,
    settlement_of,
)
from hub.audit.own_checks import ParticipantEvidence, RegisteredKey
from hub.audit.proofs import parse_proof
from hub.audit.settle_calls import SettleCall, parse_settle, settled_lines
from hub.market.auction.clearing import clear
from hub.market.auction.residuals import MeteredEnergy
from hub.market.auction.run import AuctionInput, run_auction
from hub.market.orders import Order, Trade, residual_order_id, trade_id
from hub.market.published_journal import journal_bytes
from hub.settlement.funds import funds_of
from hub.settlement.plan import plan
from hub.units import PriceMills, Wh
from support.programs.campus_chain import INTERVAL_S, PARAMS, interval_address
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import (
    LINES_PER_BATCH,
    Exchange,
    Trader,
    founded_exchange,
    minted_address,
    settlement_address,
)
from support.programs.svm import START, pda
from support.rows.own_proofs import GATEWAY, LeafRow, interval_rung, signed_reading
from support.rows.worked_example import RATES

LOAD, BIDIRECTIONAL = 1, 3
BALANCE = 10_000_000
MAX_REVISIONS = 9


@dataclass(frozen=True)
class Metering:
    """Energy of a meter in an interval: as measured, or as the hub states it."""

    meter_id: str
    import_wh: int
    export_wh: int

    def row(self, start_s: int) -> LeafRow:
        blinding = sha256(self.meter_id.encode()).digest()[:16]
        return LeafRow(start_s, start_s + INTERVAL_S, self.meter_id, self.import_wh, self.export_wh, blinding)


@dataclass(frozen=True)
class Person:
    """A participant with their meter."""

    participant_id: UUID
    trader: Trader
    measured: Metering


@dataclass(frozen=True)
class HubStatement:
    """All that a hub states about an interval."""

    start_s: int
    meters: tuple[Metering, ...]
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    price_mills: int
    lines: tuple[ChainLine, ...]
    hidden: bool = False
    """Whether the hub keeps the journal to itself."""

    @property
    def journal(self) -> bytes:
        return journal_bytes(self.start_s, self.orders, self.trades, self.price_mills or None, RATES.charges_mills)

    @property
    def end_s(self) -> int:
        return self.start_s + INTERVAL_S

    def ordering(self, old: Order, **changes: Any) -> "HubStatement":
        """Returns the statement with an order changed, its id made from the changed values."""
        new = replace(old, **changes)
        named = residual_order_id(self.start_s, new.participant_id, new.side, new.wh, new.limit_mills)
        new = replace(new, order_id=named)
        return replace(self, orders=tuple(new if order is old else order for order in self.orders))


@dataclass
class Stage:
    """Anna generates; Ben and Cleo consume; Mallory, without a meter, is the hub's friend."""

    exchange: Exchange
    people: dict[str, Person] = field(default_factory=dict)
    calls: dict[int, list[SettleCall]] = field(default_factory=dict)
    gateway_key: SigningKey = field(default_factory=lambda: SigningKey(sha256(b"gateway").digest()))

    @classmethod
    def begin(cls) -> "Stage":
        """A campus at the start of an interval; everybody with money and a mandate, every meter registered."""
        stage = cls(founded_exchange())
        chain, campus = stage.exchange.chain, stage.exchange.campus
        campus.add_gateway(GATEWAY)
        public = Pubkey(bytes(stage.gateway_key.verify_key))
        chain.ok(campus.add_gateway_key(GATEWAY, public, START), signers=[campus.registrar])
        stage._joins("anna", 0xA, Metering("METER_001", 100, 1000), BIDIRECTIONAL)
        stage._joins("ben", 0xB, Metering("METER_002", 500, 0), LOAD)
        stage._joins("cleo", 0xC, Metering("METER_003", 800, 0), LOAD)
        stage._joins("mallory", 0xD, Metering("", 0, 0), None)
        return stage

    def _joins(self, name: str, number: int, measured: Metering, kind: int | None) -> None:
        trader = self.exchange.ready(name, BALANCE, reserve_micros=BALANCE)
        campus = self.exchange.campus
        if kind is not None:
            made = campus.register_meter(measured.meter_id, trader.wallet, GATEWAY, kind=kind)
            campus.chain.ok(made, signers=[campus.registrar])
        self.people[name] = Person(UUID(int=number), trader, measured)

    @property
    def metered(self) -> list[Person]:
        return [person for person in self.people.values() if person.measured.meter_id]

    def wallet(self, name: str) -> Pubkey:
        return self.people[name].trader.wallet

    def balances(self) -> dict[str, int]:
        """Everybody's, in micros."""
        return {name: self.exchange.balance(person.trader) for name, person in self.people.items()}

    def gains(self) -> dict[str, int]:
        """What each has won or lost since the beginning, in micros; those with nothing are left out."""
        return {name: micros - BALANCE for name, micros in self.balances().items() if micros != BALANCE}

    def rest(self) -> None:
        """From now on nobody's meter counts anything."""
        for name, person in self.people.items():
            self.people[name] = replace(person, measured=replace(person.measured, import_wh=0, export_wh=0))

    # What is stated ----------------------------------------------------------------------------------------------

    def honest(self, start_s: int = START) -> HubStatement:
        """Returns the outcome of the market's rules: Anna sells 346 Wh to Ben and 554 to Cleo, at 4,120 mills."""
        metered = [
            MeteredEnergy(p.participant_id, Wh(p.measured.import_wh), Wh(p.measured.export_wh), valid=True)
            for p in self.metered
        ]
        account = self.exchange.chain.account
        funds = {
            p.participant_id: allowed
            for p in self.metered
            if (allowed := funds_of(account("trading", p.trader.account), start_s, start_s + INTERVAL_S))
        }
        outcome = run_auction(AuctionInput(start_s, metered, RATES, funds))
        meters = tuple(person.measured for person in self.metered)
        price = outcome.clearing.price_mills or 0
        return self.netted(HubStatement(start_s, meters, tuple(outcome.orders), outcome.trades, price, ()))

    def cleared(self, statement: HubStatement) -> HubStatement:
        """Clears and nets the same orders by the rules: a consistent falsehood."""
        again = clear(statement.start_s, statement.orders)
        return self.netted(replace(statement, trades=again.trades, price_mills=again.price_mills or 0))

    def netted(self, statement: HubStatement) -> HubStatement:
        """Returns the statement with the lines that its trades net to."""
        wallets = {person.participant_id: bytes(person.trader.wallet) for person in self.people.values()}
        made = plan(statement.start_s, statement.trades, wallets, RATES, minted_wh=Wh(0), batch_lines=1)
        lines = (
            ChainLine(Pubkey(line.wallet), line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros)
            for line in made.lines
        )
        return replace(statement, lines=tuple(lines))

    def priced(self, statement: HubStatement, price_mills: int) -> HubStatement:
        """Returns the statement with the same trades at another price, their ids made from it."""
        trades = tuple(_at_price(trade, PriceMills(price_mills)) for trade in statement.trades)
        return self.netted(replace(statement, trades=trades, price_mills=price_mills))

    # What is done ------------------------------------------------------------------------------------------------

    def attest(self, statement: HubStatement, **changes: Any) -> str | None:
        """Attests and mints after the interval's end; returns the refusal's name, or None."""
        chain, campus = self.exchange.chain, self.exchange.campus
        chain.set_time(max(chain.now, statement.end_s))
        said: dict[str, Any] = {
            "merkle_root": list(merkle.root([meter.row(statement.start_s).leaf for meter in statement.meters])),
            "meters_valid": len(statement.meters),
            "import_wh": sum(meter.import_wh for meter in statement.meters),
            "export_wh": sum(meter.export_wh for meter in statement.meters),
        } | changes
        outcome = chain.send(campus.attest(statement.start_s, **said), signers=campus.attestors[:2])
        if outcome.error is None and said.get("revision", 1) == 1:
            chain.ok(self.exchange.mint_interval(statement.start_s))
        return outcome.error

    def end_as_anybody(self, statement: HubStatement) -> None:
        """Lets a stranger abort the settlement a day after the interval's end, so that all lines are returned."""
        chain, stranger = self.exchange.chain, self.exchange.chain.key("stranger")
        chain.set_time(max(chain.now, statement.end_s + ABORT_AFTER_S))
        chain.ok(self.exchange.abort(statement.start_s, stranger.pubkey()), signers=[stranger])
        self.exchange.unwind(statement.start_s, statement.lines[: self.exchange.settlement(statement.start_s).cursor])

    def open(self, statement: HubStatement, **changes: Any) -> str | None:
        """Opens the settlement, which commits to lines and journal; returns the refusal's name, or None."""
        committed = {"journal_hash": list(sha256(statement.journal).digest())} | changes
        made = self.exchange.open(statement.start_s, statement.lines, statement.price_mills, **committed)
        return self.exchange.chain.send(made, signers=[self.exchange.settler]).error

    def settle(self, statement: HubStatement, first: int = 0, end: int | None = None) -> str | None:
        """Settles the lines in batches; returns the name of the first refusal, or None."""
        for at in range(first, len(statement.lines) if end is None else end, LINES_PER_BATCH):
            batch = statement.lines[at : min(at + LINES_PER_BATCH, len(statement.lines) if end is None else end)]
            made = self.exchange.settle(statement.start_s, at, batch)
            outcome = self.exchange.chain.send(made, signers=[self.exchange.settler])
            if outcome.error is not None:
                return outcome.error
            accounts = [bytes(meta.pubkey) for meta in made.accounts]
            call = parse_settle(bytes(made.data), accounts, bytes(settlement_address(statement.start_s)))
            assert call is not None
            self.calls.setdefault(statement.start_s, []).append(call)
        return None

    def close(self, statement: HubStatement) -> str | None:
        """Closes the settlement; returns the refusal's name, or None."""
        return self.exchange.chain.send(self.exchange.close(statement.start_s), signers=[self.exchange.settler]).error

    def play(self, statement: HubStatement) -> str | None:
        """Plays all steps from attestation to close; returns the name of the first refusal, or None."""
        return self.attest(statement) or self.open(statement) or self.settle(statement) or self.close(statement)

    # The audit --------------------------------------------------------------------------------------------------

    def public(self, start_s: int, journal: bytes | None) -> PublicInterval:
        """Returns what accounts and accepted transactions show, with the journal that the hub publishes."""
        chain = self.exchange.chain
        revisions = [
            revision_of(chain.account("oracle", interval_address(start_s, number)))
            for number in range(1, MAX_REVISIONS)
            if chain.exists(interval_address(start_s, number))
        ]
        settlement = None
        if chain.exists(settlement_address(start_s)):
            settlement = settlement_of(chain.account("trading", settlement_address(start_s)))
        minted = None
        if chain.exists(minted_address(start_s)):
            minted = Wh(chain.account("energy_token", minted_address(start_s)).wh)
        calls = self.calls.get(start_s, [])
        wallets = {one: bytes(chain.account("trading", Pubkey(one)).wallet) for call in calls for one in call.accounts}
        meters = [chain.account("registry", pda("registry", b"meter", p.measured.meter_id.encode()))
                  for p in self.metered]  # fmt: skip
        return PublicInterval(
            start_s=start_s,
            end_s=start_s + INTERVAL_S,
            now_s=chain.now,
            revisions=tuple(revisions),
            minted_wh=minted,
            settlement=settlement,
            lines=settled_lines(calls, wallets),
            rates=rates_in_force(chain.account("governance", PARAMS), start_s),
            meters=tuple(map(meter_of, meters)),
            journal=journal,
        )

    def found(self, statement: HubStatement, by: str | None = None) -> set[str]:
        """Returns the checks that fail for anybody, or those that fail for the participant ``by`` alone."""
        every = failed_checks(self.results(statement, by))
        return every if by is None else every - failed_checks(self.results(statement))

    def results(self, statement: HubStatement, by: str | None = None) -> list[CheckResult]:
        """Returns the result of every check."""
        interval = self.public(statement.start_s, None if statement.hidden else statement.journal)
        return check_interval(interval, None if by is None else self.own(by, statement))

    def own(self, name: str, statement: HubStatement) -> ParticipantEvidence:
        """Returns what a participant knows: id, wallet, and the hub's two proofs of signed readings."""
        person, chain = self.people[name], self.exchange.chain
        key = chain.account("registry", pda("registry", b"gateway_key", bytes(self.gateway_key.verify_key)))
        registered = RegisteredKey(bytes(key.gateway), key.valid_from_s, key.valid_until_s)
        return ParticipantEvidence(
            participant_id=person.participant_id,
            wallet=bytes(person.trader.wallet),
            account=chain.account("trading", person.trader.account),
            proofs=tuple(
                parse_proof(f"proof {number}", one) for number, one in enumerate(self.proofs(name, statement))
            ),
            keys={bytes(key.key): registered},
        )

    def proofs(self, name: str, statement: HubStatement) -> list[dict[str, Any]]:
        """Returns proofs of the readings at start and end; without the interval's step when the meter was left out."""
        measured = self.people[name].measured
        if not measured.meter_id:
            return []
        meter = next((known for known in statement.meters if known.meter_id == measured.meter_id), None)
        return [self._proof(measured, statement, meter, end=end) for end in (False, True)]

    def _proof(
        self, measured: Metering, statement: HubStatement, meter: Metering | None, *, end: bool
    ) -> dict[str, Any]:
        slot_s = statement.end_s if end else statement.start_s
        registers = (5_000 + measured.import_wh * end, 7_000 + measured.export_wh * end)
        document = signed_reading(self.gateway_key, measured.meter_id, slot_s, registers)
        if meter is None:
            return document
        rows = [known.row(statement.start_s) for known in statement.meters]
        return document | {"interval": interval_rung(rows, meter.row(statement.start_s))}


def _at_price(trade: Trade, price_mills: PriceMills) -> Trade:
    names = trade.ask_order_id, trade.bid_order_id
    named = trade_id(trade.start_s, *names, trade.fill_index, trade.wh, price_mills)
    return replace(trade, trade_id=named, price_mills=price_mills)


def order_of(statement: HubStatement, person: Person) -> Order:
    """The person's order in what is told."""
    return next(order for order in statement.orders if order.participant_id == person.participant_id)
