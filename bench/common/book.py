"""Forward trades for one interval: half of the participants sell, each to several of the others."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from hub.clock import at_s
from hub.market.orders import trade_id
from hub.postgres.db import Pool
from support.settlement.campus import INTERVAL_S

LIMITS_MILLS = {"ask": 2200, "bid": 4800}


@dataclass(frozen=True)
class Sale:
    """A trade between two participants, who are given by their numbers."""

    seller: int
    buyer: int
    wh: int
    price_mills: int


@dataclass(frozen=True)
class SalesBook:
    """The sales of an interval; every participant delivers and uses exactly what they traded."""

    people: Sequence[UUID]
    sales: tuple[Sale, ...]

    @classmethod
    def random(cls, people: Sequence[UUID], count: int, seed: int) -> "SalesBook":
        """Makes ``count`` sales from even to odd participants, with no pair twice."""
        rng, half = random.Random(seed), len(people) // 2  # noqa: S311 - random numbers of a benchmark
        sales = (
            Sale(2 * (n % half), 2 * ((n + n // half) % half) + 1, rng.randint(1, 50), rng.randint(2200, 4800))
            for n in range(count)
        )
        return cls(people, tuple(sales))

    @property
    def energy_wh(self) -> list[int]:
        """The energy by participant: exported is positive, imported negative."""
        sums: Counter[int] = Counter()
        for sale in self.sales:
            sums[sale.seller] += sale.wh
            sums[sale.buyer] -= sale.wh
        return [sums[number] for number in range(len(self.people))]

    async def insert(self, pool: Pool, start_s: int) -> None:
        """Inserts the trades, and an order of each participant that they fill."""
        orders = [self._order(start_s, number, wh) for number, wh in enumerate(self.energy_wh)]
        trades = [self._trade(start_s, number, sale) for number, sale in enumerate(self.sales)]
        async with pool.acquire() as connection:
            await connection.copy_records_to_table(
                "orders",
                columns=["order_id", "start_at", "participant_id", "kind", "side", "sequence", "wh", "limit_mills",
                         "filled_wh"],
                records=orders,
            )  # fmt: skip
            await connection.copy_records_to_table(
                "trades",
                columns=["trade_id", "start_at", "kind", "seller_id", "buyer_id", "ask_order_id", "bid_order_id",
                         "fill_index", "wh", "price_mills", "traded_at"],
                records=trades,
            )  # fmt: skip

    def _order(self, start_s: int, number: int, wh: int) -> tuple[object, ...]:
        side = "ask" if wh > 0 else "bid"
        return (
            order_id(start_s, number), at_s(start_s), self.people[number], "limit", side, number + 1, abs(wh),
            LIMITS_MILLS[side], abs(wh),
        )  # fmt: skip

    def _trade(self, start_s: int, number: int, sale: Sale) -> tuple[object, ...]:
        ask, bid = order_id(start_s, sale.seller), order_id(start_s, sale.buyer)
        sale_id = trade_id(start_s, ask, bid, number, sale.wh, sale.price_mills)
        parties = self.people[sale.seller], self.people[sale.buyer]
        traded_at = at_s(start_s - INTERVAL_S)
        return sale_id, at_s(start_s), "forward", *parties, ask, bid, number, sale.wh, sale.price_mills, traded_at


def order_id(start_s: int, number: int) -> bytes:
    """Returns the id, 32 bytes, of a participant's only order of the interval."""
    return sha256(f"bench order {start_s} {number}".encode()).digest()
