"""The lines of a settlement out of its transactions, pure: an account on the chain keeps sums and roots only.

Comes from ``reader``; a `settle` that another program made for the settler counts like one of its own.
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
    """One `settle` instruction: the first line's index, the lines' figures, and the trading accounts they move."""

    first_index: int
    figures: tuple[tuple[int, int, int, int], ...]
    accounts: tuple[bytes, ...]


_SETTLEMENT, _FIXED_ACCOUNTS = 2, 3
"""Before the lines' accounts `settle` names settler, market and settlement."""


def settle_call(data: bytes, accounts: Sequence[bytes], settlement: bytes) -> SettleCall | None:
    """The instruction as it was sent to the trading program; None unless it is a `settle` of this settlement."""
    try:
        parsed: Any = coder("trading").instruction.parse(data)
    except Exception:  # noqa: BLE001 - construct raises many kinds, and anybody may send any bytes
        return None
    if parsed.name != "settle" or accounts[_SETTLEMENT] != settlement:
        return None
    figures = ((one.sold_wh, one.bought_wh, one.credit_micros, one.debit_micros) for one in parsed.data.lines)
    return SettleCall(parsed.data.first_index, tuple(figures), tuple(accounts[_FIXED_ACCOUNTS:]))


def settled_lines(calls: Iterable[SettleCall], wallets: dict[bytes, bytes]) -> tuple[SettledLine, ...]:
    """The lines in their order; ``wallets`` has the wallet behind each trading account."""
    return tuple(
        SettledLine(wallets[account], Wh(sold), Wh(bought), Micros(credit), Micros(debit))
        for call in sorted(calls, key=lambda one: one.first_index)
        for account, (sold, bought, credit, debit) in zip(call.accounts, call.figures, strict=True)
    )


def settle_calls(transaction: Any, settlement: bytes) -> list[SettleCall]:
    """All that a transaction did to this settlement, as `getTransaction` tells it in base64."""
    message, meta = transaction.transaction.message, transaction.meta
    loaded = meta.loaded_addresses
    keys = [*message.account_keys, *((*loaded.writable, *loaded.readonly) if loaded else ())]
    calls = (
        settle_call(data, [bytes(keys[index]) for index in accounts], settlement)
        for program, data, accounts in _instructions(message, meta)
        if keys[program] == PROGRAM_IDS["trading"]
    )
    return [call for call in calls if call is not None]


def _instructions(message: Any, meta: Any) -> Iterator[tuple[int, bytes, bytes]]:
    """Program, data and accounts of the instructions, and of those that these made."""
    for one in message.instructions:
        yield one.program_id_index, bytes(one.data), bytes(one.accounts)
    for group in meta.inner_instructions or ():
        for one in group.instructions:
            yield one.program_id_index, based58.b58decode(one.data.encode()), bytes(one.accounts)
