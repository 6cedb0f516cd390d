"""A case of the market's rules played by the programs as deployed: funds from the chain, lines from the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from solders.pubkey import Pubkey

from hub.market.auction.run import AuctionInput, run_auction
from hub.market.funds import ParticipantFunds
from hub.settlement.funds import funds_of
from hub.settlement.lines import Line
from hub.settlement.plan import Plan, plan
from hub.units import Wh
from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import VAULTS, Exchange, Trader, founded_exchange


@dataclass(frozen=True)
class PlayedCase:
    """A market on chain whose participants have what the case says that they have."""

    exchange: Exchange
    case: AuctionInput
    traders: Mapping[UUID, Trader]

    @classmethod
    def begin(cls, case: AuctionInput) -> "PlayedCase":
        """Opens accounts and signs mandates when the case's interval begins."""
        exchange = founded_exchange()
        exchange.chain.set_time(case.start_s)
        traders = {who: _trader(exchange, f"person {who.int}", funds, case) for who, funds in case.funds.items()}
        return cls(exchange, case, traders)

    def funds(self) -> dict[UUID, ParticipantFunds]:
        """What each may owe, as the hub reads it from the chain's accounts."""
        start_s, found = self.case.start_s, {}
        for who, trader in self.traders.items():
            account = self.exchange.chain.account("trading", trader.account)
            if funds := funds_of(account, start_s, start_s + INTERVAL_S):
                found[who] = funds
        return found

    def planned(self, *, minted_wh: int, batch_lines: int) -> tuple[Plan, int]:
        """The auction with the chain's funds, netted to a plan; and the clearing price in mills."""
        outcome = run_auction(replace(self.case, funds=self.funds()))
        wallets = {who: bytes(trader.wallet) for who, trader in self.traders.items()}
        made = plan(
            self.case.start_s,
            outcome.trades,
            wallets,
            self.case.rates,
            minted_wh=Wh(minted_wh),
            batch_lines=batch_lines,
        )
        return made, outcome.clearing.price_mills or 0

    def settle(self, made: Plan, price_mills: int) -> None:
        """Takes the plan's steps, with its root and totals; any refusal fails the test."""
        exchange, chain, settler, start = self.exchange, self.exchange.chain, [self.exchange.settler], made.start_s
        lines = [_chain_line(line) for line in made.lines]
        exchange.attest_and_mint(start, made.minted_wh)
        committed = {
            "lines_root": list(made.lines_root),
            "sold_wh": made.totals.sold_wh,
            "bought_wh": made.totals.bought_wh,
            "credit_micros": made.totals.credit_micros,
            "debit_micros": made.totals.debit_micros,
        }
        chain.ok(exchange.open(start, lines, price_mills, **committed), signers=settler)
        for step in made.steps:
            if step.kind == "settle" and step.first_line is not None:
                batch = exchange.settle(start, step.first_line, lines[step.first_line : step.end_line])
                chain.ok(batch, signers=settler)
                exchange.check_books(start)
        chain.ok(exchange.close(start), signers=settler)
        exchange.check_books(start)

    def balances(self) -> dict[UUID, int]:
        """In micros."""
        return {who: self.exchange.balance(trader) for who, trader in self.traders.items()}

    def charges(self) -> tuple[int, int, int]:
        """In the vaults: wheeling, platform, loss."""
        wheeling, platform, loss = (self.exchange.tokens(VAULTS[name]) for name in ("wheeling", "platform", "loss"))
        return wheeling, platform, loss


def _trader(exchange: Exchange, name: str, funds: ParticipantFunds, case: AuctionInput) -> Trader:
    return exchange.ready(
        name,
        deposit=funds.balance_micros,
        expiry_s=case.start_s + 86_400,
        max_price_mills=funds.max_price_mills,
        min_price_mills=funds.min_price_mills,
        max_wh=funds.max_wh,
        max_debit_micros=funds.max_debit_micros,
        max_day_debit_micros=funds.max_day_debit_micros,
        reserve_micros=funds.reserve_micros,
    )


def _chain_line(line: Line) -> ChainLine:
    wallet = Pubkey(line.wallet)
    return ChainLine(wallet, line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros)
