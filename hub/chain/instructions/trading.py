"""Builds the trading program's instructions: custody, mandates, settlement of an interval, charges."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import build, struct
from hub.chain.instructions.token import token_account
from hub.chain.programs import PROGRAM_IDS


@dataclass(frozen=True)
class Mandate:
    """What a wallet allows the settler; prices in mills per kWh, all-in (charges included) for buying."""

    expiry_s: int
    """Unix seconds; an interval must end by then."""
    max_price_mills: int
    min_price_mills: int
    max_wh: int
    """Per interval, for sales and for purchases each."""
    horizon_s: int
    max_debit_micros: int
    """Per interval."""
    max_day_debit_micros: int
    """Per delivery day (UTC)."""
    reserve_micros: int
    nonce: int
    """One more than the last mandate's; the first is 1."""


@dataclass(frozen=True)
class Line:
    """One wallet's sums in an interval: the line that a settlement settles."""

    wallet: Pubkey
    sold_wh: int
    bought_wh: int
    credit_micros: int
    debit_micros: int


@dataclass(frozen=True)
class Commitment:
    """What a settlement commits to when it opens: the lines' Merkle root, sums, price and the journal's hash."""

    start_s: int
    lines_root: bytes
    line_count: int
    sold_wh: int
    bought_wh: int
    credit_micros: int
    debit_micros: int
    clearing_price_mills: int
    journal_hash: bytes


def initialize(
    payer: Pubkey, upgrade_authority: Pubkey, currency_mint: Pubkey, settler: Pubkey, interval_s: int
) -> Instruction:
    """Founds the market with its pool and vaults; signed by payer and upgrade authority."""
    return build(
        "trading",
        "initialize",
        [settler, interval_s],
        {
            "payer": payer,
            "upgrade_authority": upgrade_authority,
            "authority": pdas.governance_authority(),
            "oracle_config": pdas.oracle_config(),
            "currency_mint": currency_mint,
            "market": pdas.market(),
            "pool": pdas.currency_pool(),
            **_vault_accounts(),
        },
    )


def open_account(payer: Pubkey, wallet: Pubkey) -> Instruction:
    """Opens an account for a wallet that is a registered participant; signed by payer and wallet."""
    accounts = {
        "payer": payer,
        "wallet": wallet,
        "participant": pdas.participant(wallet),
        "market": pdas.market(),
        "account": pdas.account(wallet),
    }
    return build("trading", "open_account", [], accounts)


def deposit(wallet: Pubkey, currency_mint: Pubkey, micros: int) -> Instruction:
    """Deposits from the wallet's token account into the pool; signed by the wallet."""
    return build("trading", "deposit", [micros], _transfer_accounts("source", wallet, currency_mint))


def withdraw(wallet: Pubkey, currency_mint: Pubkey, micros: int) -> Instruction:
    """Withdraws from the free balance to the wallet's token account; signed by the wallet."""
    return build("trading", "withdraw", [micros], _transfer_accounts("destination", wallet, currency_mint))


def set_mandate(wallet: Pubkey, mandate: Mandate) -> Instruction:
    """Sets the wallet's mandate; signed by the wallet."""
    argument = struct("trading", "MandateArgs", **asdict(mandate))
    return build(
        "trading",
        "set_mandate",
        [argument],
        {"wallet": wallet, "market": pdas.market(), "account": pdas.account(wallet)},
    )


def open_settlement(payer: Pubkey, settler: Pubkey, commitment: Commitment) -> Instruction:
    """Opens an interval's settlement; signed by payer and settler."""
    start_s = commitment.start_s
    args = asdict(commitment) | {
        "lines_root": list(commitment.lines_root),
        "journal_hash": list(commitment.journal_hash),
    }
    return build(
        "trading",
        "open",
        list(args.values()),
        {
            "payer": payer,
            "settler": settler,
            "market": pdas.market(),
            "interval": pdas.interval(start_s),
            "minted": pdas.minted_interval(start_s),
            "params": pdas.governance_params(),
            "pause": pdas.governance_pause(),
            "settlement": pdas.settlement(start_s),
        },
    )


def settle(settler: Pubkey, start_s: int, first_index: int, lines: Sequence[Line]) -> Instruction:
    """Settles the next lines in order, from ``first_index`` on; signed by the settler."""
    accounts = {"settler": settler, "market": pdas.market(), "settlement": pdas.settlement(start_s)}
    return build("trading", "settle", [first_index, _line_arguments(lines)], accounts, _trading_accounts(lines))


def abort(caller: Pubkey, start_s: int) -> Instruction:
    """Aborts a settlement; signed by the settler, or by anyone 24 hours after the interval's end."""
    accounts = {"caller": caller, "market": pdas.market(), "settlement": pdas.settlement(start_s)}
    return build("trading", "abort", [], accounts)


