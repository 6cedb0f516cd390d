"""The judgement on one message, pure: bytes and subject in, a verdict out; the service stores what it says.

Structure and Merkle root first, then whose frame it is, then the signature, and only then what the records say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.wire.errors import BadSignatureError, WireError
from edge.wire.frames import Frame, decode_frame, verify_signature
from hub.ingest.contents import Contents, check_time, contents_of

FRAME_SUBJECT = "pw.frame."


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key that was enrolled for a gateway."""

    public_key: bytes
    status: str
    valid_until_ms: int | None = None

    def may_sign(self, sealed_at_ms: int) -> bool:
        """A retired key stays good for what it sealed before it was replaced, such as a backlog."""
        if self.status == "retired":
            return self.valid_until_ms is not None and sealed_at_ms <= self.valid_until_ms
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The gateways and keys that verdicts are made with: the lookup of one batch."""

    gateway_ids: frozenset[str]
    keys: Mapping[tuple[str, bytes], GatewayKey]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A frame whose signature verified."""

    frame: Frame
    contents: Contents


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message goes to quarantine."""

    code: str
    detail: str


Verdict = Accepted | Refused


def verify(payload: bytes, subject: str, lookup: KeyRing) -> Verdict:
    """Judges one message; never raises for anything that a gateway can send."""
    try:
        frame = decode_frame(payload)
        refusal = _refuse_sender(frame, subject, lookup)
        if refusal is not None:
            return refusal
        header = frame.header
        verify_signature(frame, lookup.keys[header.gateway_id, header.key_id].public_key)
        check_time(header.sealed_at_ms // 1000)
        return Accepted(frame, contents_of(frame))
    except BadSignatureError as error:
        return Refused("signature_invalid", str(error))
    except WireError as error:
        return Refused(error.code, str(error))


def gateway_of(subject: str) -> str:
    """The gateway that a subject names."""
    return subject.removeprefix(FRAME_SUBJECT)


def _refuse_sender(frame: Frame, subject: str, lookup: KeyRing) -> Refused | None:
    header = frame.header
    if subject != FRAME_SUBJECT + header.gateway_id:
        return Refused(
            "subject_mismatch", f"The header names {header.gateway_id}, the message came as {gateway_of(subject)[:64]}"
        )
    if header.gateway_id not in lookup.gateway_ids:
        return Refused("gateway_unknown", f"No gateway {header.gateway_id} is registered: register and enrol it")
    key = lookup.keys.get((header.gateway_id, header.key_id))
    if key is None:
        return Refused("key_unknown", f"{header.gateway_id} has no key {header.key_id.hex()}: enrol it")
    if not key.may_sign(header.sealed_at_ms):
        return Refused("key_not_active", f"The key {header.key_id.hex()} is {key.status}: accept it or enrol another")
    return None
