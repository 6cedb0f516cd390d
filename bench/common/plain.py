"""The plain parts: what a figure's work would cost without the system around it, on the same machine in the same run.

A ratio to them says what the system adds, and moves less from machine to machine than a time does.
"""

import time
from collections.abc import Sequence

from bench.common.load import Load
from edge.wire.frames import decode_frame, verify_signature
from edge.wire.kinds import Reading
from edge.wire.records import decode_record
from hub.clock import at_ms
from hub.market.orders import Order, Side
from hub.postgres.db import Pool

BATCH = 64
"""Frames in a commit."""


async def store_plainly(pool: Pool, load: Load, frames: int) -> float:
    """Decodes and verifies frames in this process and copies them into tables without indexes; returns the seconds.

    No stream, no receipt, no meter looked up, nothing checked twice: signature, records, COPY, commit.
    """
    await pool.execute("CREATE TABLE plain_frames (gateway_id text, sequence bigint, frame bytea)")
    await pool.execute(
        "CREATE TABLE plain_readings (reading_id bytea, meter_index int, slot_at timestamptz, read_at timestamptz, "
        "import_wh bigint, export_wh bigint, quantities text)"
    )
    keys = {gateway.gateway_id: bytes(gateway.key.verify_key) for gateway in load.gateways}
    sent = load.frames[:frames]
    began = time.perf_counter()
    for first in range(0, len(sent), BATCH):
        frame_rows, reading_rows = [], []
        for _, sequence, _, data in sent[first : first + BATCH]:
            frame = decode_frame(data)
            verify_signature(frame, keys[frame.header.gateway_id])
            frame_rows.append((frame.header.gateway_id, sequence, data))
            for leaf, body in zip(frame.leaves, frame.records, strict=True):
                reading = decode_record(body)
                assert isinstance(reading, Reading)
                slot_ms = reading.slot_s * 1000
                reading_rows.append(
                    (leaf, reading.meter_index, at_ms(slot_ms), at_ms(slot_ms + reading.read_offset_ms),
                     reading.import_wh, reading.export_wh, str(reading.quantities))
                )  # fmt: skip
        async with pool.acquire() as connection, connection.transaction():
            await connection.copy_records_to_table("plain_frames", records=frame_rows)
            await connection.copy_records_to_table("plain_readings", records=reading_rows)
    return time.perf_counter() - began


def sort_plainly(orders: Sequence[Order]) -> None:
    """Sorts both sides of a book by price, which no auction can do without."""
    sorted((order for order in orders if order.side is Side.ASK), key=lambda order: order.limit_mills)
    sorted((order for order in orders if order.side is Side.BID), key=lambda order: -order.limit_mills)
