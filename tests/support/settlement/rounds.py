"""The worker's rounds from clearing to reconciliation, for tests that run them one by one."""

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from hub.chain.client import ChainClient
from hub.clock import Clock, SystemClock
from hub.postgres.db import Pool
from hub.postgres.rounds import Round
from hub.settings import Settings
from hub.settlement.rounds import MarketRound, ReconcileRound, SettlementRound
from support.rows.site_rows import lead


@dataclass(frozen=True)
class Rounds:
    """The three rounds of one worker, on one pool and chain."""

    market: MarketRound
    settlement: SettlementRound
    reconcile: ReconcileRound

    @classmethod
    def of(cls, pool: Pool, chain: ChainClient, state_dir: Path, clock: Clock | None = None) -> "Rounds":
        clock = clock or SystemClock()
        settings = Settings(state_dir=state_dir, database_url=SecretStr("postgresql://unused"), interval_s=30)
        return cls(
            MarketRound(pool, clock, chain),
            SettlementRound(settings, pool, clock, chain),
            ReconcileRound(pool, clock, chain),
        )

    @property
    def pool(self) -> Pool:
        return self.market.pool

    @property
    def chain(self) -> ChainClient:
        return self.market.chain

    @property
    def all(self) -> tuple[Round, ...]:
        return self.market, self.settlement, self.reconcile

    def on(self, chain: ChainClient) -> "Rounds":
        """Returns the same rounds, with their state, on another client of the chain."""
        return Rounds(
            replace(self.market, chain=chain),
            replace(self.settlement, chain=chain),
            replace(self.reconcile, chain=chain),
        )

    async def run(self, a_round: Round) -> bool:
        """Runs one round as its leader."""
        return await a_round.run(await lead(self.pool))
