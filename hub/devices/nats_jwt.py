"""Builds NATS JWTs (decentralised authentication, claims version 2) from keys and a time in Unix seconds; pure.

Source: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import nkeys

UNLIMITED = -1
GATEWAY_SUBSCRIPTIONS = 16
GATEWAY_PAYLOAD_BYTES = 256 * 1024

GATEWAY_PUBLISH = ("pw.frame.{{name()}}", "pw.beat.{{name()}}")
GATEWAY_SUBSCRIBE = ("pw.receipt.{{name()}}", "pw.ask.{{name()}}", "_INBOX.{{name()}}.>")

HUB_INBOX = "_INBOX.HUB"
"""Gateway ids are lower case, so no gateway has this inbox."""
HUB_PUBLISH = ("pw.receipt.*", "pw.ask.*", "pw.event.>", "$JS.API.>", "$JS.ACK.>")
HUB_SUBSCRIBE = ("pw.beat.*", f"{HUB_INBOX}.>")


def generate(prefix: int, seed: bytes) -> nkeys.KeyPair:
    """Returns a key pair of the role that the prefix names; ``seed`` is 32 random bytes."""
    return nkeys.from_seed(bytearray(nkeys.encode_seed(seed, prefix)))


def public(key: nkeys.KeyPair) -> str:
    """Returns the public key in NATS's text form, such as ``U...`` for a user."""
    return bytes(key.public_key).decode()


def operator_jwt(operator: nkeys.KeyPair, system_account: str, issued_at_s: int) -> str:
    """Returns the JWT of the operator, who signs the accounts."""
    claims = {"type": "operator", "version": 2, "system_account": system_account}
    return _sign(operator, public(operator), "peerwatt", claims, issued_at_s)


def account_jwt(operator: nkeys.KeyPair, account: str, name: str, issued_at_s: int, *, disk_bytes: int = 0) -> str:
    """Returns the JWT of an account without scoped keys; with ``disk_bytes`` other than 0 it may use JetStream."""
    return _sign(operator, account, name, _account_claims(disk_bytes), issued_at_s)


def gateway_account_jwt(
    operator: nkeys.KeyPair, account: str, signing_key: str, issued_at_s: int, revoked: Mapping[str, int]
) -> str:
    """Returns the JWT of hub's and gateways' account; users that ``signing_key`` signs get a gateway's permissions.

    ``revoked`` maps a user's public key to the Unix second up to which its JWTs are void.
    """
    claims = _account_claims(UNLIMITED) | {"signing_keys": [_gateway_scope(signing_key)]}
    if revoked:
        claims["revocations"] = dict(revoked)
    return _sign(operator, account, "PEERWATT", claims, issued_at_s)


def gateway_jwt(signing_key: nkeys.KeyPair, account: str, gateway_id: str, user: str, issued_at_s: int) -> str:
    """Returns the JWT of a gateway; its permissions are the account's template, with the gateway's id filled in."""
    return _sign(signing_key, user, gateway_id, {"type": "user", "version": 2, "issuer_account": account}, issued_at_s)


def hub_jwt(account: nkeys.KeyPair, user: str, issued_at_s: int) -> str:
    """Returns the JWT of the hub's user, who reads the stream and answers gateways, but can not publish as one."""
    claims = {
        "type": "user",
        "version": 2,
        **_permissions(HUB_PUBLISH, HUB_SUBSCRIBE),
        **_user_limits(UNLIMITED, UNLIMITED),
    }
    return _sign(account, user, "hub", claims, issued_at_s)


def credentials(jwt: str, seed: str) -> str:
    """Returns the text of a credentials file, as NATS clients read it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def _gateway_scope(signing_key: str) -> dict[str, Any]:
    template = _permissions(GATEWAY_PUBLISH, GATEWAY_SUBSCRIBE)
    template |= _user_limits(GATEWAY_SUBSCRIPTIONS, GATEWAY_PAYLOAD_BYTES)
    template["allowed_connection_types"] = ["STANDARD"]
    return {"kind": "user_scope", "key": signing_key, "role": "gateway", "template": template}


def _permissions(publish: Sequence[str], subscribe: Sequence[str]) -> dict[str, Any]:
    return {"pub": {"allow": list(publish)}, "sub": {"allow": list(subscribe)}}


def _user_limits(subscriptions: int, payload: int) -> dict[str, Any]:
    return {"subs": subscriptions, "data": UNLIMITED, "payload": payload}


def _account_claims(disk_bytes: int) -> dict[str, Any]:
    jetstream = UNLIMITED if disk_bytes else 0
    limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), UNLIMITED)
    limits |= {"mem_storage": 0, "disk_storage": disk_bytes, "streams": jetstream, "consumer": jetstream}
    return {
        "type": "account",
        "version": 2,
        "limits": {**limits, "wildcards": True},
        "default_permissions": {"pub": {}, "sub": {}},
    }


def _sign(key: nkeys.KeyPair, subject: str, name: str, nats: Mapping[str, Any], issued_at_s: int) -> str:
    claims: dict[str, Any] = {"iat": issued_at_s, "iss": public(key), "name": name, "sub": subject, "nats": dict(nats)}
    claims["jti"] = base64.b32encode(hashlib.sha256(_json(claims)).digest()).decode().rstrip("=")
    body = f"{_base64(_json({'typ': 'JWT', 'alg': 'ed25519-nkey'}))}.{_base64(_json(claims))}"
    return f"{body}.{_base64(key.sign(body.encode()))}"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
