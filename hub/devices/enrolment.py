"""Checks an enrolment request: the form of its fields, and the proof that the sender holds the key; pure."""

import hashlib
import re
from dataclasses import dataclass

from edge.wire import keys
from edge.wire.errors import WireError
from hub.devices.errors import MalformedRequestError, ProofInvalidError
from hub.devices.nats_identity import is_user_key
from hub.devices.schemas import EnrolmentRequest

PROOF_DOMAIN = b"peerwatt/enrol/1"
TOKEN_DOMAIN = b"peerwatt/enrol-token/1"
GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Candidate:
    """A checked request; its sender holds the private key of ``public_key``."""

    gateway_id: str
    token_hash: bytes
    public_key: bytes
    nats_public_key: str

    @property
    def key_id(self) -> bytes:
        """The first 8 bytes of the key's SHA-256, as frame headers carry it."""
        return keys.key_id(self.public_key)

    @property
    def request_hash(self) -> bytes:
        """SHA-256 over gateway and keys; equal for requests with the same keys."""
        return hashlib.sha256(
            b"\0".join([self.gateway_id.encode(), self.public_key, self.nats_public_key.encode()])
        ).digest()


def token_hash(token: str) -> bytes:
    """Returns the hash under which a token is stored. A token has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(TOKEN_DOMAIN + token.encode()).digest()


def proof_message(gateway_id: str, token: str, nats_public_key: str) -> bytes:
    """Returns the bytes that the gateway's key signs."""
    parts = [text.encode() for text in (gateway_id, token, nats_public_key)]
    return PROOF_DOMAIN + b"".join(bytes([len(part)]) + part for part in parts)


def check(request: EnrolmentRequest) -> Candidate:
    """Checks a request.

    Raises:
        MalformedRequestError: a field has the wrong form; the message names it.
        ProofInvalidError: the proof is no signature of that key over this request.
    """
    if not GATEWAY_ID.fullmatch(request.gateway_id):
        raise MalformedRequestError("gateway_id must be 1 to 32 of a-z, 0-9 and -, and not begin with -")
    if not re.fullmatch(r"[\x21-\x7e]{1,128}", request.token):
        raise MalformedRequestError("token must be 1 to 128 visible ASCII characters: use it as it was printed")
    if not is_user_key(request.nats_public_key):
        raise MalformedRequestError("nats_public_key must be the public key of a NATS user (U...)")
    public_key, proof = _hex(request.public_key, 32, "public_key"), _hex(request.proof, 64, "proof")
    message = proof_message(request.gateway_id, request.token, request.nats_public_key)
    try:
        keys.verify(public_key, message, proof)
    except WireError as error:
        raise ProofInvalidError(
            "The proof is not a signature by public_key over this request: run `peerwatt-edge enroll` again"
        ) from error
    return Candidate(request.gateway_id, token_hash(request.token), public_key, request.nats_public_key)


def _hex(text: str, byte_count: int, name: str) -> bytes:
    if not re.fullmatch(f"[0-9a-f]{{{2 * byte_count}}}", text):
        raise MalformedRequestError(f"{name} must be {byte_count} bytes in lower-case hex")
    return bytes.fromhex(text)
