"""Corrections on the chain: each revision once, in order, with the contents of the database."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.clock import SystemClock, at_s
from hub.market.corrections import write_utility_lines
from hub.metering.corrections.service import correct_next
from hub.postgres.lease import LeaseLostError
from hub.settlement import repository
from hub.settlement.fees import PriorityFees
from hub.settlement.keys import SettlementKeys
from hub.settlement.onchain import ConflictError
from hub.settlement.revisions import RevisionSender
from support.killed_calls import killed_after
from support.rows.site_rows import lead, lost_lease
from support.settlement.campus import ENERGY, INTERVAL_S, SettlingCampus, meter_of


async def sender(campus: SettlingCampus) -> RevisionSender:
    keys = SettlementKeys(campus.keys.fee_payer, campus.keys.attestors, campus.keys.settler)
    return RevisionSender(campus.pool, await lead(campus.pool), SystemClock(), campus.chain, keys, PriorityFees())


async def corrected(campus: SettlingCampus, start_s: int, more_wh: int) -> int:
    """Corrects the first meter's export by so many Wh more; returns the revision."""
    await campus.pool.execute(
        "UPDATE readings SET export_wh = export_wh + $1 WHERE meter_id = $2 AND slot_at = $3",
        more_wh, meter_of(0), at_s(start_s + INTERVAL_S),
    )  # fmt: skip
    await campus.pool.execute(
        "INSERT INTO interval_marks VALUES ($1, $2, to_timestamp(0), to_timestamp(0))", at_s(start_s), meter_of(0)
    )
    done = await correct_next(
        campus.pool, await lead(campus.pool), SystemClock(), INTERVAL_S, None, write_utility_lines,
        secrets.token_bytes, quiet_ms=0,
    )  # fmt: skip
    assert done is not None
    return done.revision


async def on_chain(campus: SettlingCampus, start_s: int, revision: int) -> Any:
    return await campus.chain.account("oracle", "Interval", pdas.interval(start_s, revision), commitment=Finalized)


async def test_each_revision_is_attested_after_the_one_before(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    assert await corrected(campus, start_s, 5) == 2
    revisions = await sender(campus)
    assert await revisions.send_due() == [], "revision 1 is not on the chain yet"
    await (await campus.submitter()).settle_due()
    assert await corrected(campus, start_s, 7) == 3
    assert await revisions.send_due() == [(start_s, 2)]
    assert await revisions.send_due() == [(start_s, 3)]
    assert await revisions.send_due() == []
    for revision, export_wh in ((1, 1000), (2, 1005), (3, 1012)):
        account = await on_chain(campus, start_s, revision)
        root = await campus.pool.fetchval("SELECT merkle_root FROM attestations WHERE revision = $1", revision)
        assert (account.export_wh, bytes(account.merkle_root)) == (export_wh, root)


async def test_what_was_sent_before_a_kill_is_not_sent_again(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await corrected(campus, start_s, 5)
    with killed_after(repository, "record_revision"):
        await (await sender(campus)).send_due()
    assert await on_chain(campus, start_s, 2) is not None
    poor = replace(await sender(campus), fees=PriorityFees(-1))
    assert await poor.send_due() == [(start_s, 2)], "nothing that costs a fee is sent"
    await corrected(campus, start_s, 7)
    replaced = replace(await sender(campus), lease=await lost_lease(campus.pool))
    with pytest.raises(LeaseLostError):
        await replaced.send_due()


async def test_another_revision_on_the_chain_needs_a_person(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await corrected(campus, start_s, 5)
    await (await sender(campus)).send_due()
    await campus.pool.execute("UPDATE attestations SET export_wh = 9, final_at = NULL WHERE revision = 2")
    with pytest.raises(ConflictError, match="export_wh is 1005 on the chain and 9 here"):
        await (await sender(campus)).send_due()


async def test_what_the_program_refuses_for_good_is_recorded(campus: SettlingCampus) -> None:
    """More energy than its meters can pass."""
    start_s = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await corrected(campus, start_s, 5)
    await campus.pool.execute("UPDATE attestations SET export_wh = $1 WHERE revision = 2", 2**62)
    assert await (await sender(campus)).send_due() == []
    row = await campus.pool.fetchrow("SELECT final_at, refusal FROM attestations WHERE revision = 2")
    assert row is not None and row["final_at"] is None and "ImpossibleEnergy" in row["refusal"]
    assert await (await sender(campus)).send_due() == []
