"""Adds revisions to the interval of support.rows.seed, as corrections write them."""

from edge.wire import merkle
from edge.wire.ladder import interval_leaf
from hub.clock import at_s
from hub.market.corrections import write_utility_lines
from hub.postgres.db import Connection
from support.rows.seed import BOOT, END_S, START_S, blinding


async def add_revision(
    connection: Connection,
    revision: int,
    meter_id: str,
    import_wh: int,
    *,
    made_s: int = END_S + 600,
    final_s: int | None = None,
    refusal: str | None = None,
) -> bytes:
    """Adds the next revision, in which a meter has another import by a late reading; returns its root.

    Times in s since 1970; ``final_s`` is when the chain held it.
    """
    rows = await connection.fetch(
        "SELECT * FROM interval_readings WHERE start_at = $1 AND revision = $2 ORDER BY leaf_index",
        at_s(START_S),
        revision - 1,
    )
    energy = {row["meter_id"]: (row["import_wh"], row["export_wh"]) for row in rows}
    energy[meter_id] = import_wh, energy[meter_id][1]
    root = merkle.root(
        [interval_leaf(START_S, END_S, meter, *wh, "valid", blinding(meter)) for meter, wh in energy.items()]
    )
    await connection.execute(
        "INSERT INTO attestations (start_at, revision, merkle_root, meters_valid, meters_estimated, import_wh, "
        "export_wh, attested_at, final_at, refusal) VALUES ($1, $2, $3, 3, 0, $4, 1000, $5, $6, $7)",
        at_s(START_S), revision, root, sum(wh for wh, _ in energy.values()), at_s(made_s),
        None if final_s is None else at_s(final_s), refusal,
    )  # fmt: skip
    for row in rows:
        meter, rules = row["meter_id"], row["rules"]
        await connection.execute(
            "INSERT INTO interval_readings VALUES ($1, $2, $3, $4, $5, $6, $7, 'valid', $8, $9, $10, $11)",
            at_s(START_S), revision, meter, row["participant_id"], row["leaf_index"], *energy[meter],
            ["gap"] if meter == meter_id else rules, row["start_reading_id"], row["end_reading_id"], row["blinding"],
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO correction_causes VALUES ($1, $2, $3, 0, 'late_readings', $4, 0, 1, $1, $5, 2)",
        at_s(START_S), revision, meter_id, BOOT, at_s(END_S),
    )  # fmt: skip
    await write_utility_lines(connection, START_S, revision)
    return root
