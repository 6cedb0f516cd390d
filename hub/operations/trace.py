"""`peerwatt-hub trace READING_ID`: the hops of one reading, from the meter's register to the bill, with their times."""

import argparse
import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from hub.clock import at_ms, to_ms
from hub.errors import PermanentError
from hub.operations import repository
from hub.postgres import db
from hub.settings import Settings, add_config_argument, add_json_argument, load_settings

WHY = {
    "late_readings": "late readings",
    "counter_event": "a counter event",
    "entered_registers": "registers that a person entered",
    "energy_decision": "an operator's decision",
}


class UnknownReadingError(PermanentError):
    """No stored reading has this id."""

    code = "reading_unknown"


@dataclass(frozen=True)
class Hop:
    """One step of a reading's path; ``at`` is None when it has not happened yet."""

    number: int
    name: str
    file: str
    at: datetime | None
    detail: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reading_id", help="the reading's id in hex, or its first digits (at least 6)")
    add_json_argument(parser)
    add_config_argument(parser)


def run(args: argparse.Namespace) -> None:
    settings = load_settings(args.config)
    reading_id, hops = asyncio.run(trace(settings, args.reading_id.lower()))
    if args.json:
        hop_rows = [{**vars(hop), "at": hop.at.isoformat() if hop.at else None} for hop in hops]
        print(json.dumps({"reading_id": reading_id.hex(), "hops": hop_rows}))
        return
    print(f"reading {reading_id.hex()}")
    day = next((hop.at.date() for hop in hops if hop.at), None)
    for hop in hops:
        print(f"{hop.number:>3}  {_time(hop.at, day):>12}  {hop.name:<10} {hop.detail:<58} {hop.file}")


def _time(at: datetime | None, day: date | None) -> str:
    """Returns the time of day in UTC, to the millisecond; on another day than the first hop's, day and minute."""
    if at is None:
        return "not yet"
    return at.strftime("%H:%M:%S.%f")[:-3] if at.date() == day else at.strftime("%d %b %H:%M")


async def trace(settings: Settings, prefix: str) -> tuple[bytes, list[Hop]]:
    """Finds a reading by its id in hex or the first digits of it; returns the id and the hops in order.

    Raises:
        UnknownReadingError: no reading, or more than one, has an id that begins so.
    """
    if not re.fullmatch(r"[0-9a-f]{6,64}", prefix):
        raise UnknownReadingError(f"{prefix!r} is not a reading's id: 64 hex digits, or at least the first 6")
    async with db.connected(settings.database_url.get_secret_value()) as connection:
        await db.check_schema(connection)
        reading_ids = await repository.find_readings(connection, prefix)
        if len(reading_ids) != 1:
            number = "no reading" if not reading_ids else "more than one reading"
            raise UnknownReadingError(
                f"There is {number} whose id begins with {prefix}: GET /api/v1/meters/METER/readings lists them"
            )
        rows = await repository.trace_of(connection, reading_ids[0])
    if rows is None:
        raise UnknownReadingError(f"The reading {prefix} has just been removed")
    return reading_ids[0], list(hops_of(rows, settings.truth_file))


def hops_of(rows: repository.ReadingTrace, truth_file: Path | None) -> Iterator[Hop]:
    """Yields the hops of a reading, made from its rows."""
    reading = rows.reading
    registers = f"import {reading['import_wh']} Wh, export {reading['export_wh']} Wh"
    frame = f"frame {reading['sequence']} of boot {reading['boot_id'].hex()[:8]}"
    served_at = _served_at(reading, truth_file)
    yield Hop(0, "served", "firmware-sim/firmware_sim", served_at, f"{reading['meter_id']}: {registers}")
    slot = f"by {reading['gateway_id']}, for the slot {reading['slot_at']:%H:%M:%S}"
    yield Hop(1, "read", "edge/meters, edge/poller.py", reading["read_at"], slot)
    yield Hop(3, "sealed", "edge/store/ledger.py", reading["sealed_at"], frame)
    yield Hop(4, "published", "edge/uplink/uplink.py", reading["published_at"], f"pw.frame.{reading['gateway_id']}")
    yield Hop(5, "received", "hub/ingest/consumer.py", reading["received_at"], frame)
    yield Hop(6, "verified", "hub/ingest/verify.py", reading["verified_at"], "signature and Merkle root hold")
    yield Hop(7, "stored", "hub/ingest/repository.py", reading["stored_at"], "row, then receipt")
    yield from _interval_hops(rows)


