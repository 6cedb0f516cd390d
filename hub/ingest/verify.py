"""Verifies one message, pure: bytes and subject in, a verdict out, which the service stores.

It checks the structure and the Merkle root first, then the gateway and its key, then the signature, then the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.wire.errors import BadSignatureError, WireError
from edge.wire.frames import Frame, decode_frame, verify_signature
from hub.ingest.contents import Contents, check_time, contents_of

FRAME_SUBJECT_PREFIX = "pw.frame."


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """An enrolled key of a gateway."""

    public_key: bytes
    status: str
    valid_until_ms: int | None = None

    def may_sign(self, sealed_at_ms: int) -> bool:
        """Whether the key may sign a frame of this time, in ms since 1970.

        A retired key may sign what it sealed before it was replaced, such as a backlog.
        """
        if self.status == "retired":
            return self.valid_until_ms is not None and sealed_at_ms <= self.valid_until_ms
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The registered gateways of one batch of messages, and their keys by (gateway id, key id)."""

    gateway_ids: frozenset[str]
    keys: Mapping[tuple[str, bytes], GatewayKey]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A verified frame and its contents."""

    frame: Frame
    contents: Contents


@dataclass(frozen=True, slots=True)
class Refused:
    """The reason why a message goes to quarantine."""

    code: str
    detail: str


Verdict = Accepted | Refused


def verify(payload: bytes, subject: str, key_ring: KeyRing, received_ms: int) -> Verdict:
    """Verifies one message, received at ``received_ms`` (since 1970); never raises, whatever a gateway sends."""
    try:
        frame = decode_frame(payload)
        refusal = _check_sender(frame, subject, key_ring)
        if refusal is not None:
            return refusal
        header = frame.header
        verify_signature(frame, key_ring.keys[header.gateway_id, header.key_id].public_key)
        check_time(header.sealed_at_ms // 1000)
        return Accepted(frame, contents_of(frame, received_ms))
    except BadSignatureError as error:
        return Refused("signature_invalid", str(error))
    except WireError as error:
        return Refused(error.code, str(error))


def gateway_of(subject: str) -> str:
    """Returns the gateway id in a subject."""
    return subject.removeprefix(FRAME_SUBJECT_PREFIX)


def _check_sender(frame: Frame, subject: str, key_ring: KeyRing) -> Refused | None:
    header = frame.header
    if subject != FRAME_SUBJECT_PREFIX + header.gateway_id:
        return Refused(
            "subject_mismatch", f"The header names {header.gateway_id}, the message came as {gateway_of(subject)[:64]}"
        )
    if header.gateway_id not in key_ring.gateway_ids:
        return Refused("gateway_unknown", f"No gateway {header.gateway_id} is registered: register and enrol it")
    key = key_ring.keys.get((header.gateway_id, header.key_id))
    if key is None:
        return Refused("key_unknown", f"{header.gateway_id} has no key {header.key_id.hex()}: enrol it")
    if not key.may_sign(header.sealed_at_ms):
        return Refused("key_not_active", f"The key {header.key_id.hex()} is {key.status}: accept it or enrol another")
    return None
