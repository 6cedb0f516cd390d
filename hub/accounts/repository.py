"""Rows of users, refresh tokens, login attempts and activities."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hub.postgres.db import Connection, Record


async def user_by_email(connection: Connection, email: str) -> Record | None:
    """Returns the row of the user with this address in lower case, or None."""
    return await connection.fetchrow("SELECT * FROM users WHERE email = $1", email)


async def user_by_id(connection: Connection, user_id: UUID) -> Record | None:
    """Returns the user's row, or None."""
    return await connection.fetchrow("SELECT * FROM users WHERE user_id = $1", user_id)


async def save_user(
    connection: Connection, user_id: UUID, email: str, display_name: str, password_hash: str, role: str,
    affiliation: str | None, participant_id: UUID | None,
) -> UUID:  # fmt: skip
    """Adds the user, or updates the one with this address; returns the id of the stored user."""
    stored_id: UUID = await connection.fetchval(
        """
        INSERT INTO users (user_id, email, display_name, password_hash, role, affiliation, participant_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (email) DO UPDATE SET display_name = excluded.display_name, password_hash = excluded.password_hash,
            role = excluded.role, affiliation = excluded.affiliation, participant_id = excluded.participant_id
        RETURNING user_id
        """,
        user_id, email, display_name, password_hash, role, affiliation, participant_id,
    )  # fmt: skip
    return stored_id


async def save_participant(connection: Connection, participant_id: UUID, name: str, wallet: str | None) -> None:
    """Adds the participant, or updates name and wallet."""
    await connection.execute(
        """
        INSERT INTO participants (participant_id, name, wallet) VALUES ($1, $2, $3)
        ON CONFLICT (participant_id) DO UPDATE SET name = excluded.name, wallet = excluded.wallet
        """,
        participant_id,
        name,
        wallet,
    )


async def set_password(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Replaces the stored hash."""
    await connection.execute("UPDATE users SET password_hash = $2 WHERE user_id = $1", user_id, password_hash)


async def begin_attempt(
    connection: Connection, email_hash: bytes, now: datetime, allowed: int, pause: Any
) -> datetime | None:
    """Counts an attempt before the password is checked, so that parallel attempts count too.

    Returns the end of the pause, or None; the attempt that exceeds ``allowed`` starts a pause of length ``pause``.
    """
    await connection.execute("DELETE FROM login_attempts WHERE updated_at < $1::timestamptz - interval '1 day'", now)
    paused_until: datetime | None = await connection.fetchval(
        """
        INSERT INTO login_attempts AS a (email_hash, failed, updated_at) VALUES ($1, 1, $2)
        ON CONFLICT (email_hash) DO UPDATE SET
            failed = CASE WHEN a.paused_until > $2 THEN a.failed WHEN a.paused_until <= $2 THEN 1 ELSE a.failed + 1 END,
            paused_until = CASE WHEN a.paused_until > $2 THEN a.paused_until
                                WHEN a.paused_until IS NULL AND a.failed >= $3 THEN $2 + $4::interval END,
            updated_at = $2
        RETURNING paused_until
        """,
        email_hash,
        now,
        allowed,
        pause,
    )
    return paused_until


async def end_attempts(connection: Connection, email_hash: bytes) -> None:
    """Clears the count of an address, after a right password."""
    await connection.execute("DELETE FROM login_attempts WHERE email_hash = $1", email_hash)


async def add_refresh_token(
    connection: Connection, token_hash: bytes, family: UUID, user_id: UUID, issued_at: datetime, expires_at: datetime
) -> None:
    """Stores a refresh token's hash; deletes tokens that expired more than 30 days ago."""
    await connection.execute(
        "DELETE FROM refresh_tokens WHERE user_id = $1 AND expires_at < $2::timestamptz - interval '30 days'",
        user_id,
        issued_at,
    )
    await connection.execute(
        "INSERT INTO refresh_tokens (token_hash, family, user_id, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        token_hash, family, user_id, issued_at, expires_at,
    )  # fmt: skip


async def lock_refresh_token(connection: Connection, token_hash: bytes) -> Record | None:
    """Returns the refresh token's row, locked until the transaction ends, or None."""
    return await connection.fetchrow("SELECT * FROM refresh_tokens WHERE token_hash = $1 FOR UPDATE", token_hash)


async def use_refresh_token(connection: Connection, token_hash: bytes, at: datetime) -> None:
    """Marks the token as used."""
    await connection.execute(
        "UPDATE refresh_tokens SET used_at = coalesce(used_at, $2) WHERE token_hash = $1", token_hash, at
    )


async def used_since(connection: Connection, family: UUID, token_hash: bytes, since: datetime) -> bool:
    """Returns whether another token of the family, issued at ``since`` or later, was used already."""
    was_used: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM refresh_tokens WHERE family = $1 AND token_hash <> $2 AND issued_at >= $3 "
        "AND used_at IS NOT NULL)",
        family, token_hash, since,
    )  # fmt: skip
    return was_used


async def revoke_unused(connection: Connection, family: UUID, at: datetime) -> None:
    """Revokes the tokens of a sign-in that were not used yet."""
    await connection.execute(
        "UPDATE refresh_tokens SET revoked_at = $2 WHERE family = $1 AND used_at IS NULL AND revoked_at IS NULL",
        family,
        at,
    )


async def revoke_family(connection: Connection, family: UUID, at: datetime) -> None:
    """Revokes every token of a sign-in."""
    await connection.execute(
        "UPDATE refresh_tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL", family, at
    )


async def log_activity(
    connection: Connection, user_id: UUID | None, kind: str, at: datetime, detail: dict[str, Any]
) -> None:
    """Adds a line to the activity log."""
    await connection.execute(
        "INSERT INTO user_activities (user_id, at, kind, detail) VALUES ($1, $2, $3, $4)", user_id, at, kind, detail
    )
