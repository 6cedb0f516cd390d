"""What operators look at and act on: quarantine, gateways, keys that wait for an accept."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from hub.accounts.access import ACCESS_ERRORS, require
from hub.accounts.tokens import Principal
from hub.clock import at_ms
from hub.http import cursors
from hub.http.context import Ctx, Snapshot, Transaction
from hub.http.types import Cursor, Limit
from hub.operator import queries
from hub.operator.schemas import Gateway, GatewayKey, Gateways, QuarantineDetail, QuarantineEntry, QuarantinePage
from hub.problems import MALFORMED, ApiError, BadCursorError, NotFoundError, refusals

router = APIRouter(prefix="/operator", tags=["operator"], responses={**refusals(*ACCESS_ERRORS), **MALFORMED})
Looks = Annotated[Principal, Depends(require("operator", "auditor"))]
LooksAtDevices = Annotated[Principal, Depends(require("operator", "auditor", "facilities"))]
Acts = Annotated[Principal, Depends(require("operator"))]
GatewayId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class KeyNotPendingError(ApiError):
    """Only a key that waits can be accepted."""

    status, title, code = 409, "Key does not wait", "key_not_pending"


@router.get(
    "/quarantine",
    operation_id="listQuarantine",
    summary="Messages that were refused, newest first",
    responses=refusals(BadCursorError),
)
async def quarantine(_: Looks, connection: Snapshot, limit: Limit = 50, cursor: Cursor = None) -> QuarantinePage:
    """Each with its reason; the bytes are in the detail."""
    before = None if cursor is None else cursors.decode("quarantine", cursor, queries.QUARANTINE_KEY)[0]
    rows = await queries.quarantine(connection, before, limit + 1)
    token = cursors.encode("quarantine", rows[limit - 1]["quarantine_id"]) if len(rows) > limit else None
    return QuarantinePage(items=[QuarantineEntry(**queries.shown(row)) for row in rows[:limit]], next_cursor=token)


@router.get(
    "/quarantine/{quarantine_id}",
    operation_id="getQuarantined",
    summary="A refused message with its bytes",
    responses=refusals(NotFoundError),
)
async def quarantined(
    _: Looks, connection: Snapshot, quarantine_id: Annotated[int, Path(ge=1, lt=2**63)]
) -> QuarantineDetail:
    """At most 64 KiB of the bytes, in hex."""
    row = await queries.quarantined(connection, quarantine_id)
    if row is None:
        raise NotFoundError(f"There is no quarantine entry {quarantine_id}")
    return QuarantineDetail(**queries.shown(row), truncated=row["payload_bytes"] > queries.PAYLOAD_SHOWN)


@router.get("/gateways", operation_id="listGateways", summary="The fleet: gateways, keys, signs of life")
async def gateways(_: LooksAtDevices, connection: Snapshot) -> Gateways:
    """At most a thousand gateways, by name."""
    keys = await queries.gateway_keys(connection)
    return Gateways(
        items=[
            Gateway(
                **dict(row),
                keys=[GatewayKey(**queries.shown(key)) for key in keys if key["gateway_id"] == row["gateway_id"]],
            )
            for row in await queries.gateways(connection)
        ]
    )


@router.post(
    "/gateway-keys/{gateway_id}/{key_id}/accept",
    operation_id="acceptGatewayKey",
    summary="Let a new key sign for a gateway that already has one",
    responses=refusals(NotFoundError, KeyNotPendingError),
)
async def accept_key(
    ctx: Ctx, principal: Acts, connection: Transaction, gateway_id: GatewayId, key_id: KeyId
) -> GatewayKey:
    """The waiting key becomes active; the keys before it stay valid for what they signed and sign no more."""
    key = bytes.fromhex(key_id)
    row = await queries.gateway_key(connection, gateway_id, key)
    if row is None:
        raise NotFoundError(f"Gateway {gateway_id} has no key {key_id}")
    if row["status"] != "pending":
        raise KeyNotPendingError(f"Key {key_id} of {gateway_id} is {row['status']}: only a waiting key can be accepted")
    accepted = await queries.accept_key(connection, gateway_id, key, at_ms(ctx.clock.now_ms()), principal.user_id)
    return GatewayKey(**queries.shown(accepted))
