"""The world of the scenes: a campus with at least two of everything, so that each thing has another of its type.

Ann acts, in the interval `HOME`. What is Ben's is another participant's, what is `BEFORE`'s another interval's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from support.programs.campus_chain import INTERVAL_S, Campus, interval_address, new_campus, proposal_address
from support.programs.certified import Certified, MeterEnergy
from support.programs.chain_lines import ChainLine
from support.programs.invariants import (
    check_burned,
    check_certificates,
    check_electorate,
    check_energy,
    check_money,
    check_settlements,
)
from support.programs.market_chain import (
    ENERGY_MINT,
    ENERGY_STATE,
    MARKET,
    Exchange,
    Trader,
    account_address,
    founded_exchange,
    minted_address,
    participant_address,
    settlement_address,
)
from support.programs.rewind import RewindingSvm, make_rewinding, rewinding
from support.programs.svm import START, Chain, Outcome

BEFORE, HOME = START, START + INTERVAL_S
STARTS = (0, BEFORE, HOME)
"""Starts of all intervals that a scene or an attack attests."""
NORTH, SOUTH = "gw-north", "gw-south"
METER, SECOND_METER, BENS_METER = "METER_001", "METER_002", "METER_003"
EXPORT_WH = 1_000
METERS = {METER: "trader ann", SECOND_METER: "trader ann", BENS_METER: "trader ben"}
ANOTHERS, ANOTHER, CORRECTION = "another's", "another", "correction"


@dataclass
class World:
    """A chain to act on, and the accounts that an attack can put in another's place."""

    exchange: Exchange
    certified: Certified
    others: Sequence[tuple[str, Pubkey]] = ()
    """Accounts beside those of the scenes, each with its label."""

    @property
    def chain(self) -> Chain:
        """The machine below."""
        return self.exchange.chain

    @property
    def svm(self) -> RewindingSvm:
        """The machine itself."""
        return rewinding(self.chain)

    @property
    def campus(self) -> Campus:
        """Governance, registry and oracle."""
        return self.exchange.campus

    @property
    def ann(self) -> Trader:
        """The seller."""
        return self.exchange.traders["ann"]

    @property
    def ben(self) -> Trader:
        """The buyer."""
        return self.exchange.traders["ben"]

    @property
    def cid(self) -> Keypair:
        """A participant without an account in the market."""
        return self.chain.key("cid")

    @property
    def stranger(self) -> Keypair:
        """Somebody who is not registered and has lamports."""
        return self.chain.key("stranger")

    @property
    def newcomer(self) -> Keypair:
        """Somebody who is about to be registered."""
        return self.chain.key("newcomer")

    @property
    def payer(self) -> Keypair:
        """Who pays rent."""
        return self.chain.payer

    @property
    def settler(self) -> Keypair:
        """The settler."""
        return self.exchange.settler

    @property
    def carrier(self) -> Keypair:
        """Who pays the fees of the transactions, and has nothing else to do with them."""
        return self.chain.key("carrier")

    @property
    def participants(self) -> frozenset[Pubkey]:
        """Wallets that the registry knows."""
        return frozenset({*(trader.wallet for trader in self.exchange.traders.values()), self.cid.pubkey()})

    def play(self, *ixs: Instruction, signers: Sequence[Keypair] = ()) -> Outcome:
        """Sends a transaction whose fees nobody in the scene pays."""
        return self.chain.send(*ixs, signers=signers, payer=self.carrier)

    def check(self) -> None:
        """Checks the invariants of what exists."""
        if self.chain.exists(MARKET):
            wallets = {*self.participants, self.stranger.pubkey(), self.newcomer.pubkey()}
            check_money(self.exchange, wallets, STARTS)
            check_settlements(self.chain, STARTS)
            check_energy(self.exchange, STARTS)
            if self.chain.account("energy_token", ENERGY_STATE).trading_authority == MARKET:
                check_burned(self.chain, STARTS)
            check_certificates(self.certified, list(METERS), STARTS)
            check_electorate(self.chain, wallets)

    def meter_energy(self) -> dict[str, MeterEnergy]:
        """Returns the energy that is attested of every meter, in every interval."""
        return dict.fromkeys(METERS, MeterEnergy(export_wh=EXPORT_WH))

    def attested(self, start_s: int = HOME) -> None:
        """Attests an interval and mints its energy."""
        self.certified.attest(start_s, self.meter_energy())
        self.chain.ok(self.exchange.mint_interval(start_s))

    def lines(self, start_s: int = HOME) -> list[ChainLine]:
        """Ben buys from Ann at 4,000 mills: 100 Wh in `HOME`, 200 Wh in `BEFORE`."""
        wh = 200 if start_s == BEFORE else 100
        return [
            ChainLine(self.ben.wallet, bought_wh=wh, debit_micros=4_130 * wh),
            ChainLine(self.ann.wallet, sold_wh=wh, credit_micros=4_000 * wh),
        ]

    def opened(self, *starts: int) -> None:
        """Opens settlements."""
        for start_s in starts:
            if start_s == HOME:
                self.attested()
            self.chain.ok(self.exchange.open(start_s, self.lines(start_s)), signers=[self.settler])

    def settled(self, *starts: int, lines: int = 2) -> None:
        """Opens settlements and settles their first lines."""
        self.opened(*starts)
        for start_s in starts:
            batch = self.exchange.settle(start_s, 0, self.lines(start_s)[:lines])
            self.chain.ok(batch, signers=[self.settler])

    def aborted(self, *starts: int) -> None:
        """Settles and aborts, so that lines can be returned."""
        self.settled(*starts)
        for start_s in starts:
            self.chain.ok(self.exchange.abort(start_s), signers=[self.settler])


