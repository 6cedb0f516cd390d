"""The instruction and the signers of each step, from the interval's rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain.instructions import energy_token, oracle, trading
from hub.postgres.db import Record
from hub.settlement.keys import SettlementKeys
from hub.settlement.steps.repository import StepRow


@dataclass(frozen=True)
class IntervalRows:
    """What is committed for an interval, and its lines."""

    start_s: int
    facts: Record
    lines: Sequence[Record]


def instruction_of(
    step: StepRow, rows: IntervalRows, keys: SettlementKeys, currency_mint: Pubkey
) -> tuple[Instruction, list[Keypair]]:
    """What the step sends; the first signer pays."""
    payer, settler, start_s = keys.fee_payer.pubkey(), keys.settler.pubkey(), step.start_s
    if step.kind == "attest":
        said = _attestation(rows)
        made = oracle.attest(payer, [key.pubkey() for key in keys.attestors], said)
        return made, [keys.fee_payer, *keys.attestors]
    if step.kind == "mint":
        return energy_token.mint_interval(payer, start_s), [keys.fee_payer]
    signers = [keys.fee_payer, keys.settler]
    if step.kind == "open":
        return trading.open_settlement(payer, settler, _commitment(rows)), signers
    if step.kind == "settle":
        batch = chain_lines(rows)[step.first_line : step.end_line]
        return trading.settle(settler, start_s, step.first_line or 0, batch), signers
    if rows.facts["line_count"]:
        return trading.close(settler, currency_mint, start_s), signers
    return trading.close_empty(payer, settler, start_s), signers


def chain_lines(rows: IntervalRows) -> list[trading.Line]:
    """The interval's lines as the trading program takes them."""
    return [_line(row) for row in rows.lines]


def _attestation(rows: IntervalRows) -> oracle.Attestation:
    facts = rows.facts
    return oracle.Attestation(
        start_s=rows.start_s,
        merkle_root=bytes(facts["merkle_root"]),
        meters_valid=facts["meters_valid"],
        meters_estimated=facts["meters_estimated"],
        import_wh=facts["import_wh"],
        export_wh=facts["export_wh"],
    )


def _commitment(rows: IntervalRows) -> trading.Commitment:
    facts = rows.facts
    return trading.Commitment(
        start_s=rows.start_s,
        lines_root=bytes(facts["lines_root"]),
        line_count=facts["line_count"],
        sold_wh=facts["sold_wh"],
        bought_wh=facts["bought_wh"],
        credit_micros=facts["credit_micros"],
        debit_micros=facts["debit_micros"],
        clearing_price_mills=facts["clearing_price_mills"],
        journal_hash=bytes(facts["journal_hash"]),
    )


def _line(row: Record) -> trading.Line:
    return trading.Line(
        Pubkey.from_string(row["wallet"]), row["sold_wh"], row["bought_wh"], row["credit_micros"], row["debit_micros"]
    )
