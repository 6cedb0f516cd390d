"""Access tokens: JWTs signed with Ed25519, valid for 15 minutes, with user, role and participant."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.accounts.errors import TokenExpiredError, TokenInvalidError
from hub.clock import Clock
from hub.keys import load_or_create
from hub.settings import Settings

ISSUER = "peerwatt"
LIFETIME = timedelta(minutes=15)
NO_PARTICIPANT_ID = UUID(int=0)


@dataclass(frozen=True)
class Principal:
    """The signed-in user of a request."""

    user_id: UUID
    role: str
    participant_id: UUID | None
    expires_at_s: int

    @property
    def reads_all(self) -> bool:
        """Whether the user may read every participant's meters, trades and bills: operators and auditors."""
        return self.role in {"operator", "auditor"}

    @property
    def visible_participant_id(self) -> UUID | None:
        """The participant whose rows this user may read; None = all. A user without one gets an id without rows."""
        return None if self.reads_all else self.participant_id or NO_PARTICIPANT_ID


class AccessTokens:
    """Issues and reads the access tokens of one hub."""

    def __init__(self, key: Ed25519PrivateKey, audience: str, clock: Clock) -> None:
        self._private_key = key
        self._public_key = key.public_key()
        self._audience = audience
        self._clock = clock

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> "AccessTokens":
        """Reads the hub's key, or makes it at the first start; the audience is the web app's origin.

        Raises:
            KeyFileError: the key file is readable by others or holds no key.
        """
        key = load_or_create(settings.keys_dir / "access-tokens.json")
        private = Ed25519PrivateKey.from_private_bytes(bytes(key)[:32])
        return cls(private, settings.public_origin, clock)

    def issue(self, user_id: UUID, role: str, participant_id: UUID | None) -> str:
        """Returns a token for this user, valid from now on."""
        now_s = self._clock.now_ms() // 1000
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": str(user_id),
            "role": role,
            "pid": None if participant_id is None else str(participant_id),
            "iat": now_s,
            "exp": now_s + int(LIFETIME.total_seconds()),
        }
        return jwt.encode(claims, self._private_key, algorithm="EdDSA")

    def open(self, token: str) -> Principal:
        """Checks a token and returns its user.

        Raises:
            TokenExpiredError: the token has expired.
            TokenInvalidError: the token is malformed, signed by another key, or for another site.
        """
        try:
            claims = jwt.decode(
                token, self._public_key, algorithms=["EdDSA"], audience=self._audience, issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "aud", "iss"], "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
            principal = _principal(claims)
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError) as error:
            raise TokenInvalidError(
                "The access token is not one that this hub made: sign in again", headers=_challenge("invalid_token")
            ) from error
        if self._clock.now_ms() >= principal.expires_at_s * 1000:
            raise TokenExpiredError(
                "The access token has expired: renew it at /api/v1/auth/refresh", headers=_challenge("invalid_token")
            )
        return principal


def _principal(claims: dict[str, Any]) -> Principal:
    participant_id = claims["pid"]
    return Principal(
        UUID(claims["sub"]),
        str(claims["role"]),
        None if participant_id is None else UUID(participant_id),
        int(claims["exp"]),
    )


def _challenge(error: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer error="{error}"'}
