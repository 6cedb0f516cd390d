"""The SQL of an interval's steps and of their transactions."""

from dataclasses import dataclass

from hub.clock import at_ms, at_s
from hub.metering.repository import advance
from hub.postgres.db import Connection


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of an interval and its newest transaction."""

    start_s: int
    kind: str
    batch: int
    first_line: int | None
    end_line: int | None
    state: str
    signature: str | None
    last_valid_block_height: int | None


async def steps(connection: Connection, start_s: int) -> list[StepRow]:
    """Returns the interval's steps in the order in which they must be carried out."""
    rows = await connection.fetch(
        """
        SELECT s.kind, s.batch, s.first_line, s.end_line, s.state, s.signature, t.last_valid_block_height
        FROM settlement_steps s LEFT JOIN blockchain_transactions t USING (signature)
        WHERE s.start_at = $1
        ORDER BY array_position(ARRAY['attest', 'mint', 'open', 'settle', 'close'], s.kind), s.batch
        """,
        at_s(start_s),
    )
    return [StepRow(start_s, *row.values()) for row in rows]


async def record_signed(
    connection: Connection, step: StepRow, signature: str, raw: bytes, last_valid_block_height: int, now_ms: int
) -> None:
    """Stores a signed transaction before it is sent; the same instruction and blockhash give the same signature."""
    await connection.execute(
        """
        INSERT INTO blockchain_transactions
            (signature, start_at, kind, batch, raw, last_valid_block_height, state, submitted_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'submitted', $7)
        ON CONFLICT (signature) DO UPDATE SET state = 'submitted', error = NULL
        """,
        signature, at_s(step.start_s), step.kind, step.batch, raw, last_valid_block_height, at_ms(now_ms),
    )  # fmt: skip
    await _set_step(connection, step, "submitted", signature, now_ms)
    await advance(connection, step.start_s, "settling", now_ms)


async def raw_transaction(connection: Connection, signature: str) -> bytes:
    """Returns the stored bytes of a signed transaction."""
    return bytes(await connection.fetchval("SELECT raw FROM blockchain_transactions WHERE signature = $1", signature))


async def record_confirmed(connection: Connection, step: StepRow, slot: int, now_ms: int) -> None:
    """Records that the step's transaction is in a block that is not final yet."""
    await connection.execute(
        """
        UPDATE blockchain_transactions SET state = 'confirmed', slot = $2, confirmed_at = coalesce(confirmed_at, $3)
        WHERE signature = $1 AND state = 'submitted'
        """,
        step.signature, slot, at_ms(now_ms),
    )  # fmt: skip
    await _set_step(connection, step, "confirmed", step.signature, now_ms)


async def record_finalized(connection: Connection, step: StepRow, slot: int, units: int | None, now_ms: int) -> None:
    """Records that the step's transaction is final; ``units`` are the compute units that it used."""
    await connection.execute(
        """
        UPDATE blockchain_transactions
        SET state = 'finalized', slot = $2, compute_units = coalesce($3, compute_units),
            confirmed_at = coalesce(confirmed_at, $4), finalized_at = $4
        WHERE signature = $1
        """,
        step.signature, slot, units, at_ms(now_ms),
    )  # fmt: skip
    await _set_step(connection, step, "finalized", step.signature, now_ms)


async def record_done_elsewhere(connection: Connection, step: StepRow, now_ms: int) -> None:
    """Records that the chain holds a planned step's effect, by a transaction that the database may not know."""
    await _set_step(connection, step, "finalized", None, now_ms)


async def record_unconfirmed(connection: Connection, step: StepRow, now_ms: int) -> None:
    """Records that the block with the step's transaction was abandoned; the transaction may still land in another."""
    await connection.execute(
        "UPDATE blockchain_transactions SET state = 'submitted' WHERE signature = $1 AND state = 'confirmed'",
        step.signature,
    )
    await _set_step(connection, step, "submitted", step.signature, now_ms)


async def record_void(connection: Connection, step: StepRow, state: str, error: str | None, now_ms: int) -> None:
    """Records that the step's transaction will never count (`expired` or `failed`); the step is planned again."""
    await connection.execute(
        "UPDATE blockchain_transactions SET state = $2, error = $3 WHERE signature = $1", step.signature, state, error
    )
    await _set_step(connection, step, "planned", None, now_ms)


async def _set_step(connection: Connection, step: StepRow, state: str, signature: str | None, now_ms: int) -> None:
    await connection.execute(
        """
        UPDATE settlement_steps SET state = $4, signature = $5, updated_at = $6
        WHERE start_at = $1 AND kind = $2 AND batch = $3
        """,
        at_s(step.start_s), step.kind, step.batch, state, signature, at_ms(now_ms),
    )  # fmt: skip
