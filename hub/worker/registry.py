"""Lists every round that the worker runs; a package with a new round adds a line here."""

from hub.chain.client import ChainClient
from hub.chain.clock import ChainClock
from hub.clock import Clock
from hub.metering.rounds import AttestationRound
from hub.postgres.db import Pool
from hub.postgres.rounds import Round
from hub.settings import Settings
from hub.settlement.rounds import CorrectionRound, MarketRound, ReconcileRound, SettlementRound


def rounds(settings: Settings, pool: Pool, clock: Clock, chain: ChainClient) -> list[Round]:
    """Returns the rounds of one worker process; each runs in a loop of its own, under a lease of its own."""
    return [
        AttestationRound(settings, pool, clock, chain_clock=ChainClock(chain, clock)),
        MarketRound(pool, clock, chain),
        CorrectionRound(settings, pool, clock),
        SettlementRound(settings, pool, clock, chain),
        ReconcileRound(pool, clock, chain),
    ]
