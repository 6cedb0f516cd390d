"""One interval settled on a fresh chain with the programs as they are deployed, and what it came to."""

from dataclasses import dataclass

from support.market_chain import (
    ENERGY_STATE,
    LINES_PER_BATCH,
    START,
    VAULTS,
    ChainLine,
    Exchange,
    founded_exchange,
    payers_first,
)
from support.svm import Outcome


@dataclass(frozen=True)
class Settled:
    """What an interval came to on chain."""

    exchange: Exchange
    start: int
    before: dict[str, int]
    """Balances in micros, by name, before the first line."""
    after: dict[str, int]
    """Balances in micros, by name, after the close."""
    vaults: dict[str, int]
    """Charges in micros, by name."""
    minted_wh: int
    burned_wh: int
    batches: list[Outcome]

    @property
    def changes(self) -> dict[str, int]:
        """What each balance gained."""
        return {name: self.after[name] - self.before[name] for name in self.before}


def settle_on_svm(
    lines: dict[str, tuple[int, int, int, int]],
    price: int,
    *,
    export_wh: int = 1_000,
    terms: dict[str, dict[str, int]] | None = None,
    batch: int = LINES_PER_BATCH,
) -> Settled:
    """Settles one interval on a fresh chain with the programs as they are deployed.

    `lines` by participant's name: (sold_wh, bought_wh, credit_micros, debit_micros); `price` in mills, as recorded;
    `export_wh` as the oracle attests it; `terms` by name changes mandates (see `Exchange.set_mandate`).
    Lines are put in order, opened, settled `batch` a time and closed; any refusal fails the test.
    """
    exchange = founded_exchange()
    traders = {name: exchange.ready(name, **(terms or {}).get(name, {})) for name in lines}
    ordered = payers_first([ChainLine(traders[name].wallet, *line) for name, line in lines.items()])
    start, chain, settler = START, exchange.chain, [exchange.settler]
    exchange.attest_and_mint(start, export_wh)
    before = {name: exchange.balance(trader) for name, trader in traders.items()}
    chain.ok(exchange.open(start, ordered, price), signers=settler)
    batches = []
    for index in range(0, len(ordered), batch):
        batches.append(chain.ok(exchange.settle(start, index, ordered[index : index + batch]), signers=settler))
        exchange.check_books(start)
    chain.ok(exchange.close(start), signers=settler)
    exchange.check_books(start)
    energy = chain.account("energy_token", ENERGY_STATE)
    return Settled(
        exchange=exchange,
        start=start,
        before=before,
        after={name: exchange.balance(trader) for name, trader in traders.items()},
        vaults={name: exchange.tokens(address) for name, address in VAULTS.items()},
        minted_wh=energy.minted_wh,
        burned_wh=energy.burned_wh,
        batches=batches,
    )
