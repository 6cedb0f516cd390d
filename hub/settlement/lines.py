"""A settlement line: what one participant's trades of an interval net to, and its leaf; pure.

The trading program computes the same leaf and folds the same root while lines are settled.
"""

from dataclasses import dataclass
from uuid import UUID

from solders.pubkey import Pubkey

from edge.wire import ladder
from hub.postgres.db import Record
from hub.units import Micros, Wh


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
    energy, money = (line.sold_wh, line.bought_wh), (line.credit_micros, line.debit_micros)
    return ladder.line_leaf(start_s, index, line.wallet, *energy, *money)


def line_of(row: Record) -> Line:
    """The line as it is stored, the wallet in base58.

    Raises:
        ValueError: the wallet can not be read.
    """
    wallet = bytes(Pubkey.from_string(row["wallet"]))
    energy = Wh(row["sold_wh"]), Wh(row["bought_wh"])
    return Line(row["participant_id"], wallet, *energy, Micros(row["credit_micros"]), Micros(row["debit_micros"]))
