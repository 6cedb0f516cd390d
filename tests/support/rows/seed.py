"""Seeds a small campus: three participants, one gateway with signed frames, one interval that is settled.

The interval is attested, cleared, settled and reconciled; all figures were computed by hand.

Anna exports 1000 Wh and imports 100, Ben imports 500, Cleo 800. Residuals: ask 900 at 2200; bids 500 and 800 at
4250 - 130 = 4120. Supply is short: 900 Wh change hands at 4120, shared pro rata, Ben 346 and Cleo 554.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import get_args
from uuid import UUID

from nacl.signing import SigningKey
from solders.keypair import Keypair

from edge.wire import merkle
from edge.wire.frames import Frame, seal
from edge.wire.ladder import interval_leaf
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import MeterDeclared, Reading, encode_record
from hub.accounts import service
from hub.accounts.schemas import Role
from hub.clock import at_ms, at_s
from hub.postgres.db import Connection
from hub.settlement.lines import Line, line_leaf
from hub.units import Micros, Wh

INTERVAL_S = 900
START_S = 1_780_306_200
"""2026-06-01T09:30:00Z, the start of the settled interval."""
END_S = START_S + INTERVAL_S
NOW_S = END_S + INTERVAL_S + 90
"""10:01:30Z: a minute and a half after the start of the running interval."""
PASSWORD = "sunny campus 2026"

PRICE, CHARGES = 4120, (100, 25, 5)
EXPORT_TARIFF, IMPORT_TARIFF = 2200, 5000
ANNA, BEN, CLEO = (UUID(int=n) for n in (0xA1, 0xB2, 0xC3))
NOBODY = UUID(int=0xDD)
"""A participant without meter, trade and wallet."""
METERS = {"METER_001": ANNA, "METER_002": BEN, "METER_003": CLEO}
IMPORT_EXPORT = {"METER_001": (100, 1000), "METER_002": (500, 0), "METER_003": (800, 0)}
POWER_W = {"METER_001": -900, "METER_002": 600, "METER_003": 720}
SOLD_BOUGHT = {ANNA: (900, 0), BEN: (0, 346), CLEO: (0, 554)}
UTILITY_WH = {ANNA: 0, BEN: -154, CLEO: -246}
CREDIT_DEBIT = {ANNA: (3_708_000, 0), BEN: (0, 1_470_500), CLEO: (0, 2_354_500)}
SAVED = {ANNA: 1_728_000, BEN: 259_500, CLEO: 415_500}
"""Anna: 900 x (4120 - 2200); Ben and Cleo: bought x (5000 - 4250)."""
LINES = (BEN, CLEO, ANNA)
"""Payers first, then by participant."""
GATEWAY = "gw-north"
BOOT = bytes(range(16))
SLOTS_S = (START_S, END_S, END_S + INTERVAL_S, END_S + INTERVAL_S + 60)
KINDS = ("attest", "mint", "open", "settle", "close")


@dataclass
class Campus:
    """The keys and ids of what was seeded, for tests to compare with."""

    gateway_key: SigningKey
    wallets: dict[UUID, str]
    frames: list[Frame] = field(default_factory=list)
    readings: dict[tuple[str, int], bytes] = field(default_factory=dict)
    """reading_id by (meter id, slot_s)."""
    trades: dict[UUID, bytes] = field(default_factory=dict)
    """trade_id by buyer."""
    interval_root: bytes = b""
    lines_root: bytes = b""


def stand_in(text: str) -> bytes:
    """Returns 32 bytes that stand in for a key, hash or id."""
    return sha256(text.encode()).digest()


async def seed_campus(connection: Connection) -> Campus:
    """Inserts everything but the users."""
    campus = Campus(
        SigningKey(stand_in("gateway key")),
        {participant: str(Keypair.from_seed(stand_in(f"wallet {participant}")).pubkey()) for participant in LINES},
    )
    async with connection.transaction():
        await _insert_participants_and_meters(connection, campus)
        await _insert_frames(connection, campus)
        await _insert_attestation(connection, campus)
        await _insert_market(connection, campus)
        await _insert_settlement(connection, campus)
    return campus


async def seed_users(connection: Connection) -> None:
    """Creates a user for every role: anna, ben, cleo, operator, auditor, facilities, rec @campus.example."""
    users: list[tuple[str, Role, UUID | None]] = [
        ("anna", "participant", ANNA), ("ben", "participant", BEN), ("cleo", "participant", CLEO),
        *((role.partition("_")[0], role, None) for role in get_args(Role) if role not in {"participant", "device"}),
    ]  # fmt: skip
    for name, role, participant in users:
        await service.create_user(
            connection, f"{name}@campus.example", name.title(), PASSWORD, role, participant_id=participant
        )


async def _insert_participants_and_meters(connection: Connection, campus: Campus) -> None:
    for participant, name in ((ANNA, "Anna"), (BEN, "Ben"), (CLEO, "Cleo"), (NOBODY, "Nobody")):
        await service.create_participant(
            connection, name, wallet=campus.wallets.get(participant), participant_id=participant
        )
    await connection.execute("INSERT INTO gateways (gateway_id, building) VALUES ($1, 'North')", GATEWAY)
    public = bytes(campus.gateway_key.verify_key)
    await connection.execute(
        "INSERT INTO gateway_keys (gateway_id, key_id, public_key, nats_public_key, status, valid_from) "
        "VALUES ($1, $2, $3, 'UNATS', 'active', $4)",
        GATEWAY, sha256(public).digest()[:8], public, at_s(START_S - 3600),
    )  # fmt: skip
    for meter, owner in METERS.items():
        await connection.execute(
            "INSERT INTO meters (meter_id, gateway_id, participant_id, kind, rated_power_w, serial, building, "
            "expected_from) "
            "VALUES ($1, $2, $3, $4, 10000, $5, 'North', $6)",
            meter, GATEWAY, owner, "bidirectional" if owner == ANNA else "load", f"S-{meter}", at_s(START_S),
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO rates VALUES ($1, $2, $3, $4, $5, $6)",
        at_s(START_S - 86_400), *CHARGES, EXPORT_TARIFF, IMPORT_TARIFF,
    )  # fmt: skip


async def _insert_frames(connection: Connection, campus: Campus) -> None:
    declarations = [
        encode_record(MeterDeclared(index, meter, f"S-{meter}", "sdm630", stand_in("profile"), START_S - 1))
        for index, meter in enumerate(METERS)
    ]
    await _insert_frame(connection, campus, declarations, START_S - 1)
    for number, slot_s in enumerate(SLOTS_S):
        readings = [_reading(index, meter, number, slot_s) for index, meter in enumerate(METERS)]
        frame = await _insert_frame(connection, campus, [encode_record(reading) for reading in readings], slot_s)
        for index, (meter, reading) in enumerate(zip(METERS, readings, strict=True)):
            campus.readings[meter, slot_s] = frame.leaves[index]
            await connection.execute(
                "INSERT INTO readings (reading_id, meter_id, gateway_id, boot_id, frame_sequence, record_index, "
                "meter_sequence, slot_at, read_at, time_quality, meter_state, flags, import_wh, export_wh, "
                "active_power_w) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'S', 'G', 0, $10, $11, $12)",
                frame.leaves[index], meter, GATEWAY, BOOT, frame.header.sequence, index, number, at_s(slot_s),
                at_ms(slot_s * 1000 + 40), reading.import_wh, reading.export_wh, POWER_W[meter],
            )  # fmt: skip


def _reading(index: int, meter: str, number: int, slot_s: int) -> Reading:
    """Returns a reading whose registers grow by the interval's energy, and by a fifteenth in the minute after it."""
    imported, exported = IMPORT_EXPORT[meter]
    grown = [number * step if number < 3 else 2 * step + step // 15 for step in (imported, exported)]
    power = ((ACTIVE_POWER, POWER_W[meter], 0),)
    return Reading(index, number, slot_s, 40, "S", "G", 0, 50_000 + grown[0], 20_000 + grown[1], power)


async def _insert_frame(connection: Connection, campus: Campus, records: list[bytes], sealed_s: int) -> Frame:
    previous = campus.frames[-1].header_hash if campus.frames else bytes(32)
    frame = seal(
        signing_key=campus.gateway_key, records=records, gateway_id=GATEWAY, boot_id=BOOT,
        sequence=len(campus.frames) + 1, previous_hash=previous, sealed_at_ms=sealed_s * 1000 + 500,
    )  # fmt: skip
    campus.frames.append(frame)
    sealed_at = at_ms(sealed_s * 1000 + 500)
    await connection.execute(
        "INSERT INTO frames (gateway_id, boot_id, sequence, header_hash, previous_hash, key_id, header, "
        "signature, body, "
        "record_count, sealed_at, received_at, verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$11, $11, $11)",
        GATEWAY, BOOT, frame.header.sequence, frame.header_hash, previous, frame.header.key_id, frame.header_bytes,
        frame.signature, frame.body, len(records), sealed_at,
    )  # fmt: skip
    return frame


async def _insert_attestation(connection: Connection, campus: Campus) -> None:
    reached = [at_s(END_S + seconds) for seconds in (5, 6, 7, 12, 20)]
    await connection.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at, cleared_at, planned_at, closed_at, "
        "reconciled_at) "
        "VALUES ($1, $2, 'reconciled', $3, $4, $5, $6, $7)",
        at_s(START_S), at_s(END_S), *reached,
    )  # fmt: skip
    leaves = [interval_leaf(START_S, END_S, meter, *IMPORT_EXPORT[meter], "valid", blinding(meter)) for meter in METERS]
    campus.interval_root = merkle.root(leaves)
    await connection.execute(
        "INSERT INTO attestations VALUES ($1, 1, $2, 3, 0, 1400, 1000, $3)",
        at_s(START_S),
        campus.interval_root,
        reached[0],
    )
    for index, (meter, owner) in enumerate(METERS.items()):
        await connection.execute(
            "INSERT INTO interval_readings VALUES ($1, 1, $2, $3, $4, $5, $6, 'valid', '{}', $7, $8, $9)",
            at_s(START_S), meter, owner, index, *IMPORT_EXPORT[meter], campus.readings[meter, START_S],
            campus.readings[meter, END_S], blinding(meter),
        )  # fmt: skip


