"""Sign-in, renewal of sessions, sign-out; creation of users and participants."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from hub.accounts import passwords, repository
from hub.accounts.errors import LOGIN_ATTEMPTS, PAUSE_MINUTES, LoginFailedError, LoginPausedError, SessionOverError
from hub.accounts.schemas import Affiliation, Role, User
from hub.clock import at_ms
from hub.http.context import Context, connected
from hub.postgres.db import Connection, Record

REFRESH_LIFETIME = timedelta(days=30)
LOGIN_PAUSE = timedelta(minutes=PAUSE_MINUTES)
REUSE_TOLERANCE = timedelta(seconds=10)
"""How long a refresh token may be used again, as the answer to its first use may have been lost."""


@dataclass(frozen=True)
class OpenSession:
    """A session that was opened or renewed."""

    user: User
    refresh_token: str


async def create_participant(
    connection: Connection, name: str, *, wallet: str | None = None, participant_id: UUID | None = None
) -> UUID:
    """Adds or updates a participant; ``wallet`` is an address in base58. Returns the id, random by default."""
    stored_id = participant_id or uuid4()
    await repository.save_participant(connection, stored_id, name, wallet)
    return stored_id


async def create_user(
    connection: Connection, email: str, display_name: str, password: str, role: Role, *,
    affiliation: Affiliation | None = None, participant_id: UUID | None = None, user_id: UUID | None = None,
) -> UUID:  # fmt: skip
    """Adds a user, or updates the one with this address; returns the id of the stored user.

    Raises:
        WeakPasswordError: the password has fewer than ten characters.
    """
    password_hash = await passwords.hash_password(password)
    return await repository.save_user(
        connection,
        user_id or uuid4(),
        email.strip().lower(),
        display_name,
        password_hash,
        role,
        affiliation,
        participant_id,
    )


async def login(ctx: Context, email: str, password: str) -> OpenSession:
    """Checks the password and opens a session.

    Raises:
        LoginFailedError: unknown address or wrong password, with the same text and in the same time.
        LoginPausedError: too many wrong attempts with this address, known or not.
    """
    address, now = email.strip().lower(), at_ms(ctx.clock.now_ms())
    email_hash = hashlib.sha256(address.encode()).digest()
    async with connected(ctx.pool) as connection, connection.transaction():
        user = await repository.user_by_email(connection, address)
        paused_until = await repository.begin_attempt(connection, email_hash, now, LOGIN_ATTEMPTS, LOGIN_PAUSE)
        if paused_until is not None:
            await _log(connection, user, "login_paused", now)
    if paused_until is not None:
        raise _paused(paused_until - now)
    is_right = await passwords.matches(None if user is None else user["password_hash"], password)
    async with connected(ctx.pool) as connection, connection.transaction():
        if is_right and user is not None:
            await repository.end_attempts(connection, email_hash)
            if passwords.outdated(user["password_hash"]):
                await repository.set_password(connection, user["user_id"], await passwords.hash_password(password))
            await _log(connection, user, "login", now)
            return OpenSession(to_user(user), await _new_token(connection, user["user_id"], uuid4(), now))
        await _log(connection, user, "login_failed", now)
    raise LoginFailedError(
        f"The e-mail address or the password is not right: check both. After {LOGIN_ATTEMPTS} wrong attempts in a row "
        f"sign-in pauses for {PAUSE_MINUTES} minutes"
    )


async def refresh(ctx: Context, token: str | None) -> OpenSession:
    """Exchanges a refresh token for a new one; a token that was used before ends the whole session.

    Raises:
        SessionOverError: the token is missing, unknown, expired, revoked or was used before.
    """
    if token is None:
        raise SessionOverError("You are not signed in on this device: sign in")
    now = at_ms(ctx.clock.now_ms())
    async with connected(ctx.pool) as connection, connection.transaction():
        session = await _renew(connection, _hash(token), now)
    if session is None:
        raise SessionOverError("Your session is over, or was used on another device: sign in again")
    return session


async def _renew(connection: Connection, token_hash: bytes, now: datetime) -> OpenSession | None:
    row = await repository.lock_refresh_token(connection, token_hash)
    if row is None or row["expires_at"] <= now:
        return None
    user = await repository.user_by_id(connection, row["user_id"])
    if user is None:
        return None
    if await _is_reused(connection, row, now):
        await repository.revoke_family(connection, row["family"], now)
        await _log(connection, user, "refresh_reused", now)
        return None
    await repository.use_refresh_token(connection, token_hash, now)
    await repository.revoke_unused(connection, row["family"], now)
    return OpenSession(to_user(user), await _new_token(connection, user["user_id"], row["family"], now))


async def _is_reused(connection: Connection, row: Record, now: datetime) -> bool:
    """Returns whether a token was used before; for a few seconds a second use is allowed, if its successor is unused.

    The answer to the first use may have been lost; that successor is revoked, so that only one token is valid.
    """
    if row["revoked_at"] is not None:
        return True
    if row["used_at"] is None:
        return False
    is_late = now - row["used_at"] > REUSE_TOLERANCE
    return is_late or await repository.used_since(connection, row["family"], row["token_hash"], row["used_at"])


async def logout(ctx: Context, token: str | None) -> None:
    """Ends the session of a refresh token; without one nothing happens."""
    if token is None:
        return
    now = at_ms(ctx.clock.now_ms())
    async with connected(ctx.pool) as connection, connection.transaction():
        row = await repository.lock_refresh_token(connection, _hash(token))
        if row is not None:
            await repository.revoke_family(connection, row["family"], now)
            await repository.log_activity(connection, row["user_id"], "logout", now, {})


def to_user(user: Record) -> User:
    """Returns the API model of a user's row."""
    return User(**{name: user[name] for name in User.model_fields})


async def _new_token(connection: Connection, user_id: UUID, family: UUID, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    await repository.add_refresh_token(connection, _hash(token), family, user_id, now, now + REFRESH_LIFETIME)
    return token


async def _log(connection: Connection, user: Record | None, kind: str, now: datetime) -> None:
    if user is not None:
        await repository.log_activity(connection, user["user_id"], kind, now, {})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _paused(remaining: timedelta) -> LoginPausedError:
    seconds = max(1, int(remaining.total_seconds()))
    return LoginPausedError(
        f"Too many wrong attempts with this e-mail address: try again in {-(-seconds // 60)} minutes",
        headers={"Retry-After": str(seconds)},
    )
