"""The chain that is compared with the model: people by name, their actions as instructions, and the comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair

from hub.chain.instructions import actions, governance, registry
from support.programs.campus_chain import INTERVAL_S, PARAMS, PAUSE, interval_address, proposal_address
from support.programs.decisions import propose
from support.programs.invariants import check_burned, check_electorate, check_energy, check_money, check_settlements
from support.programs.market_chain import (
    MONEY,
    VAULTS,
    Exchange,
    Trader,
    founded_exchange,
    minted_address,
    settlement_address,
)
from support.programs.market_chain import account_address as market_account
from support.programs.model.campus import Model
from support.programs.model.decided import Proposal
from support.programs.model.market import Account, Custody
from support.programs.model.people import REGISTRAR
from support.programs.model.settling import SETTLER, Settlement, Share, Totals
from support.programs.rewind import RewindingSvm, make_rewinding, rewinding
from support.programs.svm import START, Chain, pda, swapped

PEOPLE = ("ann", "ben", "cid", "dan")
GATEWAY = "gw-north"
PLATFORM_MILLS = 25
STATUSES = {1: "active", 2: "suspended", 3: "retired"}


@dataclass
class Stage:
    """A founded chain without participants."""

    exchange: Exchange
    traders: dict[str, Trader]

    @property
    def chain(self) -> Chain:
        """The machine below."""
        return self.exchange.chain

    @property
    def svm(self) -> RewindingSvm:
        """The machine itself."""
        return rewinding(self.chain)

    def key(self, name: str) -> Keypair:
        """Returns the key of this person or office."""
        if name in self.traders:
            return self.traders[name].key
        known = {SETTLER: self.exchange.settler, REGISTRAR: self.exchange.campus.registrar}
        return known.get(name) or self.chain.key(name)

    def instead(self, ix: Instruction, owner: str, by: str) -> Instruction:
        """The instruction as somebody else would send it in the owner's place."""
        return ix if by == owner else swapped(ix, self.key(owner).pubkey(), self.key(by).pubkey())

    # Actions -----------------------------------------------------------------------------------------------------

    def register(self, name: str, by: str) -> Instruction:
        """A new participant."""
        return self.instead(self.exchange.campus.register_participant(self.key(name)), REGISTRAR, by)

    def set_status(self, name: str, status: int, by: str) -> Instruction:
        """The registrar's change of a participant's status."""
        return registry.set_participant_status(
            self.key(by).pubkey(),
            self.key(name).pubkey(),
            STATUSES[status],  # type: ignore[arg-type]
        )

    def register_meter(self, meter_id: str, owner: str, by: str) -> Instruction:
        """A meter at the only gateway."""
        made = self.exchange.campus.register_meter(meter_id, self.key(owner).pubkey(), GATEWAY)
        return self.instead(made, REGISTRAR, by)

    def set_meter_status(self, meter_id: str, status: int, by: str) -> Instruction:
        """The registrar's change of a meter's status."""
        return registry.set_meter_status(self.key(by).pubkey(), meter_id, STATUSES[status])  # type: ignore[arg-type]

    def transfer_meter(self, meter_id: str, owner: str, to: str) -> Instruction:
        """A meter from one participant to another."""
        return registry.transfer_meter(self.key(owner).pubkey(), self.key(to).pubkey(), meter_id)

    def attest(self, start_s: int, revision: int, export_wh: int, signers: int) -> Instruction:
        """An attestation by the first ``signers`` attestors."""
        campus = self.exchange.campus
        previous = revision - 1 or None
        said: dict[str, Any] = {"revision": revision, "export_wh": export_wh, "import_wh": 0, "meters_valid": 3}
        return campus.attest(start_s, signers=campus.attestors[:signers], previous=previous, **said)

    def propose(self, proposal: Proposal, by: str) -> Instruction:
        """A proposal to pause, or of rates."""
        return propose(self.exchange.campus, _action(proposal), self.key(by))

    def approve(self, number: int, by: str) -> Instruction:
        """A member's approval."""
        return governance.approve(self.key(by).pubkey(), number)

    def revoke(self, number: int, by: str) -> Instruction:
        """An approval taken back."""
        return governance.revoke(self.key(by).pubkey(), number)

    def open(self, start_s: int, shares: Sequence[Share], totals: Totals, by: str) -> Instruction:
        """A settlement with these totals, whatever its lines add up to."""
        lines = [share.line for share in shares]
        return self.instead(self.exchange.open(start_s, lines, **vars(totals)), SETTLER, by)

    # Agreement ---------------------------------------------------------------------------------------------------

    def compare(self, model: Model) -> None:
        """Checks that every account is as the model says, and the invariants."""
        self._compare_people(model)
        self._compare_energy(model)
        self._compare_market(model)
        wallets = [trader.wallet for trader in self.traders.values()]
        starts = sorted(model.attested.minted)
        check_money(self.exchange, wallets, starts)
        check_settlements(self.chain, starts)
        check_energy(self.exchange, starts)
        check_burned(self.chain, starts)
        check_electorate(self.chain, wallets)

    def _compare_people(self, model: Model) -> None:
        for name, trader in self.traders.items():
            address = pda("registry", b"participant", trader.wallet)
            status = self.chain.account("registry", address).status if self.chain.exists(address) else None
            assert status == model.registry.participants.get(name)
            assert self.exchange.tokens(trader.token) == model.custody.wallets_micros[name]
        for meter_id, meter in model.registry.meters.items():
            stored = self.chain.account("registry", pda("registry", b"meter", meter_id.encode()))
            assert (stored.owner, stored.status) == (self.key(meter.owner).pubkey(), meter.status)
        decided = model.governance
        assert self.chain.account("governance", PAUSE).paused == decided.paused
        rates = self.chain.account("governance", PARAMS).rate_sets
        charges = [
            (rate.effective_from_s, rate.wheeling_mills + rate.platform_mills + rate.loss_mills) for rate in rates
        ]
        assert charges == decided.rates
        for number, proposal in enumerate(decided.proposals):
            stored = self.chain.account("governance", proposal_address(number))
            assert int(stored.approvals).bit_count() == len(proposal.approvals)
            assert (stored.executed_at_s > 0) == proposal.executed

    def _compare_energy(self, model: Model) -> None:
        for (start_s, revision), export_wh in model.attested.export_wh.items():
            stored = self.chain.account("oracle", interval_address(start_s, revision))
            assert (stored.end_s, stored.export_wh) == (start_s + INTERVAL_S, export_wh)
            assert self.chain.exists(minted_address(start_s)) == (start_s in model.attested.minted)
        for start_s, minted in model.attested.minted.items():
            stored = self.chain.account("energy_token", minted_address(start_s))
            assert (stored.wh, stored.burned) == (minted.wh, minted.burned)

    def _compare_market(self, model: Model) -> None:
        for name, trader in self.traders.items():
            assert self.chain.exists(trader.account) == (name in model.custody.accounts)
        for name, account in model.custody.accounts.items():
            self._compare_account(name, account)
        for start_s in {start_s for start_s, _ in model.attested.export_wh}:
            assert self.chain.exists(settlement_address(start_s)) == (start_s in model.settlements)
        for start_s, settlement in model.settlements.items():
            self._compare_settlement(start_s, settlement)
        assert sum(map(self.exchange.tokens, VAULTS.values())) == model.vaults_micros

    def _compare_account(self, name: str, account: Account) -> None:
        stored = self.chain.account("trading", market_account(self.key(name).pubkey()))
        kept = (stored.balance_micros, stored.nonce, stored.number)
        assert kept == (account.balance_micros, account.nonce, account.number)
        signed = stored.mandates.ring[: stored.mandates.count]
        assert [stored.valid_from_s for stored in signed] == [known.valid_from_s for known in account.mandates.used]
        assert [stored.expiry_s for stored in signed] == [known.terms.expiry_s for known in account.mandates.used]

    def _compare_settlement(self, start_s: int, settlement: Settlement) -> None:
        stored = self.exchange.settlement(start_s)
        assert (stored.status, stored.escrow_micros) == (settlement.status.value, settlement.escrow_micros)
        assert (stored.cursor, stored.returned_count) == (len(settlement.settled), len(settlement.returned))


def _action(proposal: Proposal) -> Any:
    if proposal.paused is not None:
        return actions.set_pause(paused=proposal.paused)
    rates = governance.Rates(proposal.from_s, proposal.charges_mills - PLATFORM_MILLS, PLATFORM_MILLS, 0, 2_200, 5_000)
    return actions.schedule_rates(rates)


@cache
def stage() -> Stage:
    """Returns a founded chain with a gateway; everybody has tokens and nothing else."""
    exchange = founded_exchange()
    chain = exchange.chain
    exchange.campus.add_gateway(GATEWAY)
    traders = {}
    for name in PEOPLE:
        key = chain.key(f"trader {name}")
        traders[name] = Trader(key, exchange.token_account(name, key.pubkey()))
        exchange.issue(traders[name].token, MONEY)
    chain.set_time(START + INTERVAL_S)
    make_rewinding(chain)
    return Stage(exchange, traders)


def first_model() -> Model:
    """Returns the model of the stage at its beginning."""
    return Model(START + INTERVAL_S, Custody(dict.fromkeys(PEOPLE, MONEY)))