def _interval_hops(rows: repository.ReadingTrace) -> Iterator[Hop]:
    interval = rows.interval
    get = (lambda key: interval[key]) if interval is not None else (lambda _: None)
    name = f"interval {get('start_at'):%H:%M:%S}" if interval is not None else ""
    price = "nothing traded" if get("price_mills") is None else f"price {get('price_mills')} mills/kWh"
    first, later = rows.revisions[:1], rows.revisions[1:]
    attested = ", ".join([name, *(_revision(revision) for revision in first)])
    yield Hop(8, "attested", "hub/metering/oracle.py", get("attested_at"), attested)
    yield Hop(9, "cleared", "hub/market/auction/clearing.py", get("cleared_at"), price if get("cleared_at") else "")
    lines = get("line_count")
    yield Hop(10, "planned", "hub/settlement/plan.py", get("planned_at"), "" if lines is None else f"{lines} lines")
    last = rows.transactions[-1] if rows.transactions else None
    detail = "" if last is None else f"{len(rows.transactions)} transactions, the last in slot {last['slot']}"
    yield Hop(11, "finalised", "programs/trading", None if last is None else last["finalized_at"], detail)
    yield Hop(12, "reconciled", "hub/settlement/reconcile.py", get("reconciled_at"), "database and chain agree"
              if get("reconciled_at") else "")  # fmt: skip
    yield Hop(13, "shown", "hub/live/endpoints.py", rows.shown_at, "in the live stream" if rows.shown_at else "")
    for revision in later:
        made_at, why = revision["attested_at"], " and ".join(WHY[cause] for cause in dict.fromkeys(revision["causes"]))
        detail = f"{_revision(revision)}, because of {why}" if why else _revision(revision)
        yield Hop(14, "corrected", "hub/metering/corrections", made_at, detail)


def _revision(row: db.Record) -> str:
    """Returns in words what a revision says of the reading's meter, where it stands and what follows it."""
    if row["quality"] is None:
        return f"revision {row['revision']} without this meter"
    energy = f"import {row['import_wh']} Wh, export {row['export_wh']} Wh, {row['quality']}"
    rules = f" ({', '.join(row['rules'])})" if row["rules"] else ""
    chain = (
        "on the chain" if row["final_at"] else f"refused: {row['refusal']}" if row["refusal"] else "not on the chain"
    )
    uses = [use for use, holds in (("trades", row["revision"] == 1), ("the bill", row["billed"])) if holds]
    return f"revision {row['revision']}: {energy}{rules}, {chain}" + (f", for {' and '.join(uses)}" if uses else "")


def _served_at(reading: db.Record, truth_file: Path | None) -> datetime | None:
    """Returns when the simulator last served these registers before they were read; None when it is not known."""
    if truth_file is None or not truth_file.is_file():
        return None
    read_ms, served_ms = to_ms(reading["read_at"]), None
    registers = (reading["meter_id"], reading["import_wh"], reading["export_wh"])
    with truth_file.open() as lines:
        for line in lines:
            if not line.endswith("\n") or reading["meter_id"] not in line:
                continue
            entry = json.loads(line)
            entry_ms = entry.get("payload_ms") or entry["t_ms"]
            served_registers = (entry["meter"], entry["import_wh"], entry["export_wh"] or 0)
            if served_registers == registers and entry_ms <= read_ms:
                served_ms = entry_ms
    return None if served_ms is None else at_ms(served_ms)
