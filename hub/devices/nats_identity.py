"""The hub's NATS identity: keys of operator, accounts and user as 0600 files, and the server's configuration.

``prepare`` runs where the server runs. The device listener needs only ``GatewayIssuer``, whose key can sign identities
of gateways and nothing else.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nkeys

from hub.clock import Clock
from hub.devices import nats_jwt
from hub.devices.pki import ServerCertificate
from hub.devices.private_files import read_private, write_private
from hub.errors import ConfigError

_ROLES = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "system": nkeys.PREFIX_BYTE_ACCOUNT,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "gateway-signing": nkeys.PREFIX_BYTE_ACCOUNT,
    "hub": nkeys.PREFIX_BYTE_USER,
}


@dataclass(frozen=True)
class NatsIdentity:
    """All NATS keys of the hub, and the path of its credentials file."""

    keys: Mapping[str, nkeys.KeyPair]
    creds_file: Path
    issued_at_s: int

    def server_config(
        self,
        certificate: ServerCertificate,
        *,
        port: int,
        store_dir: Path,
        host: str = "127.0.0.1",
        max_file: str = "8GB",
        revoked: Mapping[str, int] | None = None,
    ) -> str:
        """Returns the server's configuration: TLS, permissions by JWT, JetStream with fsync before an acknowledgement.

        ``revoked`` maps NATS public keys to the Unix second up to which their JWTs are void. A running server reads a
        new text on SIGHUP and drops revoked connections at once.
        """
        operator, account, system = (self.keys[name] for name in ("operator", "account", "system"))
        accounts = {
            nats_jwt.public(account): nats_jwt.gateway_account_jwt(
                operator,
                nats_jwt.public(account),
                nats_jwt.public(self.keys["gateway-signing"]),
                self.issued_at_s,
                revoked or {},
            ),
            nats_jwt.public(system): nats_jwt.account_jwt(
                operator, nats_jwt.public(system), "SYSTEM", self.issued_at_s
            ),
        }
        preload = "\n".join(f"  {key}: {json.dumps(jwt)}" for key, jwt in accounts.items())
        operator_claims = nats_jwt.operator_jwt(operator, nats_jwt.public(system), self.issued_at_s)
        return f"""
server_name: peerwatt-hub
host: {json.dumps(host)}
port: {port}
operator: {json.dumps(operator_claims)}
system_account: {nats_jwt.public(system)}
resolver: MEMORY
resolver_preload: {{
{preload}
}}
tls {{
  cert_file: {json.dumps(str(certificate.cert_file))}
  key_file: {json.dumps(str(certificate.key_file))}
  timeout: 5
}}
jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  sync_interval: always
  max_mem: 16MB
  max_file: {max_file}
}}
max_payload: {nats_jwt.GATEWAY_PAYLOAD_BYTES}
max_connections: 4096
max_subscriptions: 65536
max_control_line: 4KB
max_pending: 16MB
write_deadline: "5s"
ping_interval: "30s"
ping_max: 2
"""


class GatewayIssuer:
    """Issues the NATS identities of gateways."""

    def __init__(self, signing_key: nkeys.KeyPair, account: str) -> None:
        self._signing_key = signing_key
        self._account = account

    @classmethod
    def load(cls, folder: Path) -> "GatewayIssuer":
        """Reads what ``prepare`` wrote into ``folder``.

        Raises:
            ConfigError: the files are missing or damaged.
        """
        account = read_private(folder / "account.pub").strip()
        return cls(_key(read_private(folder / "gateway-signing.nk"), folder), account)

    def issue(self, gateway_id: str, nats_public_key: str, now_s: int) -> str:
        """Returns the JWT with which the holder of that key may act as this gateway."""
        return nats_jwt.gateway_jwt(self._signing_key, self._account, gateway_id, nats_public_key, now_s)


def prepare(folder: Path, clock: Clock) -> NatsIdentity:
    """Creates the keys at the first start and reads them at every later one; ``folder`` gets mode 0700.

    Raises:
        ConfigError: a key file is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = {name: _load_or_create(folder / f"{name}.nk", prefix) for name, prefix in _ROLES.items()}
    now_s = clock.now_ms() // 1000
    account, user = keys["account"], keys["hub"]
    write_private(folder / "account.pub", nats_jwt.public(account))
    creds_file = folder / "hub.creds"
    jwt = nats_jwt.hub_jwt(account, nats_jwt.public(user), now_s)
    write_private(creds_file, nats_jwt.credentials(jwt, bytes(user.seed).decode()))
    return NatsIdentity(keys, creds_file, now_s)


def is_user_key(text: str) -> bool:
    """Returns whether the text is a well-formed public key of a NATS user (``U...``, with a right checksum)."""
    try:
        raw = base64.b32decode(text)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == 35 and raw[0] == nkeys.PREFIX_BYTE_USER and nkeys.crc16_checksum(raw[:33]) == raw[33:]


def _load_or_create(file: Path, prefix: int) -> nkeys.KeyPair:
    if not file.exists():
        write_private(file, bytes(nkeys.encode_seed(secrets.token_bytes(32), prefix)).decode())
    return _key(read_private(file), file)


def _key(seed: str, file: Path) -> nkeys.KeyPair:
    try:
        return nkeys.from_seed(bytearray(seed.strip().encode()))
    except (nkeys.NkeysError, ValueError) as error:
        raise ConfigError(f"{file} is not a NATS key seed ({error}): restore it from the backup") from error


def identity_folder(state_dir: Path) -> Path:
    """Returns the folder of NATS keys and credentials in a hub's state folder."""
    return state_dir / "nats-identity"
