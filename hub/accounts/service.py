"""Sign-in, renewal and sign-out; and how operators and the demo make users and participants."""

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
PAUSE = timedelta(minutes=PAUSE_MINUTES)
LOST_ANSWER = timedelta(seconds=10)


@dataclass(frozen=True)
class Granted:
    """A session that begins or goes on."""

    user: User
    refresh_token: str


async def create_participant(
    connection: Connection, name: str, *, wallet: str | None = None, participant_id: UUID | None = None
) -> UUID:
    """Somebody who takes part; with a given id it may be called again. ``wallet`` is base58."""
    found = participant_id or uuid4()
    await repository.save_participant(connection, found, name, wallet)
    return found


async def create_user(
    connection: Connection, email: str, display_name: str, password: str, role: Role, *,
    affiliation: Affiliation | None = None, participant_id: UUID | None = None, user_id: UUID | None = None,
) -> UUID:  # fmt: skip
    """Somebody who can sign in; called again with the same address it brings the user up to date.

    Raises:
        WeakPasswordError: the password has fewer than ten characters.
    """
    hashed = await passwords.hash_password(password)
    return await repository.save_user(
        connection, user_id or uuid4(), email.strip().lower(), display_name, hashed, role, affiliation, participant_id
    )


async def login(ctx: Context, email: str, password: str) -> Granted:
    """Checks the password and begins a session.

    Raises:
        LoginFailedError: unknown address or wrong password, in the same words and time.
        LoginPausedError: too many wrong attempts with this address, known or not.
    """
    address, now = email.strip().lower(), at_ms(ctx.clock.now_ms())
    email_hash = hashlib.sha256(address.encode()).digest()
    async with connected(ctx.pool) as connection, connection.transaction():
        user = await repository.user_by_email(connection, address)
        paused_until = await repository.begin_attempt(connection, email_hash, now, LOGIN_ATTEMPTS, PAUSE)
        if paused_until is not None:
            await _log(connection, user, "login_paused", now)
    if paused_until is not None:
        raise _paused(paused_until - now)
    right = await passwords.matches(None if user is None else user["password_hash"], password)
    async with connected(ctx.pool) as connection, connection.transaction():
        if right and user is not None:
            await repository.end_attempts(connection, email_hash)
            if passwords.outdated(user["password_hash"]):
                await repository.set_password(connection, user["user_id"], await passwords.hash_password(password))
            await _log(connection, user, "login", now)
            return Granted(shown(user), await _new_token(connection, user["user_id"], uuid4(), now))
        await _log(connection, user, "login_failed", now)
    raise LoginFailedError(
        f"The e-mail address or the password is not right: check both. After {LOGIN_ATTEMPTS} wrong attempts in a row "
        f"sign-in pauses for {PAUSE_MINUTES} minutes"
    )


async def refresh(ctx: Context, token: str | None) -> Granted:
    """Trades a refresh token for its successor; a token that was used before ends the whole session.

    Raises:
        SessionOverError: missing, unknown, expired, revoked or used before.
    """
    if token is None:
        raise SessionOverError("You are not signed in on this device: sign in")
    now = at_ms(ctx.clock.now_ms())
    async with connected(ctx.pool) as connection, connection.transaction():
        granted = await _renew(connection, _hash(token), now)
    if granted is None:
        raise SessionOverError("Your session is over, or was used on another device: sign in again")
    return granted


async def _renew(connection: Connection, token_hash: bytes, now: datetime) -> Granted | None:
    row = await repository.lock_refresh_token(connection, token_hash)
    if row is None or row["expires_at"] <= now:
        return None
    user = await repository.user_by_id(connection, row["user_id"])
    if user is None:
        return None
    if await _used_by_another(connection, row, now):
        await repository.revoke_family(connection, row["family"], now)
        await _log(connection, user, "refresh_reused", now)
        return None
    await repository.use_refresh_token(connection, token_hash, now)
    await repository.revoke_unused(connection, row["family"], now)
    return Granted(shown(user), await _new_token(connection, user["user_id"], row["family"], now))


async def _used_by_another(connection: Connection, row: Record, now: datetime) -> bool:
    """A second use is forgiven for seconds, while the first one's answer may have been lost on the way.

    The token that was lost is revoked, so that there is never more than one that works.
    """
    if row["revoked_at"] is not None:
        return True
    if row["used_at"] is None:
        return False
    late = now - row["used_at"] > LOST_ANSWER
    return late or await repository.used_since(connection, row["family"], row["token_hash"], row["used_at"])


async def logout(ctx: Context, token: str | None) -> None:
    """Ends the session that the refresh token belongs to; nothing happens when there is none."""
    if token is None:
        return
    now = at_ms(ctx.clock.now_ms())
    async with connected(ctx.pool) as connection, connection.transaction():
        row = await repository.lock_refresh_token(connection, _hash(token))
        if row is not None:
            await repository.revoke_family(connection, row["family"], now)
            await repository.log_activity(connection, row["user_id"], "logout", now, {})


def shown(user: Record) -> User:
    """The user as the API shows them."""
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


def _paused(left: timedelta) -> LoginPausedError:
    seconds = max(1, int(left.total_seconds()))
    return LoginPausedError(
        f"Too many wrong attempts with this e-mail address: try again in {-(-seconds // 60)} minutes",
        headers={"Retry-After": str(seconds)},
    )
