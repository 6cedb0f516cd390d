"""Extracts a settlement's lines from its transactions; the settlement's account keeps only sums and roots. Pure.

``reader`` supplies the transactions. A `settle` that another program calls for the settler counts as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import based58

from hub.audit.facts import SettledLine
from hub.chain.programs import PROGRAM_IDS, coder
from hub.units import Micros, Wh


@dataclass(frozen=True, slots=True)
class SettleCall:
    """One `settle` instruction."""

    first_index: int
    """The first line's index in the settlement."""
    figures: tuple[tuple[int, int, int, int], ...]
    """Each line's sold and bought Wh, credit and debit in micros."""
    accounts: tuple[bytes, ...]
    """Each line's trading account."""


_SETTLEMENT, _FIXED_ACCOUNTS = 2, 3
"""Indices: `settle` names settler, market and settlement before the lines' accounts."""


def parse_settle(data: bytes, accounts: Sequence[bytes], settlement: bytes) -> SettleCall | None:
    """Parses an instruction of the trading program; None unless it is a `settle` of this settlement."""
    try:
        parsed: Any = coder("trading").instruction.parse(data)
    except Exception:  # noqa: BLE001 - construct raises errors of many classes, and anybody may send any bytes
        return None
    if parsed.name != "settle" or accounts[_SETTLEMENT] != settlement:
        return None
    figures = ((line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros) for line in parsed.data.lines)
    return SettleCall(parsed.data.first_index, tuple(figures), tuple(accounts[_FIXED_ACCOUNTS:]))


def settled_lines(calls: Iterable[SettleCall], wallets: dict[bytes, bytes]) -> tuple[SettledLine, ...]:
    """Returns the lines in the settlement's order; ``wallets`` has the wallet of each trading account.

    Raises:
        ValueError: a call has another number of accounts than of lines, which the trading program refuses.
    """
    return tuple(
        SettledLine(wallets[account], Wh(sold), Wh(bought), Micros(credit), Micros(debit))
        for call in sorted(calls, key=lambda call: call.first_index)
        for account, (sold, bought, credit, debit) in zip(call.accounts, call.figures, strict=True)
    )


def settle_calls(transaction: Any, settlement: bytes) -> list[SettleCall]:
    """Returns the `settle` calls on this settlement in a transaction that `getTransaction` returned in base64."""
    message, meta = transaction.transaction.message, transaction.meta
    loaded = meta.loaded_addresses
    keys = [*message.account_keys, *((*loaded.writable, *loaded.readonly) if loaded else ())]
    calls = (
        parse_settle(data, [bytes(keys[index]) for index in accounts], settlement)
        for program, data, accounts in _instructions(message, meta)
        if keys[program] == PROGRAM_IDS["trading"]
    )
    return [call for call in calls if call is not None]


def _instructions(message: Any, meta: Any) -> Iterator[tuple[int, bytes, bytes]]:
    """Yields program index, data and account indices of the instructions and of their inner instructions."""
    for instruction in message.instructions:
        yield instruction.program_id_index, bytes(instruction.data), bytes(instruction.accounts)
    for group in meta.inner_instructions or ():
        for inner in group.instructions:
            yield inner.program_id_index, based58.b58decode(inner.data.encode()), bytes(inner.accounts)
