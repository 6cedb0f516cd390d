"""Lines are read from `settle` calls on the settlement, wherever in a transaction they stand."""

from types import SimpleNamespace
from typing import Any

import pytest
from based58 import b58encode
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.audit.settle_calls import SettleCall, parse_settle, settle_calls, settled_lines
from hub.chain import pdas
from hub.chain.instructions import trading
from hub.chain.programs import PROGRAM_IDS
from support.programs.svm import START

WALLETS = [Pubkey(bytes([number]) * 32) for number in (1, 2)]
LINES = [trading.Line(WALLETS[0], 0, 346, 0, 1_470_500), trading.Line(WALLETS[1], 900, 0, 3_708_000, 0)]
ACCOUNTS = tuple(bytes(pdas.account(wallet)) for wallet in WALLETS)
SETTLER = Pubkey(bytes([9]) * 32)
SETTLEMENT = bytes(pdas.settlement(START))
CALL = SettleCall(4, ((0, 346, 0, 1_470_500), (900, 0, 3_708_000, 0)), ACCOUNTS)


def settle(first_index: int = 4) -> Instruction:
    return trading.settle(SETTLER, START, first_index, LINES)


def parsed(instruction: Instruction, settlement: bytes = SETTLEMENT) -> SettleCall | None:
    return parse_settle(bytes(instruction.data), [bytes(meta.pubkey) for meta in instruction.accounts], settlement)


def test_a_settle_of_this_settlement_is_parsed() -> None:
    assert parsed(settle()) == CALL
    assert parsed(settle(), bytes(pdas.settlement(START + 900))) is None


@pytest.mark.parametrize(
    "instruction",
    [
        trading.close(SETTLER, Pubkey(bytes([8]) * 32), START),
        Instruction(PROGRAM_IDS["trading"], b"", settle().accounts),
        Instruction(PROGRAM_IDS["trading"], bytes(settle().data)[:-1], settle().accounts),
        Instruction(PROGRAM_IDS["trading"], bytes(8), settle().accounts),
    ],
    ids=["another instruction", "no data", "cut short", "nobody's"],
)
def test_anything_else_is_no_settle(instruction: Instruction) -> None:
    assert parsed(instruction) is None


def transaction(
    *outer: Instruction, inner: tuple[Instruction, ...] | None = (), loaded: tuple[int, int] = (0, 0)
) -> Any:
    """Returns what `getTransaction` returns of these calls.

    Of the keys, the last are loaded from lookup tables: so many writable ones, and then so many read-only.
    """
    calls = (*outer, *(inner or ()))
    keys = list(dict.fromkeys(key for call in calls for key in (call.program_id, *(m.pubkey for m in call.accounts))))
    at = {key: index for index, key in enumerate(keys)}

    def compiled(call: Instruction, data: Any) -> Any:
        accounts = bytes(at[meta.pubkey] for meta in call.accounts)
        return SimpleNamespace(program_id_index=at[call.program_id], data=data, accounts=accounts)

    split = len(keys) - sum(loaded)
    tables = SimpleNamespace(writable=keys[split : split + loaded[0]], readonly=keys[split + loaded[0] :])
    groups = [
        SimpleNamespace(instructions=[compiled(call, b58encode(bytes(call.data)).decode())]) for call in inner or ()
    ]
    message = SimpleNamespace(
        account_keys=keys[:split], instructions=[compiled(call, bytes(call.data)) for call in outer]
    )
    return SimpleNamespace(
        transaction=SimpleNamespace(message=message),
        meta=SimpleNamespace(
            loaded_addresses=tables if any(loaded) else None, inner_instructions=None if inner is None else groups
        ),
    )


def test_calls_are_found_outside_inside_and_by_loaded_addresses() -> None:
    assert settle_calls(transaction(settle()), SETTLEMENT) == [CALL]
    assert settle_calls(transaction(settle(), inner=None), SETTLEMENT) == [CALL]
    assert settle_calls(transaction(inner=(settle(),)), SETTLEMENT) == [CALL]
    assert settle_calls(transaction(settle(), loaded=(1, 1)), SETTLEMENT) == [CALL]
    several = transaction(settle(0), settle(2), inner=(settle(4), settle(6)))
    assert [call.first_index for call in settle_calls(several, SETTLEMENT)] == [0, 2, 4, 6]
    assert settle_calls(transaction(settle()), bytes(32)) == []


def test_another_program_with_the_same_words_settles_nothing() -> None:
    copied = Instruction(PROGRAM_IDS["oracle"], bytes(settle().data), settle().accounts)
    assert settle_calls(transaction(copied), SETTLEMENT) == []
    assert settle_calls(transaction(inner=(copied,)), SETTLEMENT) == []


def test_lines_are_in_the_settlements_order_with_their_wallets() -> None:
    later = SettleCall(6, ((1, 2, 3, 4),), ACCOUNTS[:1])
    wallets = dict(zip(ACCOUNTS, (b"a" * 32, b"b" * 32), strict=True))
    lines = settled_lines([later, CALL], wallets)
    assert [(line.wallet[:1], line.figures) for line in lines] == [
        (b"a", (0, 346, 0, 1_470_500)),
        (b"b", (900, 0, 3_708_000, 0)),
        (b"a", (1, 2, 3, 4)),
    ]


def test_lines_without_their_accounts_are_no_lines() -> None:
    """The trading program refuses such a call; only another program in its place could have taken it."""
    with pytest.raises(ValueError, match="zip"):
        settled_lines([SettleCall(0, ((1, 2, 3, 4),), ACCOUNTS)], dict.fromkeys(ACCOUNTS, bytes(32)))
