"""Enrols the gateway: trades a one-time token for an identity, over HTTPS with the pinned CA.

The request is signed with the frame key, which proves to the hub that the gateway holds it.
"""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from edge.errors import ConfigError, HubUnreachableError, RefusedError
from edge.uplink.identity import Identity
from edge.wire import keys

PROOF_DOMAIN = b"peerwatt/enrol/1"
PATH = "/api/v1/enrolment"
TIMEOUT_S = 15
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True)
class EnrolmentAnswer:
    """The hub's answer; ``identity`` is None as long as an operator has not accepted the key."""

    identity: Identity | None
    key_id: str


def proof_message(gateway_id: str, token: str, nats_public_key: str) -> bytes:
    """Returns the bytes that the frame key signs: the domain, then each text after one byte with its length.

    Raises:
        ValueError: a text has more than 255 bytes.
    """
    parts = [text.encode() for text in (gateway_id, token, nats_public_key)]
    return PROOF_DOMAIN + b"".join(bytes([len(part)]) + part for part in parts)


def enrol(
    hub_url: str, ca_file: Path, gateway_id: str, token: str, frame_key: SigningKey, nats_public_key: str
) -> EnrolmentAnswer:
    """Asks the hub for an identity; the same token with the same keys gets the same answer again.

    Raises:
        ConfigError: the token has no possible form, or the CA file can not be read.
        HubUnreachableError: there is no connection to a hub with this CA.
        RefusedError: the hub refused, or its answer can not be read; ``code`` says why.
    """
    if not 1 <= len(token) <= 128 or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError("This is no token: use it exactly as `peerwatt-hub token` printed it")
    request = {
        "gateway_id": gateway_id,
        "token": token,
        "public_key": bytes(frame_key.verify_key).hex(),
        "nats_public_key": nats_public_key,
        "proof": keys.sign(frame_key, proof_message(gateway_id, token, nats_public_key)).hex(),
    }
    status, answer = _post(hub_url, ca_file, json.dumps(request).encode())
    if status != 200:
        text = answer.get("detail") or answer.get("title") or f"HTTP {status}"
        raise RefusedError(f"The hub refused: {text}", str(answer.get("code", f"http_{status}")))
    return _answer(gateway_id, answer)


def _answer(gateway_id: str, answer: dict[str, Any]) -> EnrolmentAnswer:
    try:
        key_id = str(answer["key_id"])
        if answer["status"] != "active":
            return EnrolmentAnswer(None, key_id)
        names = ("nats_url", "nats_jwt", "nats_ca_pem", "receipt_public_key")
        identity = Identity(gateway_id, key_id, *(str(answer[name]) for name in names))
        keys.check_public_key(bytes.fromhex(identity.receipt_public_key))
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(
            f"The hub's answer makes no sense ({error}): are hub and agent of one version?", "answer"
        ) from error
    return EnrolmentAnswer(identity, key_id)


def _post(hub_url: str, ca_file: Path, body: bytes) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(hub_url)
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"hub.ca_file {ca_file} can not be read ({error}): copy the hub's ca.pem there") from error
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port or 443, timeout=TIMEOUT_S, context=context
    )
    try:
        connection.request("POST", PATH, body, {"Content-Type": "application/json", "Accept": "application/json"})
        with connection.getresponse() as response:
            answer = json.loads(response.read(MAX_ANSWER_BYTES))
        return response.status, answer if isinstance(answer, dict) else {}
    except ssl.SSLCertVerificationError as error:
        raise HubUnreachableError(
            f"{hub_url} shows a certificate that {ca_file} did not sign ({error.verify_message}): "
            "check hub.url, or copy the hub's present ca.pem"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HubUnreachableError(
            f"{hub_url} can not be reached ({error}): check hub.url, network and firewall"
        ) from error
    finally:
        connection.close()
