"""`peerwatt-hub trace READING_ID`: the hops of one reading, from the meter's register to the bill, with their times."""

import argparse
import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.clock import at_ms, to_ms
from hub.errors import PermanentError
from hub.operations import repository
from hub.postgres import db
from hub.settings import Settings, add_config_argument, add_json_argument, load_settings


class UnknownReadingError(PermanentError):
    """Nobody stored a reading of this name."""

    code = "reading_unknown"


@dataclass(frozen=True)
class Hop:
    """One step of the path; ``at`` is None when it has not happened yet."""

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
        rows = [{**vars(hop), "at": hop.at.isoformat() if hop.at else None} for hop in hops]
        print(json.dumps({"reading_id": reading_id.hex(), "hops": rows}))
        return
    print(f"reading {reading_id.hex()}")
    for hop in hops:
        time = hop.at.strftime("%H:%M:%S.%f")[:-3] if hop.at else "not yet"
        print(f"{hop.number:>3}  {time:>12}  {hop.name:<10} {hop.detail:<58} {hop.file}")


async def trace(settings: Settings, prefix: str) -> tuple[bytes, list[Hop]]:
    """Finds the reading by its id or the beginning of it and lists its hops in order."""
    if not re.fullmatch(r"[0-9a-f]{6,64}", prefix):
        raise UnknownReadingError(f"{prefix!r} is not a reading's id: 64 hex digits, or at least the first 6")
    async with db.connected(settings.database_url.get_secret_value()) as connection:
        await db.check_schema(connection)
        found = await repository.find(connection, prefix)
        if len(found) != 1:
            what = "no reading" if not found else "more than one reading"
            raise UnknownReadingError(f"There is {what} whose id begins with {prefix}: look it up under Meters")
        way = await repository.way_of(connection, found[0])
    if way is None:
        raise UnknownReadingError(f"The reading {prefix} has just been removed")
    return found[0], list(hops_of(way, settings.truth_file))


def hops_of(way: repository.Way, truth_file: Path | None) -> Iterator[Hop]:
    """The hops of a reading as the rows of the database tell them."""
    r = way.reading
    registers = f"import {r['import_wh']} Wh, export {r['export_wh']} Wh"
    frame = f"frame {r['sequence']} of boot {r['boot_id'].hex()[:8]}"
    yield Hop(0, "served", "firmware-sim/firmware_sim", _served_at(r, truth_file), f"{r['meter_id']}: {registers}")
    slot = f"by {r['gateway_id']}, for the slot {r['slot_at']:%H:%M:%S}"
    yield Hop(1, "read", "edge/meters, edge/poller.py", r["read_at"], slot)
    yield Hop(3, "sealed", "edge/store/ledger.py", r["sealed_at"], frame)
    yield Hop(4, "published", "edge/uplink/uplink.py", r["published_at"], f"pw.frame.{r['gateway_id']}")
    yield Hop(5, "received", "hub/ingest/consumer.py", r["received_at"], frame)
    yield Hop(6, "verified", "hub/ingest/verify.py", r["verified_at"], "signature and Merkle root hold")
    yield Hop(7, "stored", "hub/ingest/repository.py", r["stored_at"], "row, then receipt")
    yield from _interval_hops(way)


def _interval_hops(way: repository.Way) -> Iterator[Hop]:
    i = way.interval
    get = (lambda key: i[key]) if i is not None else (lambda _: None)
    name = f"interval {get('start_at'):%H:%M:%S}" if i is not None else ""
    price = "nothing traded" if get("price_mills") is None else f"price {get('price_mills')} mills/kWh"
    yield Hop(8, "attested", "hub/metering/oracle.py", get("attested_at"), name)
    yield Hop(9, "cleared", "hub/market/auction/clearing.py", get("cleared_at"), price if get("cleared_at") else "")
    lines = get("line_count")
    yield Hop(10, "planned", "hub/settlement/plan.py", get("planned_at"), "" if lines is None else f"{lines} lines")
    last = way.transactions[-1] if way.transactions else None
    detail = "" if last is None else f"{len(way.transactions)} transactions, the last in slot {last['slot']}"
    yield Hop(11, "finalised", "programs/trading", None if last is None else last["finalized_at"], detail)
    yield Hop(12, "reconciled", "hub/settlement/reconcile.py", get("reconciled_at"), "database and chain agree"
              if get("reconciled_at") else "")  # fmt: skip
    yield Hop(13, "shown", "hub/live/endpoints.py", way.shown_at, "in the live stream" if way.shown_at else "")


def _served_at(reading: db.Record, truth_file: Path | None) -> datetime | None:
    """When the simulator served these registers: its last answer, or the time in its publication, up to the reading."""
    if truth_file is None or not truth_file.is_file():
        return None
    read_ms, found = to_ms(reading["read_at"]), None
    wanted = (reading["meter_id"], reading["import_wh"], reading["export_wh"])
    with truth_file.open() as lines:
        for line in lines:
            if not line.endswith("\n") or reading["meter_id"] not in line:
                continue
            entry = json.loads(line)
            at_ms_served = entry.get("payload_ms") or entry["t_ms"]
            served = (entry["meter"], entry["import_wh"], entry["export_wh"] or 0)
            if served == wanted and at_ms_served <= read_ms:
                found = at_ms_served
    return None if found is None else at_ms(found)
