"""A settlement line, the sums of one participant's trades of an interval, and its leaf; pure.

The trading program computes the same leaf, and the same root over all leaves while lines are settled.
"""

from dataclasses import dataclass
from uuid import UUID

from solders.pubkey import Pubkey

from edge.wire import ladder
from hub.postgres.db import Record
from hub.units import Micros, Wh


@dataclass(frozen=True, slots=True)
class Line:
    """The energy and money of one participant, gross; the debit includes charges."""

    participant_id: UUID
    wallet: bytes
    """32 bytes, the public key of the trading account's owner."""
    sold_wh: Wh
    bought_wh: Wh
    credit_micros: Micros
    debit_micros: Micros

    @property
    def pays(self) -> bool:
        """Whether the participant is a payer, who owes on balance; payers come before receivers."""
        return self.debit_micros > self.credit_micros


def line_leaf(start_s: int, index: int, line: Line) -> bytes:
    """Returns the leaf, 32 bytes, of the line at this index."""
    energy, money = (line.sold_wh, line.bought_wh), (line.credit_micros, line.debit_micros)
    return ladder.line_leaf(start_s, index, line.wallet, *energy, *money)


def line_of(row: Record) -> Line:
    """Returns the line of a stored row, whose wallet is in base58.

    Raises:
        ValueError: the wallet is no public key.
    """
    wallet = bytes(Pubkey.from_string(row["wallet"]))
    energy = Wh(row["sold_wh"]), Wh(row["bought_wh"])
    return Line(row["participant_id"], wallet, *energy, Micros(row["credit_micros"]), Micros(row["debit_micros"]))
