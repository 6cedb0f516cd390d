"""Copies the rates that governance decided from the chain into the database, before an interval is cleared at them.

Rates take effect 48 hours after the decision at the earliest, so the stored ones hold while the chain is unreachable.
Rates that take effect later than that can still be replaced, and are not copied yet.
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

CHECK_EVERY_MS, RETRY_MS = 60_000, 5_000
CLOCKS_DIFFER_S = 600
"""The most that this machine's clock may be ahead of the chain's."""
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, in s since 1970: no timestamp in Python is later."""


class NoGovernanceError(RetryableError):
    """The chain has no parameters of governance: the programs have not been set up."""

    code = "no_governance"


class RatesContradictError(PermanentError):
    """The database and the chain hold different rates: nothing is cleared until a person has looked."""

    code = "rates_contradict"


class RatesCopier:
    """Copies the rates once a minute; keeps the time of the next copy."""

    def __init__(self) -> None:
        self._outage = Outage("rates")
        self._next_ms = 0

    async def copy_if_due(self, pool: Pool, lease: Lease, clock: Clock, chain: ChainClient) -> None:
        """Copies the rates when it is time to; the table `rates` stays as it is when the chain does not answer.

        Raises:
            RatesContradictError: as ``copy_rates``.
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
        self._next_ms = clock.now_ms() + CHECK_EVERY_MS


async def copy_rates(pool: Pool, lease: Lease, clock: Clock, chain: ChainClient) -> list[int]:
    """Stores the rates of the chain that are not stored yet and can not be replaced any more.

    Returns when each of them takes effect, in s since 1970.

    Raises:
        RatesContradictError: the database and the chain hold different rates for the same time.
        NoGovernanceError: the chain has no parameters yet.
        ChainUnreachableError: the chain does not answer.
        LeaseLostError: another process leads; nothing was written.
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
    cleared, since = await repository.count_cleared_since(connection, effective_s), rfc3339_s(effective_s)
    log.info("new rates", effective_from=since, charges_mills=rates.charges_mills)
    if cleared:
        reason = (
            f"{cleared} intervals were cleared at the rates before: the chain will not open their trades, and their "
            "utility lines are off; `peerwatt-hub reconcile` lists them"
        )
        log.critical("rates came late", effective_from=since, reason=reason)


def governed_rates(params: Any, now_s: int) -> dict[int, Rates]:
    """Returns the rates of a decoded ``Params`` account that can not be replaced any more.

    They are keyed by when they take effect, in s since 1970. A decision can replace only rates that take effect after
    the time lock.
    """
    until_s = min(now_s + params.time_lock_s - CLOCKS_DIFFER_S, _LAST_SECOND)
    return {
        max(0, rate_set.effective_from_s): Rates(
            PriceMills(rate_set.wheeling_mills),
            PriceMills(rate_set.platform_mills),
            PriceMills(rate_set.loss_mills),
            PriceMills(rate_set.export_tariff_mills),
            PriceMills(rate_set.import_tariff_mills),
        )
        for rate_set in params.rate_sets
        if rate_set.effective_from_s < until_s
    }


def _check(stored: Mapping[int, Rates], governed: Mapping[int, Rates]) -> None:
    """Compares stored rates with the chain's, from the first that the chain still holds."""
    for effective_s, ours in stored.items():
        theirs = _in_force(governed, effective_s)
        if theirs is not None and theirs != ours:
            raise RatesContradictError(
                f"From {rfc3339_s(effective_s)} on `rates` holds {_text(ours)}, governance {_text(theirs)}: "
                "nothing is cleared until they agree. When no interval since then was cleared, delete that row of "
                "`rates`; otherwise keep both sides and report it"
            )


def _in_force(rates: Mapping[int, Rates], at_s: int) -> Rates | None:
    in_effect = [effective_s for effective_s in rates if effective_s <= at_s]
    return rates[max(in_effect)] if in_effect else None


def _text(rates: Rates) -> str:
    return (
        f"{rates.wheeling_mills}/{rates.platform_mills}/{rates.loss_mills} mills of charges, "
        f"{rates.export_tariff_mills}/{rates.import_tariff_mills} of tariffs"
    )
