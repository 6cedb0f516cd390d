"""Refresh tokens rotate, are all revoked when one is used twice, and work for the hub's own pages only."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.accounts import service
from hub.postgres.db import Pool
from support.servers.api import ORIGIN, Api, problem, running_api

PASSWORD = "correct horse battery"
NOW_MS = 1_780_308_000_000
DAY_MS = 86_400_000
COOKIE = "peerwatt_refresh"


@pytest.fixture
async def api(pool: Pool, state_dir: Path) -> AsyncIterator[Api]:
    async with pool.acquire() as connection:
        await service.create_user(connection, "op@campus.example", "Op", PASSWORD, "operator")
    async with running_api(pool, state_dir, NOW_MS) as api:
        yield api


async def _sign_in(api: Api) -> str:
    body = {"email": "op@campus.example", "password": PASSWORD}
    response = await api.client.post("/api/v1/auth/login", json=body)
    api.client.cookies.clear()
    return response.cookies[COOKIE]


async def _post(api: Api, action: str, token: str | None, origin: str | None = ORIGIN) -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin}
    if token is not None:
        headers["Cookie"] = f"{COOKIE}={token}"
    response = await api.client.post(f"/api/v1/auth/{action}", headers=headers)
    api.client.cookies.clear()
    return response


async def test_refresh_gives_a_new_pair(api: Api) -> None:
    first = await _sign_in(api)
    response = await _post(api, "refresh", first)

    assert response.status_code == 200, response.text
    assert response.cookies[COOKIE] != first
    token = response.json()["access_token"]
    assert (await api.get("/auth/me", {"Authorization": f"Bearer {token}"})).status_code == 200


async def test_a_token_used_twice_ends_the_whole_session(api: Api) -> None:
    stolen = await _sign_in(api)
    successor = (await _post(api, "refresh", stolen)).cookies[COOKIE]
    other_session = await _sign_in(api)
    api.clock.advance(10_001)

    detail = problem(await _post(api, "refresh", stolen), 401, "session_over")
    assert "sign in again" in detail
    problem(await _post(api, "refresh", successor), 401, "session_over")
    assert (await _post(api, "refresh", other_session)).status_code == 200
    kinds = [row["kind"] for row in await api.pool.fetch("SELECT kind FROM user_activities ORDER BY activity_id")]
    assert "refresh_reused" in kinds


async def test_an_answer_that_was_lost_may_be_asked_for_again(api: Api) -> None:
    first = await _sign_in(api)
    lost = (await _post(api, "refresh", first)).cookies[COOKIE]
    api.clock.advance(10_000)
    again = await _post(api, "refresh", first)
    assert again.status_code == 200

    problem(await _post(api, "refresh", lost), 401, "session_over")
    problem(await _post(api, "refresh", again.cookies[COOKIE]), 401, "session_over")


async def test_nothing_was_lost_when_the_successor_is_in_use(api: Api) -> None:
    first = await _sign_in(api)
    second = (await _post(api, "refresh", first)).cookies[COOKIE]
    third = (await _post(api, "refresh", second)).cookies[COOKIE]

    problem(await _post(api, "refresh", first), 401, "session_over")
    problem(await _post(api, "refresh", third), 401, "session_over")


async def test_the_session_goes_on_after_a_lost_answer(api: Api) -> None:
    token = await _sign_in(api)
    await _post(api, "refresh", token)
    for _ in range(3):
        response = await _post(api, "refresh", token)
        assert response.status_code == 200
        token = response.cookies[COOKIE]
        api.clock.advance(60_000)


async def test_sign_out_revokes_and_takes_the_cookie_away(api: Api) -> None:
    token = await _sign_in(api)
    response = await _post(api, "logout", token)

    assert response.status_code == 204
    assert 'peerwatt_refresh=""' in response.headers["set-cookie"]
    problem(await _post(api, "refresh", token), 401, "session_over")
    assert (await _post(api, "logout", None)).status_code == 204
    assert (await _post(api, "logout", "unknown")).status_code == 204
    kinds = [row["kind"] for row in await api.pool.fetch("SELECT kind FROM user_activities ORDER BY activity_id")]
    assert kinds == ["login", "logout", "refresh_reused"], "a revoked token that comes again is a reused one"


@pytest.mark.parametrize(("secure", "origin"), [(False, ORIGIN), (True, "https://peerwatt.example")])
async def test_the_cookie_is_for_the_hubs_own_pages_only(
    pool: Pool, state_dir: Path, secure: bool, origin: str
) -> None:
    async with pool.acquire() as connection:
        await service.create_user(connection, "op@campus.example", "Op", PASSWORD, "operator")
    async with running_api(pool, state_dir, NOW_MS, public_origin=origin) as api:
        body = {"email": "op@campus.example", "password": PASSWORD}
        given = await api.client.post("/api/v1/auth/login", json=body)
        taken = await _post(api, "logout", given.cookies[COOKIE], origin)
    end = "; Path=/api/v1/auth; SameSite=strict" + ("; Secure" if secure else "")
    assert given.headers["set-cookie"] == f"{COOKIE}={given.cookies[COOKIE]}; HttpOnly; Max-Age=2592000{end}"
    attributes = taken.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "Max-Age=0", "Path=/api/v1/auth", "SameSite=strict"} <= set(attributes)
    assert ("Secure" in attributes) is secure


async def test_tokens_that_ended_a_month_ago_are_deleted_at_the_next_sign_in(api: Api) -> None:
    await _sign_in(api)
    for milliseconds, kept in ((60 * DAY_MS, 2), (1, 2)):
        api.clock.advance(milliseconds)
        await _sign_in(api)
        assert await api.pool.fetchval("SELECT count(*) FROM refresh_tokens") == kept


async def test_a_user_who_is_gone_is_told_so(api: Api) -> None:
    token = await _sign_in(api)
    access = (await _post(api, "refresh", token)).json()["access_token"]
    await api.pool.execute("DELETE FROM users")
    me = await api.get("/auth/me", {"Authorization": f"Bearer {access}"})
    assert "no longer exists" in problem(me, 401, "session_over")


async def test_a_session_ends_after_thirty_days_without_use(api: Api) -> None:
    token = await _sign_in(api)
    api.clock.advance(30 * DAY_MS)

    problem(await _post(api, "refresh", token), 401, "session_over")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8081", "null", None])
@pytest.mark.parametrize("action", ["refresh", "logout"])
async def test_other_origins_do_not_reach_the_cookie(api: Api, action: str, origin: str | None) -> None:
    token = await _sign_in(api)

    assert ORIGIN in problem(await _post(api, action, token, origin), 403, "origin_refused")
    assert (await _post(api, "refresh", token)).status_code == 200


@pytest.mark.parametrize("token", [None, "", "garbage", "x" * 5000])
async def test_without_a_good_cookie_there_is_no_session(api: Api, token: str | None) -> None:
    assert "sign in" in problem(await _post(api, "refresh", token), 401, "session_over")