def _with_memory(exchange: Exchange) -> World:
    make_rewinding(exchange.chain)
    return World(exchange, Certified(exchange))


@cache
def bare_world() -> World:
    """Programs deployed, nothing founded."""
    campus = new_campus()
    return _with_memory(Exchange(campus, campus.chain.key("settler"), campus.chain.key("currency")))


@cache
def founded_world() -> World:
    """Everything founded; `BEFORE` is attested, corrected and minted, and `HOME` has just ended."""
    world = _with_memory(founded_exchange())
    exchange, chain, registrar = world.exchange, world.chain, world.campus.registrar
    for name in ("ann", "ben"):
        exchange.ready(name)
    for key in (world.cid, world.stranger):
        chain.svm.airdrop(key.pubkey(), 10**9)
    world.campus.add_participant(world.cid)
    for gateway in (NORTH, SOUTH):
        world.campus.add_gateway(gateway)
        signing_key = chain.key(f"key of {gateway}").pubkey()
        chain.ok(world.campus.add_gateway_key(gateway, signing_key, chain.now), signers=[registrar])
    for meter, owner in METERS.items():
        world.certified.meter(meter, owner)
    chain.set_time(HOME)
    world.attested(BEFORE)
    world.certified.attest(BEFORE, world.meter_energy(), revision=2)
    chain.set_time(HOME + INTERVAL_S)
    world.others = _others(world)
    return world


def _others(world: World) -> list[tuple[str, Pubkey]]:
    chain, ben, decided = world.chain, world.ben, 1
    certificates = {meter: pdas.certificate(meter, HOME) for meter in METERS}
    bens = [
        ben.token,
        participant_address(ben.wallet),
        account_address(ben.wallet),
        pdas.meter(BENS_METER),
        pdas.producer(ben.wallet),
        certificates[BENS_METER],
        pdas.certificate_holding(certificates[BENS_METER], 0),
        pdas.cancellation(pdas.certificate_holding(certificates[BENS_METER], 0)),
        pdas.governance_vote(decided, ben.wallet),
    ]
    others = [
        _second_token_account(world),
        _second_currency(world),
        pdas.gateway(SOUTH),
        pdas.gateway_key(chain.key(f"key of {SOUTH}").pubkey()),
        pdas.meter(SECOND_METER),
        interval_address(BEFORE),
        minted_address(BEFORE),
        settlement_address(BEFORE),
        proposal_address(0),
        certificates[SECOND_METER],
        pdas.certificate_holding(certificates[SECOND_METER], 0),
        pdas.cancellation(pdas.certificate_holding(certificates[SECOND_METER], 0)),
        ENERGY_MINT,
    ]
    return [
        *((ANOTHERS, address) for address in bens),
        *((ANOTHER, address) for address in others),
        (CORRECTION, interval_address(HOME, 2)),
    ]


def _second_token_account(world: World) -> Pubkey:
    return world.exchange.token_account("ann's second", world.ann.wallet)


def _second_currency(world: World) -> Pubkey:
    second = Exchange(world.campus, world.settler, world.chain.key("second currency"))
    second.make_currency()
    return second.currency.pubkey()
