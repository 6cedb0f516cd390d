"""Enrols gateways with one-time tokens and proofs of possession; an operator accepts every key after the first."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from hub import keys
from hub.clock import Clock, at_ms
from hub.devices import enrolment, repository
from hub.devices.errors import (
    KeyNotFoundError,
    KeyRevokedError,
    TokenExpiredError,
    TokenUnknownError,
    TokenUsedError,
    UnknownGatewayError,
)
from hub.devices.nats_identity import GatewayIssuer, identity_folder
from hub.devices.private_files import read_private
from hub.devices.schemas import AcceptedKey, Enrolment, EnrolmentRequest, RevokedKey
from hub.errors import ConfigError
from hub.postgres.db import Connection
from hub.settings import Settings

TOKEN_LIFETIME = timedelta(hours=1)
RECEIPT_KEY = "receipt.json"
"""File name, in the keys folder, of the key that signs receipts."""


@dataclass(frozen=True)
class EnrolmentService:
    """Enrols gateways; holds the values that every enrolled gateway gets."""

    issuer: GatewayIssuer
    nats_url: str
    nats_ca_pem: str
    receipt_public_key: bytes

    @classmethod
    def from_settings(cls, settings: Settings) -> "EnrolmentService":
        """Reads the hub's files.

        Raises:
            ConfigError: a file is missing.
        """
        if settings.nats_ca_file is None:
            raise ConfigError("Gateways must be told the hub's CA: set PEERWATT_HUB_NATS_CA_FILE")
        return cls(
            GatewayIssuer.load(identity_folder(settings.state_dir)),
            settings.nats_url,
            read_private(settings.nats_ca_file),
            bytes(keys.load_or_create(settings.keys_dir / RECEIPT_KEY).pubkey()),
        )

    async def enrol(self, connection: Connection, clock: Clock, request: EnrolmentRequest) -> Enrolment:
        """Enrols a gateway's keys; the same keys with the same token get the same answer again.

        Raises:
            ApiError: the request is refused, with an error of ``hub.devices.errors``.
        """
        candidate, now = enrolment.check(request), at_ms(clock.now_ms())
        token = await repository.lock_token(connection, candidate.token_hash, candidate.gateway_id)
        if token is None:
            raise TokenUnknownError("This is no token for this gateway: make one with `peerwatt-hub token`")
        if token.request_hash is None and token.expires_at <= now:
            raise TokenExpiredError("The token is over (they last an hour): make a new one with `peerwatt-hub token`")
        if token.request_hash not in (None, candidate.request_hash):
            raise TokenUsedError("The token has already enrolled other keys: make a new one with `peerwatt-hub token`")
        status = await repository.add_key(
            connection, candidate.gateway_id, candidate.key_id, candidate.public_key, candidate.nats_public_key, now
        )
        if status not in ("active", "pending"):
            raise KeyRevokedError("This key was replaced or revoked: make new keys on the gateway and enrol those")
        answer = self._stored_answer(candidate, status == "active", token.answer or {}, clock)
        await repository.use_token(connection, candidate.token_hash, candidate.request_hash, answer, now)
        return self._enrolment(candidate, "active" if status == "active" else "pending", answer, clock)

    def _stored_answer(
        self, candidate: enrolment.Candidate, active: bool, earlier: dict[str, Any], clock: Clock
    ) -> dict[str, Any]:
        if not active or earlier.get("nats_jwt"):
            return earlier
        jwt = self.issuer.issue(candidate.gateway_id, candidate.nats_public_key, clock.now_ms() // 1000)
        return {"nats_jwt": jwt}

    def _enrolment(
        self,
        candidate: enrolment.Candidate,
        status: Literal["active", "pending"],
        answer: dict[str, Any],
        clock: Clock,
    ) -> Enrolment:
        return Enrolment(
            status=status,
            gateway_id=candidate.gateway_id,
            key_id=candidate.key_id.hex(),
            nats_url=self.nats_url,
            nats_jwt=answer.get("nats_jwt"),
            nats_ca_pem=self.nats_ca_pem,
            receipt_public_key=self.receipt_public_key.hex(),
            hub_time=at_ms(clock.now_ms()),
        )


async def make_token(connection: Connection, gateway_id: str, clock: Clock) -> str:
    """Issues a token with which this gateway can enrol one set of keys within an hour.

    Raises:
        UnknownGatewayError: no gateway has this id.
    """
    if not await repository.gateway_exists(connection, gateway_id):
        raise UnknownGatewayError(f"There is no gateway {gateway_id}: register it first, or check its spelling")
    token, now = f"pwt_{secrets.token_urlsafe(32)}", at_ms(clock.now_ms())
    await repository.add_token(connection, enrolment.token_hash(token), gateway_id, now, now + TOKEN_LIFETIME)
    return token


async def accept_key(connection: Connection, gateway_id: str, key_id: bytes, clock: Clock) -> AcceptedKey:
    """Activates a pending key and retires the one before it; accepting an active key changes nothing.

    Raises:
        KeyNotFoundError: the gateway has no such key.
        KeyRevokedError: the key was replaced or revoked before.
    """
    status = await repository.lock_key(connection, gateway_id, key_id)
    if status is None:
        raise KeyNotFoundError(f"The gateway {gateway_id} has no key {key_id.hex()}: choose one that is listed")
    if status not in ("active", "pending"):
        raise KeyRevokedError(f"The key {key_id.hex()} is {status}: the gateway must make new keys and enrol them")
    retired = await repository.activate_key(connection, gateway_id, key_id, at_ms(clock.now_ms()))
    return AcceptedKey(
        gateway_id=gateway_id, key_id=key_id.hex(), status="active", retired_key_ids=[key.hex() for key in retired]
    )


async def revoke_key(connection: Connection, gateway_id: str, key_id: bytes, clock: Clock) -> RevokedKey:
    """Revokes a key, pending or active, for ever; revoking it again changes nothing.

    Raises:
        KeyNotFoundError: the gateway has no such key.
    """
    status = await repository.lock_key(connection, gateway_id, key_id)
    if status is None:
        raise KeyNotFoundError(f"The gateway {gateway_id} has no key {key_id.hex()}: choose one that is listed")
    await repository.revoke_key(connection, gateway_id, key_id, at_ms(clock.now_ms()))
    return RevokedKey(gateway_id=gateway_id, key_id=key_id.hex(), status="revoked")
