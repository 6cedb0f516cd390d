"""Builds the instruction of each step, and names its signers, from the interval's rows."""

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain.instructions import energy_token, oracle, trading
from hub.postgres.db import Record
from hub.settlement.keys import SettlementKeys
from hub.settlement.repository import IntervalRows
from hub.settlement.steps.repository import StepRow


def instruction_of(
    step: StepRow, rows: IntervalRows, keys: SettlementKeys, currency_mint: Pubkey
) -> tuple[Instruction, list[Keypair]]:
    """Returns the step's instruction and its signers, of whom the first pays the fee."""
    payer, settler, start_s = keys.fee_payer.pubkey(), keys.settler.pubkey(), step.start_s
    if step.kind == "attest":
        attestors = [key.pubkey() for key in keys.attestors]
        return oracle.attest(payer, attestors, _attestation(rows)), [keys.fee_payer, *keys.attestors]
    if step.kind == "mint":
        return energy_token.mint_interval(payer, start_s), [keys.fee_payer]
    signers = [keys.fee_payer, keys.settler]
    if step.kind == "open":
        return trading.open_settlement(payer, settler, _commitment(rows)), signers
    if step.kind == "settle":
        batch = chain_lines(rows)[step.first_line : step.end_line]
        return trading.settle(settler, start_s, step.first_line or 0, batch), signers
    if rows.interval["line_count"]:
        return trading.close(settler, currency_mint, start_s), signers
    return trading.close_empty(payer, settler, start_s), signers


def chain_lines(rows: IntervalRows) -> list[trading.Line]:
    """Returns the interval's lines as the trading program takes them."""
    return [_line(row) for row in rows.lines]


def _attestation(rows: IntervalRows) -> oracle.Attestation:
    interval = rows.interval
    return oracle.Attestation(
        start_s=rows.start_s,
        merkle_root=bytes(interval["merkle_root"]),
        meters_valid=interval["meters_valid"],
        meters_estimated=interval["meters_estimated"],
        import_wh=interval["import_wh"],
        export_wh=interval["export_wh"],
    )


def _commitment(rows: IntervalRows) -> trading.Commitment:
    interval = rows.interval
    return trading.Commitment(
        start_s=rows.start_s,
        lines_root=bytes(interval["lines_root"]),
        line_count=interval["line_count"],
        sold_wh=interval["sold_wh"],
        bought_wh=interval["bought_wh"],
        credit_micros=interval["credit_micros"],
        debit_micros=interval["debit_micros"],
        clearing_price_mills=interval["clearing_price_mills"],
        journal_hash=bytes(interval["journal_hash"]),
    )


def _line(row: Record) -> trading.Line:
    return trading.Line(
        Pubkey.from_string(row["wallet"]), row["sold_wh"], row["bought_wh"], row["credit_micros"], row["debit_micros"]
    )
