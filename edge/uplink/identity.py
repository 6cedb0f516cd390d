"""The gateway's identity, given by the hub at enrolment: the NATS JWT, the CA, and the key that signs receipts."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.errors import KeyFileError, NotEnrolledError
from edge.runtime.private_files import is_there, read_private, write_private

IDENTITY_FILE = "identity.json"


@dataclass(frozen=True)
class Identity:
    """How the gateway logs in at the hub's NATS, and the public key of its receipts in hex."""

    gateway_id: str
    key_id: str
    nats_url: str
    nats_jwt: str
    nats_ca_pem: str
    receipt_public_key: str

    def save(self, state_dir: Path) -> None:
        """Writes it into the state folder, mode 0600.

        Raises:
            KeyFileError: it can not be written.
        """
        try:
            write_private(state_dir / IDENTITY_FILE, json.dumps(asdict(self), indent=1) + "\n")
        except OSError as error:
            raise KeyFileError(
                f"{state_dir / IDENTITY_FILE} can not be written ({error.strerror}): check its folder"
            ) from error

    @classmethod
    def load(cls, state_dir: Path, gateway_id: str) -> "Identity":
        """Reads the identity from the state folder.

        Raises:
            NotEnrolledError: there is none, or it is another gateway's.
            KeyFileError: it is damaged, unreadable, or readable by others.
        """
        path = state_dir / IDENTITY_FILE
        if not is_there(path):
            raise NotEnrolledError(
                f"{gateway_id} is not enrolled: get a token with `peerwatt-hub token {gateway_id}` on the hub, "
                "then run `peerwatt-edge enroll --token TOKEN` here"
            )
        try:
            identity = cls(**json.loads(read_private(path)))
        except (ValueError, TypeError) as error:
            raise KeyFileError(f"{path} is damaged ({error}): enrol again with a new token") from error
        if identity.gateway_id != gateway_id:
            raise NotEnrolledError(f"{path} belongs to {identity.gateway_id}, not to {gateway_id}: correct gateway_id")
        return identity
