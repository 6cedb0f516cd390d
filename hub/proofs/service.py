"""Builds the ladder of a reading's proof: record in frame, signature, meter in interval, line in settlement, chain.

It returns the stored bytes unchanged and computes every path from the stored leaves. Whoever reads the proof checks it:
a leaf that was changed in the database leads to another root than the one on the chain.
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
from hub.http.rows import Row, show
from hub.metering.endpoints import flagged_rules
from hub.metering.schemas import Reading
from hub.postgres.db import Connection
from hub.proofs import queries
from hub.proofs.schemas import ChainRung, IntervalRung, LineRung, ProofRevision, ProofTransaction, ReadingProof
from hub.settlement.lines import Line, line_leaf


async def build(
    connection: Connection, reading: Reading, row: Row, interval_start: datetime | None, revision: int | None = None
) -> ReadingProof:
    """Builds the proof of a reading, with the rungs that exist so far.

    ``row`` is the reading's row, with its position in its frame. ``interval_start`` chooses between the two intervals
    of a reading at a boundary, ``revision`` between the interval's revisions.

    Raises:
        NotFoundError: the frame is no longer stored.
    """
    stored = await queries.frame(connection, row["gateway_id"], row["boot_id"], row["frame_sequence"])
    if stored is None:
        raise NotFoundError("The frame of this reading is no longer stored")
    frame = Frame(stored["header"], stored["signature"], stored["body"])
    index = row["record_index"]
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
        connection, reading.meter_id, row["reading_id"], reading.slot_at, interval_start, revision
    )
    if interval is None:
        return proof
    rung, owner = await _interval_rung(connection, interval, reading.meter_id)
    line = await _line_rung(connection, interval["start_at"], owner)
    chain = await _chain_rung(connection, rung, line)
    revisions = [_revision(rung, one) for one in await queries.revisions(connection, rung.start_at, rung.meter_id)]
    return proof.model_copy(update={"interval": rung, "revisions": revisions, "line": line, "chain": chain})


async def _interval_rung(connection: Connection, interval: Row, meter_id: str) -> tuple[IntervalRung, object]:
    """Returns the rung and the id of the meter's owner in the interval."""
    start_at, end_at, revision = interval["start_at"], interval["end_at"], interval["revision"]
    rows = await queries.interval_leaves(connection, start_at, revision)
    times = to_s(start_at), to_s(end_at)
    leaves = [
        interval_leaf(*times, row["meter_id"], row["import_wh"], row["export_wh"], row["quality"], row["blinding"])
        for row in rows
    ]
    index = next(position for position, row in enumerate(rows) if row["meter_id"] == meter_id)
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


def _revision(interval: IntervalRung, row: Row) -> ProofRevision:
    final = row["final_at"] is not None
    return show(
        ProofRevision,
        row,
        rules=flagged_rules(row["rules"]),
        interval_account=str(pdas.interval(to_s(interval.start_at), row["revision"])),
        chain_state="final" if final else "waiting" if row["refusal"] is None else "refused",
        traded=row["revision"] == 1,
    )


async def _line_rung(connection: Connection, start_at: datetime, owner: object) -> LineRung | None:
    rows = await queries.settlement_lines(connection, start_at)
    row = next((line for line in rows if line["participant_id"] == owner), None)
    if row is None:
        return None
    leaves = [line_leaf(to_s(start_at), line["line_index"], _line(line)) for line in rows]
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
    return [digest.hex() for digest in hashes]
