"""Sign-in with a password: the messages when it fails, and the limit on wrong attempts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher, extract_parameters

from hub.accounts import passwords, service
from hub.postgres.db import Pool
from support.servers.api import ORIGIN, Api, problem, running_api

PASSWORD = "correct horse battery"
ANNA = "anna@campus.example"
NOW_MS = 1_780_308_000_000


@pytest.fixture
async def api(pool: Pool, state_dir: Path) -> AsyncIterator[Api]:
    async with pool.acquire() as connection:
        participant = await service.create_participant(connection, "Anna")
        await service.create_user(
            connection, "Anna@Campus.example", "Anna", PASSWORD, "participant",
            affiliation="resident", participant_id=participant,
        )  # fmt: skip
    async with running_api(pool, state_dir, NOW_MS) as api:
        yield api


async def _login(api: Api, email: str = ANNA, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return await api.client.post("/api/v1/auth/login", json={"email": email, "password": password}, headers=headers)


async def test_right_password_gives_token_and_strict_cookie(api: Api) -> None:
    response = await _login(api, email="  ANNA@campus.example ")

    assert response.status_code == 200, response.text
    session = response.json()
    assert (session["token_type"], session["expires_in_s"]) == ("Bearer", 900)
    row = await api.pool.fetchrow("SELECT user_id, participant_id FROM users")
    assert row is not None and session["user"] == {
        "user_id": str(row["user_id"]), "email": ANNA, "display_name": "Anna", "role": "participant",
        "affiliation": "resident", "participant_id": str(row["participant_id"]),
    }  # fmt: skip
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/api/v1/auth" in cookie
    me = await api.get("/auth/me", {"Authorization": f"Bearer {session['access_token']}"})
    assert me.json() == session["user"]


async def test_wrong_password_and_unknown_address_read_alike(api: Api) -> None:
    wrong = problem(await _login(api, password="not the password"), 401, "login_failed")
    unknown = problem(await _login(api, email="nobody@campus.example"), 401, "login_failed")

    assert wrong == unknown
    assert "e-mail address or the password is not right" in wrong
    assert "pauses for 15 minutes" in wrong


@pytest.mark.parametrize("email", [ANNA, "nobody@campus.example"])
async def test_five_wrong_passwords_pause_sign_in_known_or_not(api: Api, email: str) -> None:
    for _ in range(5):
        problem(await _login(api, email, "not the password"), 401, "login_failed")

    paused = await _login(api, email)
    assert "try again in 15 minutes" in problem(paused, 429, "login_paused")
    assert paused.headers["retry-after"] == "900"

    for milliseconds, seconds, minutes in ((60_000, "840", 14), (1_000, "839", 14), (838_500, "1", 1)):
        api.clock.advance(milliseconds)
        paused = await _login(api, email)
        assert f"try again in {minutes} minutes" in problem(paused, 429, "login_paused")
        assert paused.headers["retry-after"] == seconds
    api.clock.advance(501)
    assert (await _login(api, email)).status_code == (200 if email == ANNA else 401)


async def test_right_password_clears_the_count(api: Api) -> None:
    for _ in range(4):
        await _login(api, password="not the password")
    assert (await _login(api)).status_code == 200
    for _ in range(4):
        problem(await _login(api, password="not the password"), 401, "login_failed")
    assert (await _login(api)).status_code == 200


async def test_parallel_guesses_count_too(api: Api) -> None:
    answers = await asyncio.gather(*(_login(api, password=f"guess number {n}") for n in range(8)))

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 3


async def test_sign_in_from_a_foreign_page_is_refused(api: Api) -> None:
    detail = problem(await _login(api, origin="https://evil.example"), 403, "origin_refused")

    assert ORIGIN in detail
    assert "https://evil.example" in detail


async def test_everything_is_in_the_activity_log(api: Api) -> None:
    await _login(api, password="not the password")
    await _login(api)

    kinds = await api.pool.fetch("SELECT kind FROM user_activities ORDER BY activity_id")
    assert [row["kind"] for row in kinds] == ["login_failed", "login"]


async def test_malformed_body_names_the_field(api: Api) -> None:
    response = await api.client.post("/api/v1/auth/login", json={"email": ANNA, "pasword": "x"})

    detail = problem(response, 422, "invalid_request")
    assert "body.password" in detail
    assert "body.pasword" in detail


@pytest.mark.parametrize("email", ["a\0b@campus.example", "a\nb@campus.example", "", "x" * 255])
async def test_impossible_addresses_are_refused(api: Api, email: str) -> None:
    assert "body.email" in problem(await _login(api, email=email), 422, "invalid_request")


async def test_passwords_are_kept_as_argon2id(api: Api) -> None:
    stored = await api.pool.fetchval("SELECT password_hash FROM users")

    assert stored.startswith("$argon2id$v=19$m=32768,t=3,p=1$"), "32 MiB, three passes, one thread"
    assert PASSWORD not in stored


async def test_short_password_is_refused_with_the_length() -> None:
    with pytest.raises(passwords.WeakPasswordError, match="at least 10 characters") as refused:
        await passwords.hash_password("123456789")
    assert refused.value.code == "password_weak"
    assert await passwords.matches(await passwords.hash_password("1234567890"), "1234567890")


async def test_a_user_who_is_saved_again_keeps_the_id_and_changes_the_rest(pool: Pool) -> None:
    async with pool.acquire() as connection:
        participant = await service.create_participant(connection, "Ben", wallet="w")
        assert await service.create_participant(connection, "Benny", participant_id=participant) == participant
        user = await service.create_user(
            connection, " BEN@x.example ", "Ben", PASSWORD, "operator", user_id=UUID(int=9)
        )
        again = await service.create_user(
            connection, "ben@X.example", "Benny", "another password", "participant",
            affiliation="student", participant_id=participant,
        )  # fmt: skip
        assert user == again == UUID(int=9)
        row = await connection.fetchrow("SELECT email, display_name, role, affiliation, participant_id FROM users")
        assert row is not None and tuple(row) == ("ben@x.example", "Benny", "participant", "student", participant)
        named = await connection.fetchrow("SELECT name, wallet FROM participants")
        assert named is not None and tuple(named) == ("Benny", None)


async def test_a_paused_sign_in_is_in_the_activity_log(api: Api) -> None:
    for _ in range(6):
        await _login(api, password="not the password")

    kinds = await api.pool.fetch("SELECT kind FROM user_activities ORDER BY activity_id")
    assert [row["kind"] for row in kinds] == ["login_failed"] * 5 + ["login_paused"]


async def test_attempts_of_yesterday_are_forgotten(api: Api) -> None:
    for _ in range(4):
        await _login(api, password="not the password")
    api.clock.advance(86_400_001)
    for _ in range(5):
        problem(await _login(api, password="not the password"), 401, "login_failed")


async def test_an_unknown_address_costs_as_much_as_a_wrong_password(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both check one argon2id hash of today's parameters, so that the time does not tell who has an account."""
    checked: list[str] = []
    check = passwords._matches

    def counted(stored_hash: str, password: str) -> bool:
        checked.append(stored_hash)
        return check(stored_hash, password)

    monkeypatch.setattr(passwords, "_matches", counted)
    await _login(api, password="not the password")
    await _login(api, email="nobody@campus.example")
    known, unknown = (extract_parameters(stored) for stored in checked)
    assert known == unknown


async def test_nobody_signs_in_with_the_password_of_the_hash_for_unknown_addresses(api: Api) -> None:
    problem(await _login(api, "nobody@campus.example", "nobody has this password"), 401, "login_failed")
    assert not await passwords.matches(None, "nobody has this password")


async def test_a_weak_hash_is_made_anew_at_the_next_sign_in(api: Api) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await api.pool.execute("UPDATE users SET password_hash = $1", weak)
    assert (await _login(api)).status_code == 200
    strong = await api.pool.fetchval("SELECT password_hash FROM users")
    assert passwords.outdated(weak) and not passwords.outdated(strong)
    assert (await _login(api)).status_code == 200
    assert await api.pool.fetchval("SELECT password_hash FROM users") == strong
