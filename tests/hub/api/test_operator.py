"""What operators see of refused messages and of gateways, and the accept of a waiting key."""

from hashlib import sha256

from hub.db import Pool
from support.api import Api, problem
from support.seed import GATEWAY

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


async def test_accepting_a_key_retires_the_one_before(api: Api, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO gateway_keys (gateway_id, key_id, public_key, nats_public_key, status) "
        "VALUES ($1, $2, $3, 'U', 'pending')",
        GATEWAY, bytes.fromhex(BAD_KEY), bytes(32),
    )  # fmt: skip
    path = f"/api/v1/operator/gateway-keys/{GATEWAY}/{BAD_KEY}/accept"
    user_id = await pool.fetchval(
        "INSERT INTO users (user_id, email, display_name, role) "
        "VALUES (gen_random_uuid(), 'op@x.example', 'Op', 'operator') RETURNING user_id"
    )
    response = await api.client.post(path, headers=api.bearer("operator", user_id=user_id))

    assert response.status_code == 200, response.text
    rows = await pool.fetch("SELECT status FROM gateway_keys ORDER BY key_id = $1", bytes.fromhex(BAD_KEY))
    assert [row["status"] for row in rows] == ["retired", "active"]
    assert await pool.fetchval("SELECT kind FROM user_activities WHERE user_id = $1", user_id) == "gateway_key_accepted"


async def test_an_unknown_key(api: Api) -> None:
    path = f"/api/v1/operator/gateway-keys/{GATEWAY}/{BAD_KEY}/accept"

    problem(await api.client.post(path, headers=api.bearer("operator")), 404, "key_not_found")