def return_lines(start_s: int, first_index: int, lines: Sequence[Line], range_proof: Sequence[bytes]) -> Instruction:
    """Returns these lines of an aborted settlement; ``range_proof`` proves that they were settled. Nobody signs."""
    arguments = [first_index, _line_arguments(lines), [list(node) for node in range_proof]]
    return build(
        "trading", "return_lines", arguments, {"settlement": pdas.settlement(start_s)}, _trading_accounts(lines)
    )


def close_aborted(start_s: int) -> Instruction:
    """Closes an aborted settlement whose lines are returned, and burns the interval's energy. Nobody signs."""
    return build("trading", "close_aborted", [], _closing_accounts(start_s))


def close(settler: Pubkey, currency_mint: Pubkey, start_s: int) -> Instruction:
    """Closes a settlement: moves the charges to the vaults and burns the interval's energy; signed by the settler."""
    accounts = {"settler": settler, "currency_mint": currency_mint, **_closing_accounts(start_s), **_vault_accounts()}
    return build("trading", "close", [], accounts | {"pool": pdas.currency_pool()})


def close_empty(payer: Pubkey, caller: Pubkey, start_s: int) -> Instruction:
    """Closes an interval without trades; signed by payer and caller (the settler, or anyone once too late to open)."""
    accounts = {"payer": payer, "caller": caller, **_closing_accounts(start_s), "interval": pdas.interval(start_s)}
    return build("trading", "close_empty", [start_s], accounts)


def adopt_settler(new_settler: Pubkey, proposal_index: int) -> Instruction:
    """Adopts the settler that proposal ``proposal_index`` decided; signed by the new settler."""
    accounts = {
        "market": pdas.market(),
        "proposal": pdas.governance_proposal(proposal_index),
        "new_settler": new_settler,
    }
    return build("trading", "adopt_settler", [], accounts)


def adopt_payees(wheeling: Pubkey, platform: Pubkey, loss: Pubkey, proposal_index: int) -> Instruction:
    """Adopts the token accounts that receive the charges, as proposal ``proposal_index`` decided. Nobody signs."""
    payees = {"wheeling": wheeling, "platform": platform, "loss": loss}
    accounts = {"market": pdas.market(), "proposal": pdas.governance_proposal(proposal_index), **payees}
    return build("trading", "adopt_payees", [], accounts)


def collect_charges(currency_mint: Pubkey, charge: str, payee: Pubkey) -> Instruction:
    """Moves a charge's whole vault to its payee. Nobody signs.

    Args:
        currency_mint: the market's currency.
        charge: wheeling, platform or loss.
        payee: the token account that the market names for it.
    """
    accounts = {
        "market": pdas.market(),
        "currency_mint": currency_mint,
        "vault": pdas.vault(charge),
        "payee": payee,
    }
    return build("trading", "collect_charges", [], accounts)


def verify_line(start_s: int, index: int, line: Line, path: Sequence[bytes]) -> Instruction:
    """Fails unless this is line ``index`` of the interval's settlement. Nobody signs.

    The instruction's return data says whether the line is final.

    Args:
        start_s: the interval's start in Unix seconds.
        index: the line's index in the settlement.
        line: the expected line.
        path: the leaf's siblings from the bottom up, as ``edge.wire.merkle.path`` returns them.
    """
    arguments = [index, line.wallet, *_line_arguments([line]), b"".join(path)]
    return build("trading", "verify_line", arguments, {"settlement": pdas.settlement(start_s)})


def _line_arguments(lines: Sequence[Line]) -> list[Any]:
    return [
        struct(
            "trading",
            "Line",
            sold_wh=line.sold_wh,
            bought_wh=line.bought_wh,
            credit_micros=line.credit_micros,
            debit_micros=line.debit_micros,
        )
        for line in lines
    ]


def _trading_accounts(lines: Sequence[Line]) -> list[AccountMeta]:
    return [AccountMeta(pdas.account(line.wallet), is_signer=False, is_writable=True) for line in lines]


def _transfer_accounts(token_account_role: str, wallet: Pubkey, currency_mint: Pubkey) -> dict[str, Pubkey]:
    return {
        "wallet": wallet,
        "market": pdas.market(),
        "account": pdas.account(wallet),
        "currency_mint": currency_mint,
        "pool": pdas.currency_pool(),
        token_account_role: token_account(wallet, currency_mint),
    }


def _vault_accounts() -> dict[str, Pubkey]:
    return {f"{name}_vault": pdas.vault(name) for name in ("wheeling", "platform", "loss")}


def _closing_accounts(start_s: int) -> dict[str, Pubkey]:
    return {
        "market": pdas.market(),
        "settlement": pdas.settlement(start_s),
        "energy_program": PROGRAM_IDS["energy_token"],
        "energy_state": pdas.energy_state(),
        "energy_mint": pdas.energy_mint(),
        "energy_pool": pdas.energy_pool(),
        "minted": pdas.minted_interval(start_s),
    }
