"""A campus that settles on a real ledger: participants in the database, and their wallets with money on the chain."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from solana.rpc.commitment import Confirmed, Finalized
from solders.keypair import Keypair

from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.instructions import trading
from hub.chain.instructions.governance import Rates
from hub.clock import SystemClock
from hub.market.auction.service import clear_attested
from hub.market.funds import Funds
from hub.metering.oracle import OracleConfig, attest_due
from hub.postgres.db import Pool
from hub.settlement.funds import ChainFunds
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import BATCH_LINES, plan_cleared
from hub.settlement.submitter import Submitter
from support.rows.site_rows import ALWAYS, KnownFunds, add_meter, add_participant, add_rates, add_readings, lead
from support.waiting import eventually

INTERVAL_S = 2
RATES = Rates(0, 100, 25, 5, 2200, 5000)
"""Wheeling, platform, loss, export and import tariff in mills per kWh, from the beginning on."""
ENERGY = (600, 400, -300, -500, -700)
"""Wh of five participants in an interval, of whom each sells (positive) or buys."""
FUNDS_MICROS = 10_000_000_000
RATED_POWER_W = 1_000_000_000
"""High enough for whole kilowatt hours in an interval of two seconds."""


@dataclass
class SettlingCampus:
    """A campus in which ``people[i]`` owns meter i; the energy of each is given with every interval."""

    pool: Pool
    chain: ChainClient
    keys: Bootstrap
    people: Sequence[UUID]
    mandates_from_s: int = 0
    batch_lines: int = BATCH_LINES

    @classmethod
    async def create(cls, pool: Pool, chain: ChainClient, keys: Bootstrap, count: int) -> "SettlingCampus":
        """Sets up the chain and the rows; every participant has a wallet, an account, money and a mandate."""
        campus = cls(pool, chain, keys, [cls.person(number) for number in range(count)])
        await cls.found(chain, keys, count)
        campus.mandates_from_s = await campus.later_clock()
        await campus.finalized()
        await add_rates(pool)
        for number, person in enumerate(campus.people):
            await add_participant(pool, person)
            await add_meter(
                pool, meter_of(number), person, expected_from_s=campus.mandates_from_s, rated_power_w=RATED_POWER_W
            )
        return campus

    @classmethod
    async def found(cls, chain: ChainClient, keys: Bootstrap, count: int) -> None:
        """Sets up on the chain what is not there yet: the programs' accounts, and ``count`` participants with money."""
        await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=INTERVAL_S)
        await setup.ensure_traders(chain, keys, [trader_of(wallet_of(cls.person(number))) for number in range(count)])

    async def finalized(self) -> None:
        """Waits until the chain has finalised what it has confirmed, so that sums read one after the other agree."""
        confirmed = (await self.chain.call(self.chain.rpc.get_slot(Confirmed))).value

        async def reached() -> bool:
            return bool((await self.chain.call(self.chain.rpc.get_slot(Finalized))).value >= confirmed)

        await eventually(reached, what="the founding to be final")

    @staticmethod
    def person(number: int) -> UUID:
        return UUID(int=number + 1)

    async def interval(self, energy_wh: Sequence[int]) -> int:
        """Lets an interval pass in which meter i exported (> 0) or imported (< 0) ``energy_wh[i]``, and plans it.

        Returns its start.
        """
        start_s = await self.pass_interval(energy_wh)
        await self._wait_on_chain(start_s + INTERVAL_S)
        await self.clear()
        await self.plan()
        return start_s

    async def pass_interval(self, energy_wh: Sequence[int]) -> int:
        """As `interval`, but adds only the readings."""
        last = await self.pool.fetchval("SELECT extract(epoch FROM max(start_at))::bigint FROM intervals")
        first = max(self.mandates_from_s, int(time.time()) if last is None else last)
        start_s = first // INTERVAL_S * INTERVAL_S + INTERVAL_S
        if last is None:
            await self.pool.execute("UPDATE meters SET expected_from = to_timestamp($1)", start_s)
        for number, wh in enumerate(energy_wh):
            await self._add_readings(meter_of(number), start_s, wh)
        await self._wait_until(start_s + INTERVAL_S)
        return start_s

    async def late_interval(self, energy_wh: Sequence[int], ago_s: int) -> int:
        """As `interval` for the first one, which ended about ``ago_s`` ago: as if the hub had been down since."""
        start_s = (int(time.time()) - ago_s) // INTERVAL_S * INTERVAL_S
        await self.pool.execute("UPDATE meters SET expected_from = to_timestamp($1)", start_s)
        for number, wh in enumerate(energy_wh):
            await self._add_readings(meter_of(number), start_s, wh)
        await self.clear(KnownFunds())
        await self.plan()
        return start_s

    async def clear(self, funds: Funds | None = None) -> None:
        """Attests and clears the interval that has passed."""
        lease, clock = await lead(self.pool), SystemClock()
        await attest_due(self.pool, lease, clock, OracleConfig(INTERVAL_S, INTERVAL_S, 0, coverage=ALWAYS), limit=1)
        await clear_attested(self.pool, lease, clock, funds or ChainFunds(self.chain))

    async def plan(self) -> None:
        """Plans the cleared intervals."""
        await plan_cleared(self.pool, await lead(self.pool), SystemClock(), batch_lines=self.batch_lines)

    async def _add_readings(self, meter_id: str, start_s: int, wh: int) -> None:
        query = "SELECT import_wh, export_wh FROM readings WHERE meter_id = $1 ORDER BY slot_at DESC LIMIT 1"
        row = await self.pool.fetchrow(query, meter_id)
        imported, exported = (0, 0) if row is None else row
        rows = [(start_s + INTERVAL_S, imported + max(-wh, 0), exported + max(wh, 0))]
        if row is None:
            rows.insert(0, (start_s, imported, exported))
        await add_readings(self.pool, meter_id, rows, period_s=1)

    async def _wait_until(self, moment_s: int) -> None:
        await asyncio.sleep(max(0.0, moment_s + 0.1 - time.time()))

    async def _wait_on_chain(self, moment_s: int) -> None:
        """Waits until that moment by the chain's clock, which may be behind."""

        async def is_reached() -> bool:
            return await self.chain_time() >= moment_s

        await eventually(is_reached, what="the chain's clock")

    async def later_clock(self) -> int:
        """Returns the time by this machine's clock or the chain's, whichever is ahead, in s since 1970."""
        return max(int(time.time()), await self.chain_time())

    async def chain_time(self) -> int:
        """Returns the time that programs see, in s since 1970."""
        time_s = None
        while time_s is None:
            time_s = await self.chain.block_time_s(await self.chain.slot())
        return time_s

    async def submitter(self, holder: str = "test") -> Submitter:
        """Returns a submitter that leads."""
        keys = SettlementKeys(self.keys.fee_payer, self.keys.attestors, self.keys.settler)
        lease = await lead(self.pool, holder)
        return Submitter(self.pool, lease, SystemClock(), self.chain, keys, self.keys.mint)


def wallet_of(person: UUID) -> Keypair:
    """Returns the key pair of ``site_rows.wallet``."""
    return Keypair.from_seed(sha256(person.bytes).digest())


def meter_of(number: int) -> str:
    return f"METER_{number:05}"


def trader_of(wallet: Keypair, expiry_s: int | None = None) -> setup.Trader:
    """Returns a trader with this wallet and a mandate that allows half of their money, by default for a day."""
    mandate = trading.Mandate(
        expiry_s=expiry_s or int(time.time()) + 86_400,
        max_price_mills=5000,
        min_price_mills=2200,
        max_wh=100_000,
        horizon_s=0,
        max_debit_micros=FUNDS_MICROS // 2,
        max_day_debit_micros=FUNDS_MICROS,
        reserve_micros=FUNDS_MICROS // 2,
        nonce=1,
    )
    return setup.Trader(wallet, FUNDS_MICROS, FUNDS_MICROS, mandate)
