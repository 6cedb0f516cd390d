"""The sums over all intervals: money that somebody sent is a note, money that is missing is a difference."""

from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import token
from hub.chain.instructions.idl_builder import TOKEN_PROGRAM
from hub.settlement import command, onchain
from hub.settlement.reconcile import compare_all, compare_sums
from support.settlement.campus import ENERGY, SettlingCampus, wallet_of

CURRENCY_DECIMALS = 6


async def send_money(campus: SettlingCampus, to: Pubkey, micros: int) -> None:
    """Sends a participant's money straight to one of the programs' token accounts."""
    sender, mint = wallet_of(campus.people[0]), campus.keys.mint
    source = token.token_account(sender.pubkey(), mint)
    instructions = [
        token.create_token_account(campus.keys.fee_payer.pubkey(), sender.pubkey(), mint),
        token.mint_to(mint, sender.pubkey(), campus.keys.mint_authority.pubkey(), micros),
        Instruction(
            TOKEN_PROGRAM,
            bytes([12]) + micros.to_bytes(8, "little") + bytes([CURRENCY_DECIMALS]),
            [
                AccountMeta(source, is_signer=False, is_writable=True),
                AccountMeta(mint, is_signer=False, is_writable=False),
                AccountMeta(to, is_signer=False, is_writable=True),
                AccountMeta(sender.pubkey(), is_signer=True, is_writable=False),
            ],
        ),
    ]
    await campus.chain.run(instructions, [campus.keys.fee_payer, campus.keys.mint_authority, sender])


async def test_a_gift_is_a_note_and_no_difference(
    lone_campus: SettlingCampus, capsys: pytest.CaptureFixture[str]
) -> None:
    campus = lone_campus
    await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await send_money(campus, pdas.currency_pool(), 1)
    await send_money(campus, pdas.vault("loss"), 2)
    report = await compare_all(campus.pool, campus.chain)
    assert (report.checked, report.differences) == (1, [])
    assert [note.split(" than ")[0] for note in report.notes] == [
        "1 micros more in the pool",
        "2 micros more in the vaults",
    ]
    assert command.print_report(report, as_json=False) == 0
    assert "note: 1 micros more in the pool" in capsys.readouterr().out
    assert command.print_report(report, as_json=True) == 0
    assert '"notes": ["1 micros more' in capsys.readouterr().out


async def test_what_is_missing_is_a_difference(lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch) -> None:
    balance = lone_campus.chain.token_balance

    async def one_less(address: Pubkey, **options: object) -> int:
        return await balance(address, **options) - 1  # type: ignore[arg-type]

    monkeypatch.setattr(lone_campus.chain, "token_balance", one_less)
    sums = await compare_sums(lone_campus.chain, 0)
    assert [difference.split(":")[0] for difference in sums.differences] == [
        "1 micros are missing in the pool",
        "3 micros are missing in the vaults",
    ]


async def test_only_open_settlements_are_fetched(lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed settlements stay on the chain for ever, and a node's answer is limited."""
    campus = lone_campus
    start_s = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()

    async def addresses(status: int) -> list[Pubkey]:
        settlements = await campus.chain.all_accounts("trading", "IntervalSettlement", where={"status": status})
        return [address for address, _ in settlements]

    assert await addresses(onchain.CLOSED) == [pdas.settlement(start_s)]
    assert await addresses(onchain.OPEN) == []
    requests, all_accounts = [], campus.chain.all_accounts

    async def recorded(program: str, kind: str, **options: Any) -> list[tuple[Pubkey, Any]]:
        requests.append((kind, options.get("where")))
        return await all_accounts(program, kind, **options)

    monkeypatch.setattr(campus.chain, "all_accounts", recorded)
    await compare_sums(campus.chain, 0)
    assert ("IntervalSettlement", {"status": onchain.OPEN}) in requests


async def test_what_was_collected_is_not_missing(lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch) -> None:
    read, collected_micros = lone_campus.chain.account, 10

    async def read_collected(program: str, kind: str, address: Pubkey, **options: object) -> Any:
        account = await read(program, kind, address, **options)  # type: ignore[arg-type]
        if kind == "Market":
            object.__setattr__(account, "charges_total_micros", 10)
            object.__setattr__(account, "collected_total_micros", collected_micros)
        return account

    monkeypatch.setattr(lone_campus.chain, "account", read_collected)
    assert (await compare_sums(lone_campus.chain, 10)).differences == []
    collected_micros = 4
    (missing,) = (await compare_sums(lone_campus.chain, 10)).differences
    assert missing.startswith("6 micros are missing in the vaults")
