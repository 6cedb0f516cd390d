"""What operators see of refused messages and of gateways, and the accept of a waiting key."""

from hashlib import sha256
from uuid import UUID

import pytest

from edge.wire import keys
from hub.clock import SystemClock, at_s
from hub.http.types import utc_text
from hub.ingest.service import Incoming, store_batch
from hub.market.auction import repository
from hub.postgres.db import Pool
from support.rows.gateways import SealingGateway, reading
from support.rows.seed import GATEWAY, NOW_S, START_S
from support.servers.api import Api, problem

BAD_KEY = "ab" * 8


async def _quarantine(pool: Pool, count: int, size: int = 10) -> None:
    for number in range(count):
        payload = bytes([number]) * size
        await pool.execute(
            "INSERT INTO quarantine (subject, gateway_id, code, detail, payload, payload_hash) "
            "VALUES ('pw.frame.gw-north', $1, 'bad_signature', 'one bit is wrong', $2, $3)",
            GATEWAY, payload, sha256(payload).digest(),
        )  # fmt: skip


async def test_quarantine_is_listed_in_pages_and_opens_to_the_bytes(api: Api, pool: Pool) -> None:
    await _quarantine(pool, 3)
    operator = api.bearer("operator")
    first = (await api.get("/operator/quarantine", operator, limit=2)).json()
    rest = (await api.get("/operator/quarantine", operator, limit=2, cursor=first["next_cursor"])).json()

    entries = first["items"] + rest["items"]
    assert [entry["quarantine_id"] for entry in entries] == [3, 2, 1]
    assert {(entry["code"], entry["gateway_id"], entry["payload_bytes"]) for entry in entries} == {
        ("bad_signature", GATEWAY, 10)
    }
    detail = (await api.get("/operator/quarantine/3", operator)).json()
    assert (detail["payload"], detail["truncated"]) == ("02" * 10, False)


async def test_a_large_payload_is_cut(api: Api, pool: Pool) -> None:
    await _quarantine(pool, 1, size=70_000)
    detail = (await api.get("/operator/quarantine/1", api.bearer("auditor"))).json()

    assert (detail["payload_bytes"], len(detail["payload"]), detail["truncated"]) == (70_000, 2 * 65_536, True)


async def test_an_entry_that_is_not_there(api: Api) -> None:
    problem(await api.get("/operator/quarantine/99", api.bearer("operator")), 404, "not_found")


async def test_gateways_with_keys(api: Api) -> None:
    [gateway] = (await api.get("/operator/gateways", api.bearer("facilities"))).json()["items"]

    assert (gateway["gateway_id"], gateway["meters"]) == (GATEWAY, 3)
    assert [key["status"] for key in gateway["keys"]] == ["active"]
    assert gateway["last_frame_at"] is not None


@pytest.mark.parametrize("status", ["pending", "active", "retired"])
async def test_a_revoked_key_signs_nothing_any_more(api: Api, pool: Pool, status: str) -> None:
    gateway = SealingGateway("gw-west", meters=())
    await gateway.register(pool, status=status)
    key_id = keys.key_id(bytes(gateway.key.verify_key)).hex()
    path = f"/api/v1/operator/gateway-keys/gw-west/{key_id}/revoke"
    user_id = await _operator(pool)
    for _ in range(2):
        response = await api.client.post(path, headers=api.bearer("operator", user_id=user_id))
        assert response.json() == {"gateway_id": "gw-west", "key_id": key_id, "status": "revoked"}
    assert await pool.fetchval("SELECT kind FROM user_activities WHERE user_id = $1", user_id) == "gateway_key_revoked"

    message = Incoming("pw.frame.gw-west", gateway.seal([reading(0, 1)]).encode(), 0, 0)
    assert (await store_batch(pool, SystemClock(), [message])).refused == {0}
    assert await pool.fetchval("SELECT code FROM quarantine") == "key_not_active"
    accept = await api.client.post(path.replace("revoke", "accept"), headers=api.bearer("operator"))
    problem(accept, 409, "key_revoked")


async def test_a_halted_market_is_shown_until_its_interval_is_cleared(api: Api, pool: Pool) -> None:
    operator = api.bearer("operator")
    assert (await api.get("/operator/market", operator)).json() == {"halted": False, "halts": []}
    start_s, at_ms = START_S, NOW_S * 1000
    async with pool.acquire() as connection:
        await repository.record_halt(connection, start_s, "12 of 11 micros", at_ms)
        await repository.record_halt(connection, start_s, "13 of 11 micros", at_ms + 60_000)
    shown = (await api.get("/operator/market", operator)).json()
    (halt,) = shown["halts"]
    assert shown["halted"] and halt["reason"] == "13 of 11 micros"
    assert halt["halted_at"] == utc_text(at_s(NOW_S)), "since the first time"
    async with pool.acquire() as connection:
        await repository.end_halt(connection, start_s, at_ms)
    assert not (await api.get("/operator/market", operator)).json()["halted"]


