"""Access tokens: JWTs signed with Ed25519 that live fifteen minutes and name the user, role and participant."""

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
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Principal:
    """The signed-in user that a request comes from."""

    user_id: UUID
    role: str
    participant_id: UUID | None
    expires_at_s: int

    @property
    def reads_all(self) -> bool:
        """Operators and auditors see every participant's meters, trades and bills."""
        return self.role in {"operator", "auditor"}

    @property
    def visible_participant_id(self) -> UUID | None:
        """The participant whose rows this user may read; None = everybody's. A user without a participant gets an id
        that nobody has."""
        return None if self.reads_all else self.participant_id or NOBODY


class AccessTokens:
    """Makes and opens access tokens of one hub."""

    def __init__(self, key: Ed25519PrivateKey, audience: str, clock: Clock) -> None:
        self._private = key
        self._public = key.public_key()
        self._audience = audience
        self._clock = clock

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> "AccessTokens":
        """Reads the hub's key, or makes it at the first start; the audience is the web app's origin.

        Raises:
            KeyFileError: the key file is open to others or no key.
        """
        key = load_or_create(settings.keys_dir / "access-tokens.json")
        private = Ed25519PrivateKey.from_private_bytes(bytes(key)[:32])
        return cls(private, settings.public_origin, clock)

    def issue(self, user_id: UUID, role: str, participant_id: UUID | None) -> str:
        """A token for this user, valid from now on."""
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
        return jwt.encode(claims, self._private, algorithm="EdDSA")

    def open(self, token: str) -> Principal:
        """Who the token names.

        Raises:
            TokenExpiredError: it was good until some time ago.
            TokenInvalidError: malformed, signed by another key, or for another site.
        """
        try:
            claims = jwt.decode(
                token, self._public, algorithms=["EdDSA"], audience=self._audience, issuer=ISSUER,
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
    pid = claims["pid"]
    return Principal(UUID(claims["sub"]), str(claims["role"]), None if pid is None else UUID(pid), int(claims["exp"]))


def _challenge(error: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer error="{error}"'}
