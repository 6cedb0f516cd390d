"""What the agent signs and logs in with: its two keys, and the identity that the hub gave it."""

from dataclasses import dataclass

from nacl.signing import SigningKey

from edge.keystore import load_frame_key, load_nats_key
from edge.settings import Settings
from edge.uplink.identity import Identity
from edge.uplink.nats_link import NatsLink


@dataclass(frozen=True)
class Credentials:
    """What the agent signs and logs in with."""

    frame_key: SigningKey
    identity: Identity
    link: NatsLink

    @classmethod
    def load(cls, settings: Settings) -> "Credentials":
        """Loads keys and identity from the state folder.

        Raises:
            NotEnrolledError: there is no identity, or it is another gateway's.
            KeyFileError: a file is missing, damaged, unreadable, or readable by others.
        """
        identity = Identity.load(settings.state_dir, settings.gateway_id)
        keys = settings.state_dir / "keys"
        return cls(load_frame_key(keys), identity, NatsLink(identity, load_nats_key(keys), settings.hub.nats_url))
