"""Endpoints for operators: quarantine, gateways and their keys, a halted market."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from hub.accounts.access import ACCESS_ERRORS, require
from hub.accounts.repository import log_activity
from hub.accounts.tokens import Principal
from hub.clock import at_ms, to_ms
from hub.devices import service
from hub.devices.errors import KeyNotFoundError, KeyRevokedError
from hub.devices.schemas import AcceptedKey, RevokedKey
from hub.http import cursors
from hub.http.context import Ctx, Snapshot, Transaction
from hub.http.problems import MALFORMED, BadCursorError, NotFoundError, refusals
from hub.http.rows import Row, show
from hub.http.types import Cursor, GatewayId, Limit, MeterId
from hub.market.queries import open_halts
from hub.metering.corrections import service as corrections
from hub.metering.corrections.repository import EnteredRegisters
from hub.metering.queries import flagged_meters, meter_owner
from hub.metering.rules import RULES, Effect, Rule
from hub.metering.rules.feeder import ZONE_RULES
from hub.operator import queries
from hub.operator.schemas import (
    Alarm,
    Alarms,
    ClockDoubt,
    EnteredRegistersAnswer,
    Gateway,
    GatewayKey,
    Gateways,
    GatewayTrouble,
    MarketHalt,
    MarketState,
    QuarantineDetail,
    QuarantineEntry,
    QuarantinePage,
    RegistersEntry,
)

ALARMS_REACH = timedelta(days=7)
ALARMS = {rule.id: rule for rule in (*RULES, *ZONE_RULES) if rule.mend}
"""The rules that somebody can do something about."""
REGISTERS: dict[str, list[str]] = {"unseen_event": ["registers"]}
HUB_WAS_BEHIND = (
    "The hub's clock was behind: set it by a time server, then accept the readings "
    "(POST /operator/gateways/{gateway_id}/accept)."
)
GATEWAY_WAS_AHEAD = (
    "Check that the gateway reaches a time server. If it was the hub's clock that was wrong, accept the readings "
    "(POST /operator/gateways/{gateway_id}/accept)."
)
router = APIRouter(prefix="/operator", tags=["operator"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})
OperatorReader = Annotated[Principal, Depends(require("operator", "auditor"))]
DeviceReader = Annotated[Principal, Depends(require("operator", "auditor", "facilities"))]
Operator = Annotated[Principal, Depends(require("operator"))]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get(
    "/quarantine",
    operation_id="listQuarantine",
    summary="Messages that were refused, newest first",
    responses=refusals(BadCursorError),
)
async def quarantine(
    _: OperatorReader, connection: Snapshot, limit: Limit = 50, cursor: Cursor = None
) -> QuarantinePage:
    """Returns refused messages with their reasons; a message's bytes are in its detail."""
    before = None if cursor is None else cursors.decode("quarantine", cursor, queries.QUARANTINE_KEY)[0]
    rows = await queries.quarantine(connection, before, limit + 1)
    token = cursors.encode("quarantine", rows[limit - 1]["quarantine_id"]) if len(rows) > limit else None
    return QuarantinePage(items=[show(QuarantineEntry, row) for row in rows[:limit]], next_cursor=token)


@router.get(
    "/quarantine/{quarantine_id}",
    operation_id="getQuarantined",
    summary="A refused message with its bytes",
    responses=refusals(NotFoundError),
)
async def quarantined(
    _: OperatorReader, connection: Snapshot, quarantine_id: Annotated[int, Path(ge=1, lt=2**63)]
) -> QuarantineDetail:
    """Returns one refused message with at most 64 KiB of its bytes, in hex."""
    row = await queries.quarantined(connection, quarantine_id)
    if row is None:
        raise NotFoundError(f"There is no quarantine entry {quarantine_id}")
    return show(QuarantineDetail, row, truncated=row["payload_bytes"] > queries.MAX_PAYLOAD_BYTES)


@router.get("/gateways", operation_id="listGateways", summary="The fleet: gateways, keys, signs of life")
async def gateways(_: DeviceReader, connection: Snapshot) -> Gateways:
    """Returns at most a thousand gateways, by name."""
    keys: dict[str, list[GatewayKey]] = {}
    for row in await queries.gateway_keys(connection):
        keys.setdefault(row["gateway_id"], []).append(show(GatewayKey, row))
    rows = await queries.gateways(connection)
    return Gateways(items=[show(Gateway, row, keys=keys.get(row["gateway_id"], [])) for row in rows])


