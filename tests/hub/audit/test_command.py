"""`peerwatt-hub audit` against a real ledger and a real hub: public data is enough to find what is wrong."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from based58 import b58encode
from nacl.signing import SigningKey
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction_status import UiCompiledInstruction

from hub.audit.audit import PUBLIC_CHECKS, program_findings
from hub.audit.own_checks import ParticipantEvidence, own_checks
from hub.audit.settle_calls import SettleCall, settle_calls
from hub.chain import pdas, setup
from hub.chain.instructions import oracle
from hub.chain.programs import published_hash
from hub.chain.status import ProgramState
from hub.cli import EXIT_TRY_AGAIN, main
from hub.clock import rfc3339_s, to_s
from support.rows.own_proofs import GATEWAY, LeafRow, interval_rung, signed_reading
from support.settlement.campus import ENERGY, INTERVAL_S, SettlingCampus, meter_of, wallet_of

ALL = [check.name for check in PUBLIC_CHECKS]
OWN = [check.name for check in own_checks(ParticipantEvidence())]
HOUR_S = 3600
NOBODY_SELLS = (-100, -100, -100, -100, -100)


@dataclass
class Auditor:
    """Runs `peerwatt-hub audit` as somebody at a command line does."""

    capsys: pytest.CaptureFixture[str]
    url: str
    code: int = 0

    async def says(self, *words: str | Path) -> str:
        self.code = await asyncio.to_thread(main, ["audit", "--url", self.url, *map(str, words)])
        return self.capsys.readouterr().out

    async def verdicts(self, start_s: int, *words: str | Path) -> dict[str, str]:
        """Returns the verdicts on one interval, by check."""
        span = ("--from", rfc3339_s(start_s), "--to", rfc3339_s(start_s + INTERVAL_S))
        document = json.loads(await self.says(*span, *words, "--json"))
        assert document["programs"] == []
        (interval,) = document["intervals"]
        return {check["check"]: check["verdict"] for check in interval["checks"]}


@pytest.fixture
def auditor(capsys: pytest.CaptureFixture[str], campus: SettlingCampus) -> Auditor:
    return Auditor(capsys, campus.chain.url)


async def settled(campus: SettlingCampus, energy: tuple[int, ...] = ENERGY) -> int:
    start = await campus.interval(energy)
    assert await (await campus.submitter()).settle_due() == [start]
    return start


async def test_an_honest_hub_passes_from_outside(campus: SettlingCampus, hub_url: str, auditor: Auditor) -> None:
    traded, quiet = await settled(campus), await settled(campus, NOBODY_SELLS)
    verdicts = await auditor.verdicts(traded, "--hub", hub_url)
    assert auditor.code == 0
    assert verdicts == dict.fromkeys(ALL, "ok") | {"empty_without_trades": "not checked"}
    of_quiet = await auditor.verdicts(quiet, "--hub", hub_url)
    assert auditor.code == 0
    assert of_quiet["empty_without_trades"] == "ok"
    text = await auditor.says("--hub", hub_url, "--from", rfc3339_s(traded), "--to", rfc3339_s(traded + INTERVAL_S))
    assert "ok           clears_again" in text and "15 ok, 0 FAILED, 1 not checked: nothing was found" in text


async def test_a_hub_that_shows_another_journal_is_found(
    campus: SettlingCampus, hub_url: str, auditor: Auditor
) -> None:
    start = await settled(campus)
    await campus.pool.execute("UPDATE trades SET price_mills = price_mills + 1")
    verdicts = await auditor.verdicts(start, "--hub", hub_url)
    assert auditor.code == 1
    failed = {name for name, verdict in verdicts.items() if verdict == "FAILED"}
    assert failed == {"journal_committed", "clears_again", "trades_net_to_lines"}
    text = await auditor.says("--hub", hub_url, "--from", rfc3339_s(start), "--to", rfc3339_s(start + INTERVAL_S))
    assert "FAILED       journal_committed: the orders and trades shown are not those that were settled" in text
    assert text.rstrip().endswith("3 findings")


async def test_a_hub_that_shows_none_is_found(campus: SettlingCampus, hub_url: str, auditor: Auditor) -> None:
    start = await settled(campus)
    await campus.pool.execute("DELETE FROM clearings")
    assert (await auditor.verdicts(start, "--hub", hub_url))["journal_committed"] == "FAILED"
    assert (await auditor.verdicts(start))["journal_committed"] == "not checked"


async def test_a_kept_journal_and_ones_own_line(
    campus: SettlingCampus, hub_url: str, auditor: Auditor, tmp_path: Path
) -> None:
    start = await settled(campus)
    kept = tmp_path / "journal"
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{hub_url}/api/v1/clearings/{rfc3339_s(start)}/journal")
    kept.write_bytes(answer.content)
    seller, other = campus.people[0], campus.people[1]
    own = ("--participant", str(seller), "--wallet", str(wallet_of(seller).pubkey()))
    verdicts = await auditor.verdicts(start, "--journal", kept, *own)
    assert auditor.code == 0
    assert (verdicts["own_order"], verdicts["own_line"]) == ("ok", "ok")
    mixed = ("--participant", str(seller), "--wallet", str(wallet_of(other).pubkey()))
    verdicts = await auditor.verdicts(start, "--journal", kept, *mixed)
    assert (auditor.code, verdicts["own_line"]) == (1, "FAILED")
    verdicts = await auditor.verdicts(start, "--journal", kept, *own, "--ask-limit", "2300")
    assert verdicts["own_order"] == "FAILED"


async def test_lines_that_another_program_settled_are_read_too(campus: SettlingCampus) -> None:
    """The same instructions, as a node returns them when a program called them and not the transaction itself."""
    start, chain = await settled(campus), campus.chain
    address = pdas.settlement(start)
    rows = await campus.pool.fetch("SELECT signature FROM blockchain_transactions WHERE kind = 'settle' ORDER BY batch")
    direct: list[SettleCall] = []
    inner_calls: list[SettleCall] = []
    for row in rows:
        request = chain.rpc.get_transaction(Signature.from_string(row["signature"]), encoding="base64")
        response: Any = await chain.call(request)
        answer = response.value.transaction
        direct += settle_calls(answer, bytes(address))
        message: Any = answer.transaction.message
        inner = [
            UiCompiledInstruction(call.program_id_index, bytes(call.accounts), b58encode(bytes(call.data)).decode())
            for call in message.instructions
        ]
        indirect = SimpleNamespace(
            transaction=SimpleNamespace(message=SimpleNamespace(account_keys=message.account_keys, instructions=[])),
            meta=SimpleNamespace(loaded_addresses=None, inner_instructions=[SimpleNamespace(instructions=inner)]),
        )
        inner_calls += settle_calls(indirect, bytes(address))
    assert inner_calls == direct
    assert [call.first_index for call in direct] == [0, 2, 4]


async def proofs_of(campus: SettlingCampus, key: SigningKey, start_s: int, number: int, folder: Path) -> list[Path]:
    """Writes the proofs of the meter's readings at both ends of the interval; returns the files."""
    rows = await campus.pool.fetch("SELECT * FROM interval_readings WHERE revision = 1 ORDER BY leaf_index")
    names = ("meter_id", "import_wh", "export_wh", "blinding")
    leaves = [LeafRow(start_s, start_s + INTERVAL_S, *(row[name] for name in names)) for row in rows]
    query = "SELECT slot_at, import_wh, export_wh FROM readings WHERE meter_id = $1 ORDER BY slot_at"
    files = []
    for row in await campus.pool.fetch(query, meter_of(number)):
        slot_s, registers = to_s(row["slot_at"]), (row["import_wh"], row["export_wh"])
        document = signed_reading(key, meter_of(number), slot_s, registers)
        files.append(folder / f"{slot_s}.json")
        files[-1].write_text(json.dumps(document | {"interval": interval_rung(leaves, leaves[number])}))
    return files


