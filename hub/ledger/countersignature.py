"""An auditor's countersignature of a block. It shows whether the log up to the block was changed or cut off; pure."""

import json
import struct
from dataclasses import dataclass

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.blocks import Header

_TAG = b"peerwatt/countersignature/1"
_LAYOUT = struct.Struct("<32sQ32sQ")


@dataclass(frozen=True)
class Countersignature:
    """One auditor's signature over one block of one chain."""

    genesis_hash: bytes
    slot: int
    block_hash: bytes
    time_ms: int
    """Time of the block."""
    auditor: Pubkey
    signature: bytes

    @classmethod
    def sign(cls, genesis_hash: bytes, head: Header, auditor: Keypair) -> "Countersignature":
        content = _content(genesis_hash, head.slot, head.hash, head.time_ms)
        signature = bytes(auditor.sign_message(content))
        return cls(genesis_hash, head.slot, head.hash, head.time_ms, auditor.pubkey(), signature)

    @property
    def genuine(self) -> bool:
        """Whether the named auditor signed this."""
        content = _content(self.genesis_hash, self.slot, self.block_hash, self.time_ms)
        return Signature.from_bytes(self.signature).verify(self.auditor, content)

    def to_json(self) -> str:
        return json.dumps(
            {
                "genesis_hash": str(Hash(self.genesis_hash)),
                "slot": self.slot,
                "block_hash": str(Hash(self.block_hash)),
                "time_ms": self.time_ms,
                "auditor": str(self.auditor),
                "signature": str(Signature.from_bytes(self.signature)),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Countersignature":
        """Reads what to_json wrote.

        Raises:
            ValueError: the text is not a countersignature.
        """
        try:
            value = json.loads(text)
            parsed = cls(
                bytes(Hash.from_string(value["genesis_hash"])),
                int(value["slot"]),
                bytes(Hash.from_string(value["block_hash"])),
                int(value["time_ms"]),
                Pubkey.from_string(value["auditor"]),
                bytes(Signature.from_string(value["signature"])),
            )
            _content(parsed.genesis_hash, parsed.slot, parsed.block_hash, parsed.time_ms)
        except (ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
            raise ValueError(f"not a countersignature ({error})") from error
        except Exception as error:  # solders' ParseHashError is no ValueError
            raise ValueError(f"not a countersignature ({error})") from error
        return parsed


def _content(genesis_hash: bytes, slot: int, block_hash: bytes, time_ms: int) -> bytes:
    return _TAG + _LAYOUT.pack(genesis_hash, slot, block_hash, time_ms)
