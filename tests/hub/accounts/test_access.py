"""Access tokens: malformed, foreign and expired ones have different errors; the role device may not sign in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.accounts import repository
from hub.accounts.schemas import Role
from hub.accounts.tokens import AccessTokens, Principal
from hub.keys import load_or_create
from hub.postgres.db import Pool
from support.servers.api import Api, problem, running_api

NOW_MS = 1_780_308_000_000


@pytest.fixture
async def api(pool: Pool, state_dir: Path) -> AsyncIterator[Api]:
    async with running_api(pool, state_dir, NOW_MS) as api:
        yield api


async def test_somebody_of_every_role_can_be_kept(pool: Pool) -> None:
    """The database lists the roles as well: a new one needs a migration."""
    roles: tuple[Role, ...] = get_args(Role)
    async with pool.acquire() as connection:
        for role in roles:
            user = await repository.save_user(
                connection, uuid4(), f"{role}@campus.example", role, "-", role, None, None
            )
            kept = await repository.user_by_id(connection, user)
            assert kept is not None
            assert kept["role"] == role


async def test_without_a_token(api: Api) -> None:
    response = await api.get("/meters")

    assert "Sign in first" in problem(response, 401, "not_signed_in")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer   ", "token abc"])
async def test_other_schemes_are_not_signed_in(api: Api, header: str) -> None:
    problem(await api.get("/meters", {"Authorization": header}), 401, "not_signed_in")


@pytest.mark.parametrize("token", ["abc", "a.b.c", "e30.e30.e30", "." * 3000])
async def test_malformed_token(api: Api, token: str) -> None:
    response = await api.get("/meters", {"Authorization": f"Bearer {token}"})

    assert "sign in again" in problem(response, 401, "token_invalid")
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_token_of_another_hub(api: Api) -> None:
    foreign = AccessTokens(Ed25519PrivateKey.generate(), api.settings.public_origin, api.clock)
    token = foreign.issue(UUID(int=1), "operator", None)

    problem(await api.get("/meters", {"Authorization": f"Bearer {token}"}), 401, "token_invalid")


async def test_unsigned_token(api: Api) -> None:
    claims = {"iss": "peerwatt", "aud": api.settings.public_origin, "sub": str(UUID(int=1)), "role": "operator",
              "pid": None, "iat": NOW_MS // 1000, "exp": NOW_MS // 1000 + 900}  # fmt: skip
    token = jwt.encode(claims, "", algorithm="none")

    problem(await api.get("/meters", {"Authorization": f"Bearer {token}"}), 401, "token_invalid")


@pytest.mark.parametrize("changed", [{"iss": "another"}, {"aud": "https://other.example"}, {"sub": "nobody"}])
async def test_a_token_signed_by_the_hubs_key_for_another_purpose(api: Api, changed: dict[str, str]) -> None:
    """The signature alone is not enough: each claim is refused by itself."""
    private = bytes(load_or_create(api.settings.keys_dir / "access-tokens.json"))[:32]
    claims = {"iss": "peerwatt", "aud": api.settings.public_origin, "sub": str(UUID(int=1)), "role": "operator",
              "pid": None, "iat": NOW_MS // 1000, "exp": NOW_MS // 1000 + 900}  # fmt: skip

    async def answer(claims: dict[str, Any]) -> httpx.Response:
        token = jwt.encode(claims, Ed25519PrivateKey.from_private_bytes(private), algorithm="EdDSA")
        return await api.get("/meters", {"Authorization": f"Bearer {token}"})

    assert (await answer(claims)).status_code == 200
    problem(await answer(claims | changed), 401, "token_invalid")


async def test_expired_token(api: Api) -> None:
    headers = api.bearer("operator")
    api.clock.advance(15 * 60_000 - 1)
    assert (await api.get("/meters", headers)).status_code == 200
    api.clock.advance(1)

    response = await api.get("/meters", headers)
    assert "/api/v1/auth/refresh" in problem(response, 401, "token_expired")
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("participant", [None, UUID(int=7)])
async def test_a_token_says_who_what_and_how_long(api: Api, participant: UUID | None) -> None:
    """Whole seconds, from the second in which it was issued."""
    api.clock.advance(999)
    token = AccessTokens.from_settings(api.settings, api.clock).issue(UUID(int=6), "facilities", participant)
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "iss": "peerwatt", "aud": api.settings.public_origin, "sub": str(UUID(int=6)), "role": "facilities",
        "pid": None if participant is None else str(participant), "iat": NOW_MS // 1000, "exp": NOW_MS // 1000 + 900,
    }  # fmt: skip
    assert {type(claims[name]) for name in ("iat", "exp")} == {int}
    principal = AccessTokens.from_settings(api.settings, api.clock).open(token)
    assert principal == Principal(UUID(int=6), "facilities", participant, NOW_MS // 1000 + 900)


@pytest.mark.parametrize(
    ("role", "visible"),
    [
        ("participant", UUID(int=7)),
        ("facilities", UUID(int=7)),
        ("rec_validator", UUID(int=7)),
        ("operator", None),
        ("auditor", None),
    ],
)
def test_only_operators_and_auditors_see_all(role: str, visible: UUID | None) -> None:
    principal = Principal(UUID(int=1), role, UUID(int=7), 0)
    assert (principal.reads_all, principal.visible_participant_id) == (visible is None, visible)
    nobody = Principal(UUID(int=1), role, None, 0)
    assert nobody.visible_participant_id == (None if visible is None else UUID(int=0))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "role", "pid", "iat", "exp"])
async def test_a_token_without_one_of_its_claims_is_refused(api: Api, missing: str) -> None:
    private = bytes(load_or_create(api.settings.keys_dir / "access-tokens.json"))[:32]
    claims = {"iss": "peerwatt", "aud": api.settings.public_origin, "sub": str(UUID(int=1)), "role": "operator",
              "pid": None, "iat": NOW_MS // 1000, "exp": NOW_MS // 1000 + 900}  # fmt: skip
    del claims[missing]
    token = jwt.encode(claims, Ed25519PrivateKey.from_private_bytes(private), algorithm="EdDSA")

    problem(await api.get("/meters", {"Authorization": f"Bearer {token}"}), 401, "token_invalid")


async def test_whose_trades_is_answered_or_asked_for(api: Api) -> None:
    """An operator names a participant; another user is one, or is told to ask."""
    own, other = UUID(int=7), UUID(int=8)

    async def answer(role: str, participant: UUID | None, named: UUID | None) -> httpx.Response:
        query = {} if named is None else {"participant_id": str(named)}
        return await api.get("/trades", api.bearer(role, participant), **query)

    assert (await answer("participant", own, None)).status_code == 200
    assert (await answer("participant", own, own)).status_code == 200
    assert (await answer("operator", None, other)).status_code == 200
    problem(await answer("participant", own, other), 404, "not_found")
    problem(await answer("facilities", None, other), 404, "not_found")
    assert "name one with participant_id" in problem(await answer("auditor", None, None), 404, "no_participant")
    assert "ask an operator to link yours" in problem(await answer("facilities", None, None), 404, "no_participant")


async def test_a_role_that_does_not_reach(api: Api) -> None:
    detail = problem(await api.get("/operator/quarantine", api.bearer("participant", UUID(int=2))), 403, "forbidden")

    assert "operator or auditor" in detail
    assert "yours is participant" in detail


async def test_a_device_is_nobody_here(api: Api) -> None:
    problem(await api.get("/meters", api.bearer("device")), 403, "forbidden")
