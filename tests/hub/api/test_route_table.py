"""Checks every route: which roles get in, and who gets 401, 403 or 404. A new route without a rule here fails."""

from itertools import product
from typing import get_args

import pytest
from fastapi.routing import APIRoute

from hub.accounts.schemas import Role
from hub.api.app import describe
from support.rows.seed import ANNA, BEN, CLEO, GATEWAY, NOBODY, START_S, Campus
from support.servers.api import Api, problem

ROLES: tuple[Role, ...] = get_args(Role)
HUMANS = frozenset(ROLES) - {"device"}
PUBLIC = {
    "POST /auth/login", "POST /auth/refresh", "POST /auth/logout", "GET /system/site",
    "GET /clearings/{start_at}/journal",
}  # fmt: skip
ALLOWED: dict[str, frozenset[str]] = {
    "GET /auth/me": HUMANS,
    "GET /system/totals": HUMANS,
    "GET /meters": HUMANS,
    "GET /meters/{meter_id}/readings": HUMANS,
    "GET /meters/{meter_id}/intervals": HUMANS,
    "GET /meters/{meter_id}/quality": HUMANS,
    "GET /readings/{reading_id}": HUMANS,
    "GET /readings/{reading_id}/proof": HUMANS,
    "GET /trades": HUMANS,
    "GET /trades/{trade_id}": HUMANS,
    "GET /clearings/latest": HUMANS,
    "GET /clearings/{start_at}": HUMANS,
    "GET /intervals": HUMANS,
    "GET /today": HUMANS,
    "GET /bill-lines": HUMANS,
    "GET /bill-corrections": HUMANS,
    "GET /live": HUMANS,
    "GET /chain/head": HUMANS,
    "GET /chain/programs": HUMANS,
    "GET /chain/accounts/{address}": HUMANS,
    "GET /chain/transactions": HUMANS,
    "GET /chain/transactions/{signature}": HUMANS,
    "GET /chain/blocks/{slot}": HUMANS,
    "GET /operator/quarantine": frozenset({"operator", "auditor"}),
    "GET /operator/quarantine/{quarantine_id}": frozenset({"operator", "auditor"}),
    "POST /operator/meters/{meter_id}/registers": frozenset({"operator"}),
    "POST /operator/meters/{meter_id}/decisions": frozenset({"operator"}),
    "POST /operator/gateways/{gateway_id}/accept": frozenset({"operator"}),
    "GET /operator/decisions": frozenset({"operator", "auditor"}),
    "GET /operator/alarms": frozenset({"operator", "auditor", "facilities"}),
    "GET /operator/gateways": frozenset({"operator", "auditor", "facilities"}),
    "POST /operator/gateway-keys/{gateway_id}/{key_id}/accept": frozenset({"operator"}),
    "POST /operator/gateway-keys/{gateway_id}/{key_id}/revoke": frozenset({"operator"}),
    "GET /operator/market": frozenset({"operator", "auditor"}),
}
SOMEBODYS = (
    "/meters/METER_002/readings",
    "/meters/METER_002/intervals",
    "/readings/{reading}",
    "/readings/{reading}/proof",
    "/trades/{trade}",
    f"/trades?participant_id={BEN}",
    f"/intervals?participant_id={BEN}",
    f"/bill-lines?participant_id={BEN}",
    f"/bill-corrections?participant_id={BEN}",
    f"/today?participant_id={BEN}",
)


def _routes() -> list[str]:
    document = describe().openapi()
    return sorted(
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in document["paths"].items()
        for method in operations
    )


def _filled(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    values = {
        "meter_id": "METER_001", "reading_id": "ab" * 32, "trade_id": "ab" * 32, "quarantine_id": "1",
        "start_at": "2026-06-01T09:30:00Z", "gateway_id": GATEWAY, "key_id": "ab" * 8,
        "address": "1" * 32, "signature": "1" * 64, "slot": "7",
    }  # fmt: skip
    return method, "/api/v1" + path.format(**values)


def test_every_route_has_a_rule() -> None:
    assert set(_routes()) == PUBLIC | set(ALLOWED)


def test_every_api_route_is_described() -> None:
    described = {path.removeprefix("/api/v1") for path in describe().openapi()["paths"]}
    served = {route.path for route in describe().routes if isinstance(route, APIRoute)}
    assert {path.removeprefix("/api/v1") for path in served} <= described


async def test_nobody_gets_in_without_a_token(api: Api) -> None:
    for route in ALLOWED:
        method, path = _filled(route)
        problem(await api.client.request(method, path), 401, "not_signed_in")


async def test_roles(api: Api) -> None:
    for route, role in product(sorted(set(ALLOWED) - {"GET /live"}), ROLES):
        method, path = _filled(route)
        headers = api.bearer(role, ANNA if role == "participant" else None)
        response = await api.client.request(method, path, headers=headers)
        if role in ALLOWED[route]:
            assert response.json().get("code") not in {"forbidden", "not_signed_in"}, (route, role, response.text)
            expected = (
                {503} if route.startswith("GET /chain/") else {200, 401, 404, 409, 422}
            )  # this hub's chain is away
            assert response.status_code in expected, (route, role, response.text)
        else:
            problem(response, 403, "forbidden")


@pytest.mark.parametrize("path", SOMEBODYS)
async def test_a_participant_never_sees_anothers(api: Api, campus: Campus, path: str) -> None:
    filled = path.format(reading=campus.readings["METER_002", START_S].hex(), trade=campus.trades[BEN].hex())
    other_side = CLEO if path.startswith("/trades/") else ANNA  # Anna sold to Ben: that trade is hers too

    for reader in (other_side, NOBODY, None):
        problem(await api.get(filled, api.bearer("participant", reader)), 404, "not_found")
    for role in ("facilities", "rec_validator"):
        problem(await api.get(filled, api.bearer(role)), 404, "not_found")
    for headers in (api.bearer("participant", BEN), api.bearer("operator"), api.bearer("auditor")):
        response = await api.get(filled, headers)
        assert response.status_code == 200, response.text


async def test_lists_hold_only_ones_own(api: Api) -> None:
    own = (await api.get("/meters", api.bearer("participant", BEN))).json()
    every = (await api.get("/meters", api.bearer("auditor"))).json()

    assert [meter["meter_id"] for meter in own["items"]] == ["METER_002"]
    assert len(every["items"]) == 3
    assert (await api.get("/meters", api.bearer("facilities"))).json() == {"items": []}


async def test_a_reader_without_meters_is_told_why(api: Api) -> None:
    assert "participant_id" in problem(await api.get("/trades", api.bearer("operator")), 404, "no_participant")
    assert "ask an operator" in problem(await api.get("/today", api.bearer("facilities")), 404, "no_participant")
