"""Copies the rates that governance decided from the chain into the database, before anything is cleared at them.

A decision takes effect 48 hours later at the earliest, so that the rates already known hold while the chain is away;
one that takes effect later can still be replaced, and waits.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import Clock, rfc3339_s
from hub.errors import PermanentError, RetryableError
from hub.market import repository
from hub.market.orders import Rates
from hub.observability.outage import Outage
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard
from hub.units import PriceMills

log = structlog.get_logger()

LOOK_MS, RETRY_MS = 60_000, 5_000
CLOCKS_DIFFER_S = 600
"""By so much our clock may be ahead of the chain's."""
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999: what takes effect later prices nothing, and no timestamp holds it."""


class NoGovernanceError(RetryableError):
    """The programs have not been set up on this chain."""

    code = "no_governance"


class RatesContradictError(PermanentError):
    """The database prices an interval otherwise than the chain: nothing is cleared until a person has looked."""

    code = "rates_contradict"


class GovernedRates:
    """Looks once a minute; what one process remembers of it."""

    def __init__(self) -> None:
        self._outage = Outage("rates")
        self._next_ms = 0

    async def follow(self, pool: Pool, lease: Lease, clock: Clock, chain: ChainClient) -> None:
        """Brings the table `rates` up to date when it is time to; while the chain is away the table stays as it is.

        Raises:
            RatesContradictError: see ``copy_rates``.
            LeaseLostError: another process leads; nothing was written.
        """
        if clock.now_ms() < self._next_ms:
            return
        try:
            await copy_rates(pool, lease, clock, chain)
        except (ChainUnreachableError, NoGovernanceError) as error:
            self._outage.begins(error)
            self._next_ms = clock.now_ms() + RETRY_MS
            return
        self._outage.ends()
        self._next_ms = clock.now_ms() + LOOK_MS


async def copy_rates(pool: Pool, lease: Lease, clock: Clock, chain: ChainClient) -> list[int]:
    """Adds what is settled on the chain and not yet in the database; the seconds from which the new rates hold.

    Raises:
        RatesContradictError: the database holds other rates for a time that the chain still knows of.
        NoGovernanceError: the chain has no parameters yet.
    """
    params = await chain.account("governance", "Params", pdas.governance_params(), commitment=Finalized)
    if params is None:
        raise NoGovernanceError(f"{chain.url} has no rates yet: set the chain up first, see `peerwatt-hub doctor`")
    governed = governed_rates(params, clock.now_ms() // 1000)
    async with pool.acquire() as connection, connection.transaction():
        await guard(connection, lease)
        stored = await repository.all_rates(connection)
        _check(stored, governed)
        new = sorted(governed.keys() - stored.keys())
        for effective_s in new:
            await _add(connection, effective_s, governed[effective_s])
    return new


async def _add(connection: Connection, effective_s: int, rates: Rates) -> None:
    await repository.insert_rates(connection, effective_s, rates)
    late, since = await repository.count_cleared_since(connection, effective_s), rfc3339_s(effective_s)
    log.info("new rates", effective_from=since, charges_mills=rates.charges_mills)
    if late:
        reason = (
            f"{late} intervals were cleared at the rates before: the chain will not open their trades, and their "
            "utility lines are off; `peerwatt-hub reconcile` lists them"
        )
        log.critical("rates came late", effective_from=since, reason=reason)


def governed_rates(params: Any, now_s: int) -> dict[int, Rates]:
    """The rate sets of a decoded ``Params`` account that nobody can replace any more, by the second they hold from.

    A later decision replaces what takes effect outside the time lock; what is within it stays.
    """
    until_s = min(now_s + params.time_lock_s - CLOCKS_DIFFER_S, _LAST_SECOND)
    return {
        max(0, one.effective_from_s): Rates(
            PriceMills(one.wheeling_mills),
            PriceMills(one.platform_mills),
            PriceMills(one.loss_mills),
            PriceMills(one.export_tariff_mills),
            PriceMills(one.import_tariff_mills),
        )
        for one in params.rate_sets
        if one.effective_from_s < until_s
    }


def _check(stored: Mapping[int, Rates], governed: Mapping[int, Rates]) -> None:
    """What the chain has forgotten is history; from its first rates on both must say the same."""
    for effective_s, ours in stored.items():
        theirs = _in_force(governed, effective_s)
        if theirs is not None and theirs != ours:
            raise RatesContradictError(
                f"From {rfc3339_s(effective_s)} on `rates` holds {_words(ours)}, governance {_words(theirs)}: "
                "nothing is cleared until they agree. When no interval since then was cleared, delete that row of "
                "`rates`; otherwise keep both sides and report it"
            )


def _in_force(rates: Mapping[int, Rates], at_s: int) -> Rates | None:
    begun = [effective_s for effective_s in rates if effective_s <= at_s]
    return rates[max(begun)] if begun else None


def _words(rates: Rates) -> str:
    return (
        f"{rates.wheeling_mills}/{rates.platform_mills}/{rates.loss_mills} mills of charges, "
        f"{rates.export_tariff_mills}/{rates.import_tariff_mills} of tariffs"
    )