async def _operator(pool: Pool) -> UUID:
    user_id: UUID = await pool.fetchval(
        "INSERT INTO users (user_id, email, display_name, role) "
        "VALUES (gen_random_uuid(), 'op@x.example', 'Op', 'operator') RETURNING user_id"
    )
    return user_id


async def test_accepting_a_key_retires_the_one_before(api: Api, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO gateway_keys (gateway_id, key_id, public_key, nats_public_key, status) "
        "VALUES ($1, $2, $3, 'U', 'pending')",
        GATEWAY, bytes.fromhex(BAD_KEY), bytes(32),
    )  # fmt: skip
    path = f"/api/v1/operator/gateway-keys/{GATEWAY}/{BAD_KEY}/accept"
    user_id = await _operator(pool)
    response = await api.client.post(path, headers=api.bearer("operator", user_id=user_id))

    assert response.status_code == 200, response.text
    rows = await pool.fetch("SELECT status FROM gateway_keys ORDER BY key_id = $1", bytes.fromhex(BAD_KEY))
    assert [row["status"] for row in rows] == ["retired", "active"]
    assert await pool.fetchval("SELECT kind FROM user_activities WHERE user_id = $1", user_id) == "gateway_key_accepted"


async def test_an_unknown_key(api: Api) -> None:
    path = f"/api/v1/operator/gateway-keys/{GATEWAY}/{BAD_KEY}/accept"

    problem(await api.client.post(path, headers=api.bearer("operator")), 404, "key_not_found")


async def test_alarms_say_what_to_do(api: Api, pool: Pool) -> None:
    """What a rule flagged in the newest revision, with the mend; a remark that nobody can act on is no alarm."""
    starts = [row["start_at"] for row in await pool.fetch("SELECT start_at FROM intervals ORDER BY start_at")]
    await pool.execute("UPDATE interval_readings SET rules = '{gap,frozen}' WHERE meter_id = 'METER_002'")
    await pool.execute(
        "UPDATE gateways SET last_beat_at = $1, last_beat = $2 WHERE gateway_id = $3",
        at_s(NOW_S), {"troubles": {"METER_003": "This answers like an EM340"}}, GATEWAY,
    )  # fmt: skip
    for role in ("operator", "auditor", "facilities"):
        alarms = (await api.get("/operator/alarms", api.bearer(role))).json()
        [alarm] = alarms["items"]
        assert (alarm["meter_id"], alarm["gateway_id"], alarm["rule"]) == ("METER_002", GATEWAY, "frozen")
        assert alarm["says"] == "The registers stand still while power flows."
        assert alarm["mend"] == "Check the meter: restart it or replace it."
        assert (alarm["first_start_at"], alarm["last_start_at"]) == (utc_text(starts[0]), utc_text(starts[-1]))
        assert alarm["intervals"] == len(starts)
        assert alarms["troubles"] == [
            {"gateway_id": GATEWAY, "meter_id": "METER_003", "says": "This answers like an EM340",
             "last_beat_at": utc_text(at_s(NOW_S))},
        ]  # fmt: skip


ENTRY = {
    "changed_at": utc_text(at_s(START_S + 450)), "import_before_wh": 50_090, "import_after_wh": 7,
    "export_before_wh": 22_010, "export_after_wh": 3, "reason": "Swapped in the cellar, photo 17",
}  # fmt: skip


async def test_registers_that_a_person_entered_mark_the_intervals_around_them(api: Api, pool: Pool) -> None:
    user_id = await _operator(pool)
    path, operator = "/api/v1/operator/meters/METER_001/registers", api.bearer("operator", user_id=user_id)
    answer = (await api.client.post(path, headers=operator, json=ENTRY)).json()
    row = await pool.fetchrow("SELECT * FROM entered_registers")
    assert row is not None and row["entry_id"] == answer["entry_id"]
    assert {name: row[name] for name in ENTRY if name != "changed_at"} | {
        "changed_at": utc_text(row["changed_at"])
    } == ENTRY
    marks = await pool.fetch("SELECT meter_id, start_at FROM interval_marks ORDER BY start_at")
    assert len(marks) == answer["intervals_marked"] > 0
    assert {mark["meter_id"] for mark in marks} == {"METER_001"}
    assert at_s(START_S) in [mark["start_at"] for mark in marks]


@pytest.mark.parametrize("change", [{"import_after_wh": -1}, {"reason": "x"}, {"changed_at": "2026-06-01T10:00:00"}])
async def test_an_entry_that_says_too_little_is_refused(api: Api, pool: Pool, change: dict[str, object]) -> None:
    operator, path = api.bearer("operator", user_id=await _operator(pool)), "/api/v1/operator/meters/METER_{}/registers"
    refused = await api.client.post(path.format("001"), headers=operator, json=ENTRY | change)
    problem(refused, 422, "invalid_request")
    problem(await api.client.post(path.format("999"), headers=operator, json=ENTRY), 404, "not_found")
    assert await pool.fetchval("SELECT count(*) FROM entered_registers") == 0
