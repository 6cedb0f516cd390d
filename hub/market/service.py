"""What the market publishes of a cleared interval."""

from hub.market import repository
from hub.market.published_journal import journal_bytes
from hub.postgres.db import Connection


async def published_journal(connection: Connection, start_s: int) -> bytes:
    """The journal of a cleared interval from its rows; its SHA-256 is the hash that settlement commits to.

    Raises:
        PermanentError: the interval was not cleared.
    """
    price = await repository.clearing_price(connection, start_s)
    rates = await repository.rates_at(connection, start_s)
    orders, trades = await repository.orders(connection, start_s), await repository.trades(connection, start_s)
    return journal_bytes(start_s, orders, trades, price, rates.charges_mills)
