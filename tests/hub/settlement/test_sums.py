"""The sums over everything: what strangers can do to them is a note, what is missing is a difference."""

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


async def give(campus: SettlingCampus, to: Pubkey, micros: int) -> None:
    """A participant sends money straight to one of the programs' token accounts."""
    giver, mint = wallet_of(campus.people[0]), campus.keys.mint
    source = token.token_account(giver.pubkey(), mint)
    made = [
        token.create_token_account(campus.keys.fee_payer.pubkey(), giver.pubkey(), mint),
        token.mint_to(mint, giver.pubkey(), campus.keys.mint_authority.pubkey(), micros),
        Instruction(
            TOKEN_PROGRAM,
            bytes([12]) + micros.to_bytes(8, "little") + bytes([CURRENCY_DECIMALS]),
            [
                AccountMeta(source, is_signer=False, is_writable=True),
                AccountMeta(mint, is_signer=False, is_writable=False),
                AccountMeta(to, is_signer=False, is_writable=True),
                AccountMeta(giver.pubkey(), is_signer=True, is_writable=False),
            ],
        ),
    ]
    await campus.chain.run(made, [campus.keys.fee_payer, campus.keys.mint_authority, giver])


async def test_a_gift_is_a_note_and_no_difference(
    lone_campus: SettlingCampus, capsys: pytest.CaptureFixture[str]
) -> None:
    campus = lone_campus
    await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await give(campus, pdas.currency_pool(), 1)
    await give(campus, pdas.vault("loss"), 2)
    report = await compare_all(campus.pool, campus.chain)
    assert (report.checked, report.differences) == (1, [])
    assert [note.split(" than ")[0] for note in report.notes] == [
        "1 micros more in the pool",
        "2 micros more in the vaults",
    ]
    assert command.say(report, as_json=False) == 0
    assert "note: 1 micros more in the pool" in capsys.readouterr().out
    assert command.say(report, as_json=True) == 0
    assert '"notes": ["1 micros more' in capsys.readouterr().out


async def test_what_is_missing_is_a_difference(lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch) -> None:
    balance = lone_campus.chain.token_balance

    async def one_less(address: Pubkey, **options: object) -> int:
        return await balance(address, **options) - 1  # type: ignore[arg-type]

    monkeypatch.setattr(lone_campus.chain, "token_balance", one_less)
    sums = await compare_sums(lone_campus.chain, 0)
    assert [one.split(":")[0] for one in sums.differences] == [
        "1 micros are missing in the pool",
        "3 micros are missing in the vaults",
    ]


async def test_only_open_settlements_are_fetched(lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed ones stay on the chain for ever, and a node answers with a limited number."""
    campus = lone_campus
    start = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()

    async def having(status: int) -> list[Pubkey]:
        found = await campus.chain.all_accounts("trading", "IntervalSettlement", where={"status": status})
        return [address for address, _ in found]

    assert await having(onchain.CLOSED) == [pdas.settlement(start)]
    assert await having(onchain.OPEN) == []
    asked, every = [], campus.chain.all_accounts

    async def noted(program: str, kind: str, **options: Any) -> list[tuple[Pubkey, Any]]:
        asked.append((kind, options.get("where")))
        return await every(program, kind, **options)

    monkeypatch.setattr(campus.chain, "all_accounts", noted)
    await compare_sums(campus.chain, 0)
    assert ("IntervalSettlement", {"status": onchain.OPEN}) in asked


async def test_what_was_collected_is_not_missing(lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch) -> None:
    read, collected_micros = lone_campus.chain.account, 10

    async def collected(program: str, kind: str, address: Pubkey, **options: object) -> Any:
        found = await read(program, kind, address, **options)  # type: ignore[arg-type]
        if kind == "Market":
            object.__setattr__(found, "charges_total_micros", 10)
            object.__setattr__(found, "collected_total_micros", collected_micros)
        return found

    monkeypatch.setattr(lone_campus.chain, "account", collected)
    assert (await compare_sums(lone_campus.chain, 10)).differences == []
    collected_micros = 4
    (missing,) = (await compare_sums(lone_campus.chain, 10)).differences
    assert missing.startswith("6 micros are missing in the vaults")