def blinding(meter: str) -> bytes:
    """Returns a meter's blinding, which the oracle would have drawn at random."""
    return sha256(f"blinding of {meter}".encode()).digest()[:16]


async def _insert_market(connection: Connection, campus: Campus) -> None:
    orders = {ANNA: ("ask", 900, EXPORT_TARIFF), BEN: ("bid", 500, PRICE), CLEO: ("bid", 800, PRICE)}
    for participant, (side, wh, limit) in orders.items():
        await connection.execute(
            "INSERT INTO orders (order_id, start_at, participant_id, kind, side, sequence, wh, limit_mills, filled_wh) "
            "VALUES ($1, $2, $3, 'residual', $4, 0, $5, $6, $7)",
            stand_in(f"order {participant}"), at_s(START_S), participant, side, wh, limit,
            sum(SOLD_BOUGHT[participant]),
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO clearings VALUES ($1, $2, 900, $2, $2, $3, $4)",
        at_s(START_S), PRICE, stand_in("journal"), at_s(END_S + 6),
    )  # fmt: skip
    for index, buyer in enumerate((BEN, CLEO)):
        campus.trades[buyer] = stand_in(f"trade {buyer}")
        await connection.execute(
            "INSERT INTO trades (trade_id, start_at, kind, seller_id, buyer_id, ask_order_id, bid_order_id, "
            "fill_index, wh, "
            "price_mills, traded_at) VALUES ($1, $2, 'ex_post', $3, $4, $5, $6, $7, $8, $9, $10)",
            campus.trades[buyer], at_s(START_S), ANNA, buyer, stand_in(f"order {ANNA}"), stand_in(f"order {buyer}"),
            index, SOLD_BOUGHT[buyer][1], PRICE, at_s(END_S + 6),
        )  # fmt: skip
    for participant, wh in UTILITY_WH.items():
        tariff = IMPORT_TARIFF if wh < 0 else EXPORT_TARIFF
        await connection.execute(
            "INSERT INTO utility_lines VALUES ($1, 1, $2, $3, $4, $5, 'valid')",
            at_s(START_S),
            participant,
            wh,
            tariff,
            wh * tariff,
        )


