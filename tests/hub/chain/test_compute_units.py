"""A transaction uses on the ledger the compute units of the virtual machine alone, and programs see the wall clock."""

import time

from solana.rpc.commitment import Confirmed
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import TransactionMetadata

from hub.chain import pdas
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.instructions import governance
from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.ledger.genesis import first_accounts, genesis_for
from support.servers.ledger import LedgerProcess
from support.settlement.campus import RATES


def units_in_virtual_machine(keys: Bootstrap) -> int:
    svm = LiteSVM()
    programs = {key: program_binary(name) for name, key in PROGRAM_IDS.items()}
    accounts = first_accounts(genesis_for(keys), Keypair().pubkey(), programs)
    for key, account in sorted(accounts.items(), key=lambda item: item[1].executable):
        svm.set_account(key, account)
    svm.set_account(keys.fee_payer.pubkey(), Account(10**12, b"", Pubkey.default()))
    signers = [keys.fee_payer, keys.upgrade_authority]
    message = Message([founding_instruction(keys)], keys.fee_payer.pubkey())
    result = svm.send_transaction(Transaction(signers, message, svm.latest_blockhash()))
    assert isinstance(result, TransactionMetadata), result
    return result.compute_units_consumed()


def founding_instruction(keys: Bootstrap) -> Instruction:
    members = [member.pubkey() for member in keys.members]
    payer, upgrade = keys.fee_payer.pubkey(), keys.upgrade_authority.pubkey()
    return governance.initialize(payer, upgrade, members[0], members, 2, RATES, 172_800)


async def test_compute_units_and_clock(ledger: LedgerProcess) -> None:
    random = Bootstrap.random()
    keys = Bootstrap(
        ledger.rich, ledger.rich, random.members, random.registrar, random.attestors, *[Keypair() for _ in range(3)]
    )
    async with ChainClient(ledger.url) as chain:
        signed = await chain.prepare([founding_instruction(keys)], [keys.fee_payer, keys.upgrade_authority])
        await chain.send(signed)
        await chain.wait(signed)
        confirmed = (await chain.rpc.get_transaction(signed.signature, commitment=Confirmed)).value
        pause = await chain.account("governance", "Pause", pdas.governance_pause())
    assert confirmed is not None
    assert confirmed.transaction.meta is not None
    budget_instruction = 150
    assert confirmed.transaction.meta.compute_units_consumed == units_in_virtual_machine(keys) + budget_instruction
    assert abs(pause.since_s - time.time()) < 30
