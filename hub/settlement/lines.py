"""A settlement line: what one participant's trades of an interval net to, and its leaf; pure.

The trading program computes the same leaf and folds the same root while lines are settled.
"""

from dataclasses import dataclass
from hashlib import sha256
from struct import pack
from uuid import UUID

from hub.units import Micros, Wh

_DOMAIN = b"peerwatt/line/1"


@dataclass(frozen=True, slots=True)
class Line:
    """Gross energy and money of one participant; debit with charges."""

    participant_id: UUID
    wallet: bytes
    """32 bytes: the owner of the trading account."""
    sold_wh: Wh
    bought_wh: Wh
    credit_micros: Micros
    debit_micros: Micros

    @property
    def pays(self) -> bool:
        """Payers owe on balance and come before receivers."""
        return self.debit_micros > self.credit_micros


def line_leaf(start_s: int, index: int, line: Line) -> bytes:
    """The leaf of the line at its place; 32 bytes."""
    words = pack("<qI32sQQ", start_s, index, line.wallet, line.sold_wh, line.bought_wh)
    return sha256(_DOMAIN + words + pack("<QQ", line.credit_micros, line.debit_micros)).digest()