async def _insert_settlement(connection: Connection, campus: Campus) -> None:
    lines = [_line(participant) for participant in LINES]
    campus.lines_root = merkle.root([line_leaf(START_S, index, line) for index, line in enumerate(lines)])
    await connection.execute(
        "INSERT INTO settlements (start_at, lines_root, line_count, sold_wh, bought_wh, credit_micros, debit_micros, "
        "clearing_price_mills, minted_wh, wheeling_mills, platform_mills, loss_mills, planned_at) "
        "VALUES ($1, $2, 3, 900, 900, 3708000, 3825000, $3, 1000, $4, $5, $6, $7)",
        at_s(START_S), campus.lines_root, PRICE, *CHARGES, at_s(END_S + 7),
    )  # fmt: skip
    for index, line in enumerate(lines):
        await connection.execute(
            "INSERT INTO settlement_lines VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            at_s(START_S), index, line.participant_id, campus.wallets[line.participant_id], line.sold_wh,
            line.bought_wh, line.credit_micros, line.debit_micros,
        )  # fmt: skip
    for number, kind in enumerate(KINDS):
        await _insert_transaction(connection, number, kind)


def _line(participant: UUID) -> Line:
    (sold, bought), (credit, debit) = SOLD_BOUGHT[participant], CREDIT_DEBIT[participant]
    wallet = bytes(Keypair.from_seed(stand_in(f"wallet {participant}")).pubkey())
    return Line(participant, wallet, Wh(sold), Wh(bought), Micros(credit), Micros(debit))


async def _insert_transaction(connection: Connection, number: int, kind: str) -> None:
    sent = at_s(END_S + 8 + number)
    await connection.execute(
        "INSERT INTO blockchain_transactions (signature, start_at, kind, raw, last_valid_block_height, state, slot, "
        "compute_units, created_at, submitted_at, confirmed_at, finalized_at) "
        "VALUES ($1, $2, $3, '', 150, 'finalized', $4, 12000, $5, $5, $6, $7)",
        f"signature-{kind}", at_s(START_S), kind, 100 + number, sent, sent + timedelta(milliseconds=400),
        sent + timedelta(seconds=2),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO settlement_steps (start_at, kind, first_line, end_line, state, signature) "
        "VALUES ($1, $2, $3, $4, 'finalized', $5)",
        at_s(START_S), kind, 0 if kind == "settle" else None, 3 if kind == "settle" else None, f"signature-{kind}",
    )  # fmt: skip
