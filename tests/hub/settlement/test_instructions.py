"""Each step becomes the instruction that does it, with the figures of the interval's rows and its signers."""

from dataclasses import replace
from typing import Any, cast

import pytest
from solders.keypair import Keypair

from hub.chain.instructions import energy_token, oracle, trading
from hub.postgres.db import Record
from hub.settlement.instructions import instruction_of
from hub.settlement.keys import SettlementKeys
from hub.settlement.steps.repository import StepRow
from support.settlement.closed_interval import NO_LINES, START_S, rows

KEYS = SettlementKeys(Keypair(), (Keypair(), Keypair()), Keypair())
PAYER, SETTLER, MINT = KEYS.fee_payer.pubkey(), KEYS.settler.pubkey(), Keypair().pubkey()
WALLETS = [Keypair().pubkey() for _ in range(3)]
LINES = [trading.Line(wallet, 10 + n, 20 + n, 30 + n, 40 + n) for n, wallet in enumerate(WALLETS)]
NAMES = ("sold_wh", "bought_wh", "credit_micros", "debit_micros")
LINE_ROWS = [{"wallet": str(line.wallet)} | {name: getattr(line, name) for name in NAMES} for line in LINES]
ATTESTORS = [key.pubkey() for key in KEYS.attestors]


def made(kind: str, first: int | None = None, end: int | None = None, **changes: Any) -> tuple[Any, list[Keypair]]:
    interval = replace(rows(**changes), lines=cast("list[Record]", LINE_ROWS))
    return instruction_of(StepRow(START_S, kind, 0, first, end, "planned", None, None), interval, KEYS, MINT)


def test_attestation_and_mint() -> None:
    attestation = oracle.Attestation(START_S, b"m" * 32, 3, 1, 1400, 1000)
    assert made("attest") == (oracle.attest(PAYER, ATTESTORS, attestation), [KEYS.fee_payer, *KEYS.attestors])
    assert made("mint") == (energy_token.mint_interval(PAYER, START_S), [KEYS.fee_payer])


def test_a_settlement_commits_to_all_of_the_rows() -> None:
    commitment = trading.Commitment(START_S, b"l" * 32, 3, 900, 900, 3_708_000, 3_825_000, 4120, b"j" * 32)
    assert made("open") == (
        trading.open_settlement(PAYER, SETTLER, commitment), [KEYS.fee_payer, KEYS.settler],
    )  # fmt: skip
    other = made("open", sold_wh=1, bought_wh=2, credit_micros=3, debit_micros=4, clearing_price_mills=5)[0]
    assert other == trading.open_settlement(
        PAYER, SETTLER, replace(commitment, sold_wh=1, bought_wh=2, credit_micros=3, debit_micros=4,
                                clearing_price_mills=5),
    )  # fmt: skip


@pytest.mark.parametrize(("first", "end"), [(0, 2), (2, 3), (0, 3)])
def test_a_batch_of_lines_is_settled(first: int, end: int) -> None:
    assert made("settle", first, end) == (
        trading.settle(SETTLER, START_S, first, LINES[first:end]), [KEYS.fee_payer, KEYS.settler],
    )  # fmt: skip


def test_it_is_closed_with_or_without_lines() -> None:
    signers = [KEYS.fee_payer, KEYS.settler]
    assert made("close") == (trading.close(SETTLER, MINT, START_S), signers)
    assert made("close", **NO_LINES) == (trading.close_empty(PAYER, SETTLER, START_S), signers)
