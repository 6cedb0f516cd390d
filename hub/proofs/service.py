"""The ladder of a reading's proof: record in frame, frame signed, meter in interval, line in settlement, chain.

The stored bytes go out as they are. Every path is made here from the stored leaves and checked by whoever reads it: a
leaf that was changed in the database leads to another root than the one on the chain.
"""

from collections.abc import Sequence
from datetime import datetime

from solders.pubkey import Pubkey

from edge.wire import merkle
from edge.wire.frames import Frame
from edge.wire.ladder import interval_leaf
from hub.chain import pdas
from hub.clock import to_s
from hub.http.problems import NotFoundError
from hub.http.rows import Row
from hub.metering.schemas import Reading
from hub.postgres.db import Connection
from hub.proofs import queries
from hub.proofs.schemas import ChainRung, IntervalRung, LineRung, ProofTransaction, ReadingProof
from hub.settlement.lines import Line, line_leaf


async def build(connection: Connection, reading: Reading, place: Row, interval_start: datetime | None) -> ReadingProof:
    """The ladder as far as the reading has climbed; ``interval_start`` chooses between the two that share a boundary.

    Raises:
        NotFoundError: the frame is no longer stored.
    """
    stored = await queries.frame(connection, place["gateway_id"], place["boot_id"], place["frame_sequence"])
    if stored is None:
        raise NotFoundError("The frame of this reading is no longer stored")
    frame = Frame(stored["header"], stored["signature"], stored["body"])
    index = place["record_index"]
    proof = ReadingProof(
        reading_id=reading.reading_id,
        gateway_id=reading.gateway_id,
        key_id=stored["key_id"].hex(),
        public_key=stored["public_key"].hex(),
        header=frame.header_bytes.hex(),
        header_hash=frame.header_hash.hex(),
        signature=frame.signature.hex(),
        record=frame.records[index].hex(),
        index=index,
        count=len(frame.leaves),
        path=_hex(merkle.path(frame.leaves, index)),
        reading=reading,
    )
    interval = await queries.interval_of_reading(
        connection, reading.meter_id, place["reading_id"], reading.slot_at, interval_start
    )
    if interval is None:
        return proof
    rung, owner = await _interval_rung(connection, interval, reading.meter_id)
    line = await _line_rung(connection, interval["start_at"], owner)
    chain = await _chain_rung(connection, rung, line)
    return proof.model_copy(update={"interval": rung, "line": line, "chain": chain})


async def _interval_rung(connection: Connection, interval: Row, meter_id: str) -> tuple[IntervalRung, object]:
    start_at, end_at, revision = interval["start_at"], interval["end_at"], interval["revision"]
    rows = await queries.interval_leaves(connection, start_at, revision)
    times = to_s(start_at), to_s(end_at)
    leaves = [
        interval_leaf(*times, row["meter_id"], row["import_wh"], row["export_wh"], row["quality"], row["blinding"])
        for row in rows
    ]
    index = next(at for at, row in enumerate(rows) if row["meter_id"] == meter_id)
    row = rows[index]
    rung = IntervalRung(
        start_at=start_at,
        end_at=end_at,
        revision=revision,
        merkle_root=interval["merkle_root"].hex(),
        leaf=leaves[index].hex(),
        meter_id=meter_id,
        import_wh=row["import_wh"],
        export_wh=row["export_wh"],
        quality=row["quality"],
        blinding=row["blinding"].hex(),
        index=index,
        count=len(leaves),
        path=_hex(merkle.path(leaves, index)),
    )
    return rung, row["participant_id"]


async def _line_rung(connection: Connection, start_at: datetime, owner: object) -> LineRung | None:
    rows = await queries.settlement_lines(connection, start_at)
    row = next((row for row in rows if row["participant_id"] == owner), None)
    if row is None:
        return None
    leaves = [line_leaf(to_s(start_at), one["line_index"], _line(one)) for one in rows]
    return LineRung(
        start_at=start_at,
        index=row["line_index"],
        count=row["line_count"],
        wallet=row["wallet"],
        sold_wh=row["sold_wh"],
        bought_wh=row["bought_wh"],
        credit_micros=row["credit_micros"],
        debit_micros=row["debit_micros"],
        leaf=leaves[row["line_index"]].hex(),
        path=_hex(merkle.path(leaves, row["line_index"])),
        root=row["lines_root"].hex(),
    )


def _line(row: Row) -> Line:
    return Line(
        participant_id=row["participant_id"],
        wallet=bytes(Pubkey.from_string(row["wallet"])),
        sold_wh=row["sold_wh"],
        bought_wh=row["bought_wh"],
        credit_micros=row["credit_micros"],
        debit_micros=row["debit_micros"],
    )


async def _chain_rung(connection: Connection, interval: IntervalRung, line: LineRung | None) -> ChainRung:
    start_s = to_s(interval.start_at)
    rows = await queries.interval_transactions(connection, interval.start_at, None if line is None else line.index)
    return ChainRung(
        interval_account=str(pdas.interval(start_s, interval.revision)),
        settlement_account=None if line is None else str(pdas.settlement(start_s)),
        transactions=[ProofTransaction(**dict(row)) for row in rows],
    )


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]
