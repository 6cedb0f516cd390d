"""Publishes the journal of a cleared interval."""

from hub.market import repository
from hub.market.published_journal import journal_bytes
from hub.postgres.db import Connection


async def published_journal(connection: Connection, start_s: int) -> bytes:
    """Returns the journal of a cleared interval, encoded; the settlement commits to its SHA-256.

    Raises:
        PermanentError: the interval was not cleared.
        ConfigError: no rates are stored for the interval.
    """
    price = await repository.clearing_price(connection, start_s)
    rates = await repository.rates_at(connection, start_s)
    orders, trades = await repository.orders(connection, start_s), await repository.trades(connection, start_s)
    return journal_bytes(start_s, orders, trades, price, rates.charges_mills)
