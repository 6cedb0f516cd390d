"""The money of a correction: trades stand, and what the utility owes or is owed follows the corrected energy."""

from hub.market import repository
from hub.market.auction.residuals import positions
from hub.market.utility import utility_lines
from hub.postgres.db import Connection


async def write_utility_lines(connection: Connection, start_s: int, revision: int) -> None:
    """Writes every participant's utility line of a revision in the caller's transaction, in place of those it had.

    Raises:
        ConfigError: no rates are stored for the interval.
    """
    rows = await repository.metered_energy(connection, start_s, revision)
    rates = await repository.rates_at(connection, start_s)
    traded = positions(await repository.trades(connection, start_s), rates.charges_mills)
    lines = utility_lines([row.metered for row in rows], traded, rates)
    qualities = {row.metered.participant_id: row.quality for row in rows}
    await repository.replace_utility_lines(connection, start_s, revision, lines, qualities)


async def rewrite_corrections(connection: Connection, start_s: int) -> None:
    """Writes the utility lines of every later revision again, after the trades of revision 1 were released.

    Raises:
        ConfigError: no rates are stored for the interval.
    """
    for revision in await repository.corrected_revisions(connection, start_s):
        await write_utility_lines(connection, start_s, revision)