@router.post(
    "/gateway-keys/{gateway_id}/{key_id}/accept",
    operation_id="acceptGatewayKey",
    summary="Let a new key sign for a gateway that already has one",
    responses=refusals(KeyNotFoundError, KeyRevokedError),
)
async def accept_key(
    ctx: Ctx, principal: Operator, connection: Transaction, gateway_id: GatewayId, key_id: KeyId
) -> AcceptedKey:
    """Activates a pending key; the key before it is retired: frames that it signed before stay valid."""
    accepted = await service.accept_key(connection, gateway_id, bytes.fromhex(key_id), ctx.clock)
    await log_activity(
        connection, principal.user_id, "gateway_key_accepted", at_ms(ctx.clock.now_ms()),
        {"gateway_id": gateway_id, "key_id": key_id},
    )  # fmt: skip
    return accepted


@router.post(
    "/gateway-keys/{gateway_id}/{key_id}/revoke",
    operation_id="revokeGatewayKey",
    summary="Reject a waiting key, or revoke one that signs",
    responses=refusals(KeyNotFoundError),
)
async def revoke_key(
    ctx: Ctx, principal: Operator, connection: Transaction, gateway_id: GatewayId, key_id: KeyId
) -> RevokedKey:
    """Revokes a key for ever: no frame that it signed is stored any more, whenever it was sealed; stored ones stay."""
    revoked = await service.revoke_key(connection, gateway_id, bytes.fromhex(key_id), ctx.clock)
    await log_activity(
        connection, principal.user_id, "gateway_key_revoked", at_ms(ctx.clock.now_ms()),
        {"gateway_id": gateway_id, "key_id": key_id},
    )  # fmt: skip
    return revoked


@router.get(
    "/alarms", operation_id="listAlarms", summary="Meters whose energy somebody should look at, and what mends it"
)
async def alarms(ctx: Ctx, _: DeviceReader, connection: Snapshot) -> Alarms:
    """Returns what rules flagged in the intervals of the last seven days, readings whose time the hub doubted when they
    came, and what gateways say of their meters now.

    Where somebody has decided about an interval, it is no alarm any more.
    """
    since = at_ms(ctx.clock.now_ms()) - ALARMS_REACH
    flagged = await flagged_meters(connection, list(ALARMS), since)
    items = [_alarm(row) for row in flagged]
    troubles = [show(GatewayTrouble, row) for row in await queries.troubles(connection)]
    clocks = [_clock_doubt(row) for row in await queries.clock_doubts(connection, since)]
    return Alarms(items=items, troubles=troubles, clock_doubts=clocks)


def _alarm(row: Row) -> Alarm:
    rule, decisions = ALARMS[row["rule"]], list[str]()
    if rule.effect is not Effect.NOTE:
        can_accept = row["doubted"] or (isinstance(rule, Rule) and rule.acceptable)
        decisions = [*(["accept"] if can_accept else []), "replace", *REGISTERS.get(rule.id, [])]
    return show(Alarm, row, says=rule.says, mend=rule.mend, decisions=decisions)


def _clock_doubt(row: Row) -> ClockDoubt:
    """Tells the hub's clock from the gateway's as the oracle does: by whether half of the gateways agree."""
    hub_clock = row["gateways_ahead"] > 1 and 2 * row["gateways_ahead"] >= row["gateways"]
    return show(ClockDoubt, row, hub_clock=hub_clock, mend=HUB_WAS_BEHIND if hub_clock else GATEWAY_WAS_AHEAD)


@router.post(
    "/meters/{meter_id}/registers",
    operation_id="enterRegisters",
    summary="Enter a meter's registers before and after a change that no gateway saw",
    responses=refusals(NotFoundError),
)
async def enter_registers(
    ctx: Ctx, principal: Operator, connection: Transaction, meter_id: MeterId, entry: RegistersEntry
) -> EnteredRegistersAnswer:
    """Takes the registers with the reason; the intervals around the change are computed again within minutes."""
    if await meter_owner(connection, meter_id) is None:
        raise NotFoundError(f"There is no meter {meter_id}")
    registers = EnteredRegisters(
        entry.import_before_wh, entry.import_after_wh, entry.export_before_wh, entry.export_after_wh, entry.reason
    )
    changed_ms = to_ms(entry.changed_at)
    entry_id, marked = await corrections.enter_registers(
        connection, meter_id, changed_ms, registers, principal.user_id, ctx.clock
    )
    await log_activity(
        connection, principal.user_id, "registers_entered", at_ms(ctx.clock.now_ms()),
        {"meter_id": meter_id, "entry_id": entry_id},
    )  # fmt: skip
    return EnteredRegistersAnswer(entry_id=entry_id, intervals_marked=marked)


@router.get("/market", operation_id="getMarketState", summary="Whether the market clears, and what halted it")
async def market(_: OperatorReader, connection: Snapshot) -> MarketState:
    """Returns the halted intervals: their clearing broke a rule of the market, and nothing of them is stored."""
    halts = [show(MarketHalt, row) for row in await open_halts(connection)]
    return MarketState(halted=bool(halts), halts=halts)
