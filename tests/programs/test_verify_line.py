"""A line is known by the settlement that has committed to it: by simulation and by call, and no other line is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import SimulatedTransactionInfo

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.instructions import trading
from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import Exchange
from support.programs.refusals import check_forgeries_are_refused
from support.programs.svm import ROOT, START, swapped

RELAY = Pubkey.from_bytes(b"relay".ljust(32, b"."))
PROOF_BYTES = 1_024
MOST_LINES = 65_535


@pytest.fixture
def lines(exchange: Exchange) -> list[ChainLine]:
    """Three who pay and two who receive, committed to."""
    traders = [exchange.ready(f"trader {number}") for number in range(5)]
    wh = (20, 30, 50)
    made = [ChainLine(one.wallet, bought_wh=n, debit_micros=n * 4_130) for one, n in zip(traders[:3], wh, strict=True)]
    made += [ChainLine(one.wallet, sold_wh=50, credit_micros=200_000) for one in traders[3:]]
    exchange.attest_and_open(START, made)
    return made


def verify(lines: Sequence[ChainLine], at: int, **changes: Any) -> Instruction:
    """The check of line `at`, with changes to what is claimed."""
    line = lines[at]
    path = merkle.path([one.leaf(START, index) for index, one in enumerate(lines)], at)
    said = trading.Line(line.wallet, line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros)
    index, path = changes.pop("index", at), changes.pop("path", path)
    return trading.verify_line(START, index, replace(said, **changes), path)


def simulated(exchange: Exchange, ix: Instruction) -> bytes:
    """What the check returns to a simulation that nobody has signed for."""
    message = Message([ix], exchange.chain.payer.pubkey())
    unsigned = Transaction([exchange.chain.payer], message, exchange.chain.svm.latest_blockhash())
    found = exchange.chain.svm.simulate_transaction(unsigned)
    assert isinstance(found, SimulatedTransactionInfo), found
    returned: Any = found.meta()  # the wheel's stub leaves return_data out
    return bytes(returned.return_data().data)


def settle(exchange: Exchange, lines: Sequence[ChainLine]) -> None:
    """All lines."""
    exchange.chain.ok(exchange.settle(START, 0, lines), signers=[exchange.settler])


def relayed(exchange: Exchange, ix: Instruction) -> Instruction:
    """The same call, made by another program."""
    code = (ROOT / "programs/deploy/relay.so").read_bytes()
    exchange.chain.svm.add_program(RELAY, code)
    return Instruction(RELAY, ix.data, [AccountMeta(ix.program_id, False, False), *ix.accounts])


def test_every_line_is_known_before_and_after_the_close(exchange: Exchange, lines: list[ChainLine]) -> None:
    for index in range(len(lines)):
        assert simulated(exchange, verify(lines, index)) == b"\0"
    settle(exchange, lines)
    exchange.chain.ok(exchange.close(START), signers=[exchange.settler])
    for index in range(len(lines)):
        assert simulated(exchange, verify(lines, index)) == b"\1"
        exchange.chain.ok(verify(lines, index))
    exchange.check_books(START)


def test_another_program_may_ask(exchange: Exchange, lines: list[ChainLine]) -> None:
    assert simulated(exchange, relayed(exchange, verify(lines, 2))) == b"\0"
    exchange.chain.fails("NotCommittedLine", relayed(exchange, verify(lines, 2, debit_micros=1)))
    settle(exchange, lines)
    exchange.chain.ok(exchange.close(START), signers=[exchange.settler])
    assert simulated(exchange, relayed(exchange, verify(lines, 2))) == b"\1"


@pytest.mark.parametrize(
    "change",
    [
        {"sold_wh": 1},
        {"sold_wh": 2**32 - 1},
        {"bought_wh": 0},
        {"bought_wh": 31},
        {"bought_wh": 2**32 - 1},
        {"credit_micros": 1},
        {"credit_micros": 2**64 - 1},
        {"debit_micros": 0},
        {"debit_micros": 2**64 - 1},
        {"wallet": Pubkey.default()},
        {"index": 0},
        {"index": 2},
        {"index": 5},
        {"index": 2**32 - 1},
        {"path": []},
        {"path": [bytes(32)] * 3},
        {"path": [bytes(32)] * 20},
        {"path": [bytes(31)]},
    ],
)
def test_no_other_line_is_known(exchange: Exchange, lines: list[ChainLine], change: dict[str, Any]) -> None:
    exchange.chain.ok(verify(lines, 1))
    exchange.chain.fails("NotCommittedLine", verify(lines, 1, **change))


def test_no_line_counts_of_what_was_aborted_or_closed_empty(exchange: Exchange, lines: list[ChainLine]) -> None:
    chain, signers, other = exchange.chain, [exchange.settler], START + INTERVAL_S
    settle(exchange, lines)
    chain.ok(exchange.abort(START), signers=signers)
    chain.fails("NoLinesCount", verify(lines, 0))
    exchange.unwind(START, lines)
    chain.fails("NoLinesCount", verify(lines, 0))
    exchange.attest_and_mint(other)
    chain.ok(exchange.close_empty(other), signers=signers)
    elsewhere = swapped(verify(lines, 0), pdas.settlement(START), pdas.settlement(other))
    chain.fails("NoLinesCount", elsewhere)


def test_a_line_is_of_its_own_interval(exchange: Exchange, lines: list[ChainLine]) -> None:
    chain, other = exchange.chain, START + INTERVAL_S
    exchange.attest_and_open(other, lines)
    elsewhere = swapped(verify(lines, 0), pdas.settlement(START), pdas.settlement(other))
    chain.fails("NotCommittedLine", elsewhere)


def test_a_forged_settlement_proves_nothing(exchange: Exchange, lines: list[ChainLine]) -> None:
    chain, real = exchange.chain, pdas.settlement(START)
    check_forgeries_are_refused(chain, verify(lines, 0), "trading", real)
    market = swapped(verify(lines, 0), real, pdas.market())
    chain.fails("AccountDiscriminatorMismatch", market)


def test_the_proof_of_the_longest_settlement_fits_a_kilobyte(exchange: Exchange) -> None:
    path = [bytes(32)] * MOST_LINES.bit_length()
    line = trading.Line(Pubkey.default(), 2**32 - 1, 2**32 - 1, 2**64 - 1, 2**64 - 1)
    ix = trading.verify_line(START, MOST_LINES - 1, line, path)
    signed = Transaction([exchange.chain.payer], Message([ix], exchange.chain.payer.pubkey()), Hash.default())
    assert len(bytes(signed)) <= PROOF_BYTES