async def test_ones_own_readings(campus: SettlingCampus, hub_url: str, auditor: Auditor, tmp_path: Path) -> None:
    start, key = await settled(campus), SigningKey.generate()
    proofs = await proofs_of(campus, key, start, 0, tmp_path)
    seller = campus.people[0]
    words: list[str | Path] = ["--participant", str(seller), "--wallet", str(wallet_of(seller).pubkey())]
    words += ["--hub", hub_url, *(word for file in proofs for word in ("--proof", file))]
    verdicts = await auditor.verdicts(start, *words)
    of_own = {name: verdict for name, verdict in verdicts.items() if name.startswith("own_")}
    assert of_own == dict.fromkeys(OWN, "ok") | {"own_proofs_hold": "FAILED"}, "a key that nobody has registered"
    public = Pubkey(bytes(key.verify_key))
    await setup.ensure_gateway_key(campus.chain, campus.keys, GATEWAY, public, start - HOUR_S)
    assert (await auditor.verdicts(start, *words))["own_proofs_hold"] == "ok"
    assert auditor.code == 0


async def test_corrections_are_read_too(campus: SettlingCampus, hub_url: str, auditor: Auditor) -> None:
    """A correction that speaks of fewer meters leaves somebody out."""
    start = await settled(campus)
    attestation = oracle.Attestation(start, bytes(32), len(ENERGY) - 1, 0, 0, 0, revision=2)
    attestors = [key.pubkey() for key in campus.keys.attestors]
    instruction = oracle.attest(campus.keys.fee_payer.pubkey(), attestors, attestation)
    await campus.chain.run([instruction], [campus.keys.fee_payer, *campus.keys.attestors])
    verdicts = await auditor.verdicts(start, "--hub", hub_url)
    assert {name for name, verdict in verdicts.items() if verdict == "FAILED"} == {"meters_attested"}


async def test_what_can_not_be_audited_is_said(
    campus: SettlingCampus, auditor: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    start = await settled(campus)
    span = ("--from", rfc3339_s(start), "--to", rfc3339_s(start + INTERVAL_S))
    for words, code, says in (
        (("--from", rfc3339_s(start), "--to", rfc3339_s(start)), 1, "name --from and --to"),
        ((*span, "--hub", "http://127.0.0.1:1"), EXIT_TRY_AGAIN, "check --hub"),
        ((*span, "--journal", "none"), 78, "name a journal"),
        ((*span, "--proof", "none"), 1, "name a proof"),
    ):
        assert await asyncio.to_thread(main, ["audit", "--url", campus.chain.url, *words]) == code, words
        assert says in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["audit", "--url", "http://127.0.0.1:1"]) == EXIT_TRY_AGAIN


def test_other_programs_than_the_published_are_a_finding() -> None:
    published, governance = published_hash("trading"), str(pdas.governance_upgrader())

    def findings(sha256: str, authority: str | None, *, deployed: bool = True) -> list[str]:
        return program_findings(
            ProgramState("trading", "address", deployed=deployed, sha256=sha256, published_sha256=published,
                         upgrade_authority=authority, slot=1)
        )  # fmt: skip

    assert findings(published, governance) == findings(published, None) == []
    assert "another build" in findings("00" * 32, governance)[0]
    assert "without governance" in findings(published, str(Pubkey.default()))[0]
    assert "not deployed" in findings(published, None, deployed=False)[0]
