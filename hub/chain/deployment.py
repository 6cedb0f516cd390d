"""Deploys those of the five programs that a chain lacks: writes the code to a buffer, then deploys the buffer.

A buffer's key is derived from the upgrade authority's key and the code. A run after a killed one therefore finds the
same buffer and writes the missing chunks only. ``command`` founds the programs' first accounts afterwards.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence

from solders.keypair import Keypair

from hub.chain import loader, pdas
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.errors import ChainRefusedError, NotYetFinalError, TransactionFailedError
from hub.chain.programs import program_binary, program_key
from hub.chain.setup import ProgramsDifferError, program_differs
from hub.chain.status import ProgramState, program_states
from hub.chain.transactions import SignedTransaction
from hub.errors import ConfigError, PermanentError

ReportProgress = Callable[[str], None]

LAMPORTS_PER_SIGNATURE = 5_000
FOUNDING_LAMPORTS = 100_000_000
"""Enough for the first accounts of all programs and their transactions, which need about a fifth of it."""
_BATCH_SIZE, _MAX_ROUNDS, _POLL_S = 100, 20, 0.1
_MAX_PARALLEL = 8
"""Requests at once: the HTTP client looks at every connection for each request, so that more of them take longer."""
_LOADER_CLOSED_LOG = "Unsupported instruction"
_WRITE_UNITS, _DEPLOY_UNITS = 6_000, 200_000


class FeePayerEmptyError(ConfigError):
    """The fee payer has fewer lamports than the next transactions need."""

    code = "fee_payer_empty"


class ForeignProgramError(ConfigError):
    """A program is deployed under an upgrade authority that is not ours."""

    code = "foreign_program"


class LoaderClosedError(PermanentError):
    """The chain's runtime refuses new programs of this loader."""

    code = "loader_closed"


async def deploy_programs(chain: ChainClient, keys: Bootstrap, report: ReportProgress) -> list[str]:
    """Deploys the programs that the chain does not run yet; returns their names.

    Raises:
        ProgramsDifferError, ForeignProgramError: a program is another build, or under another upgrade authority.
        FeePayerEmptyError: the fee payer can not pay for all of it. Nothing was sent.
        LoaderClosedError: the chain takes no new programs.
        NotYetFinalError: not all of the code could be written; a new run goes on from there.
        ChainRefusedError: a buffer's address holds something else.
    """
    states = await program_states(chain)
    for state in states:
        _refuse_foreign(chain, keys, state)
    missing = [state.name for state in states if not state.deployed]
    await _check_funds(chain, keys, missing)
    for name in missing:
        await _deploy(chain, keys, name, report)
    return missing


def _refuse_foreign(chain: ChainClient, keys: Bootstrap, state: ProgramState) -> None:
    if not state.deployed:
        return
    if not state.matches:
        raise ProgramsDifferError(program_differs(chain.url, state.name))
    # a founded chain has handed its code to governance
    if state.upgrade_authority not in {str(keys.upgrade_authority.pubkey()), str(pdas.governance_upgrader())}:
        raise ForeignProgramError(
            f"{chain.url} runs {state.name} under the upgrade authority {state.upgrade_authority or 'nobody'}, and the "
            f"keys here have {keys.upgrade_authority.pubkey()}: use the keys that deployed it (--keys)"
        )


async def _check_funds(chain: ChainClient, keys: Bootstrap, missing: Sequence[str]) -> None:
    """Checks that the fee payer can pay rent and signatures of the whole deployment, before anything is sent."""
    if not missing:
        return
    needed_lamports = FOUNDING_LAMPORTS
    for name in missing:
        code, buffer = program_binary(name), _buffer_key(keys, name).pubkey()
        chunk_count = -(-len(code) // loader.CHUNK_BYTES)
        needed_lamports += await chain.rent(loader.PROGRAM_DATA_HEADER + len(code)) + await chain.rent(
            loader.PROGRAM_BYTES
        )
        needed_lamports += (chunk_count + 3) * 2 * LAMPORTS_PER_SIGNATURE
        # the lamports that an earlier run left in the buffer pay for the program
        needed_lamports -= await chain.lamports(buffer)
    await require_funds(chain, keys.fee_payer, needed_lamports, "the deployment")


async def require_funds(chain: ChainClient, fee_payer: Keypair, needed_lamports: int, purpose: str) -> None:
    """Checks that the fee payer has the lamports that ``purpose`` needs.

    Raises:
        FeePayerEmptyError: it has less.
    """
    address = fee_payer.pubkey()
    balance = await chain.lamports(address)
    if balance < needed_lamports:
        missing_sol = -(-(needed_lamports - balance) // 10**6) / 1000
        raise FeePayerEmptyError(
            f"The fee payer {address} has {balance} lamports on {chain.url}, and {purpose} needs up to "
            f"{needed_lamports}: send it {missing_sol:.3f} SOL. Nothing was sent"
        )


def _buffer_key(keys: Bootstrap, name: str) -> Keypair:
    code_hash = hashlib.sha256(program_binary(name)).digest()
    secret = bytes(keys.upgrade_authority)[:32]
    return Keypair.from_seed(hashlib.sha256(b"peerwatt/buffer/1" + secret + code_hash).digest())


async def _deploy(chain: ChainClient, keys: Bootstrap, name: str, report: ReportProgress) -> None:
    code, buffer, authority = program_binary(name), _buffer_key(keys, name), keys.upgrade_authority
    payer = keys.fee_payer.pubkey()
    await _ensure_buffer(chain, keys, buffer, len(code))
    for _ in range(_MAX_ROUNDS):
        chunks = await _missing_chunks(chain, buffer, authority, code)
        if not chunks:
            break
        report(f"{name}: {len(chunks)} of {-(-len(code) // loader.CHUNK_BYTES)} parts to write")
        await _write(chain, keys, buffer, chunks)
    else:
        raise NotYetFinalError(f"{name} is not written after {_MAX_ROUNDS} rounds: run it again, it goes on from there")
    rent = await chain.rent(loader.PROGRAM_BYTES)
    program = program_key(name)
    instructions = loader.deploy(
        payer, program.pubkey(), pdas.program_data(name), buffer.pubkey(), authority.pubkey(), len(code), rent
    )
    transaction = await chain.prepare(instructions, [keys.fee_payer, program, authority], compute_limit=_DEPLOY_UNITS)
    try:
        await chain.send(transaction)
    except TransactionFailedError as error:
        if any(_LOADER_CLOSED_LOG in line for line in error.logs):
            raise LoaderClosedError(
                f"{chain.url} takes no new programs through the upgradeable loader (its runtime has SIMD-0167 on): "
                "an embedded ledger that is older than its genesis.json's `features_off` begins anew to take them"
            ) from error
        raise
    await chain.wait(transaction)
    report(f"{name}: deployed at {program.pubkey()}")


async def _ensure_buffer(chain: ChainClient, keys: Bootstrap, buffer: Keypair, code_bytes: int) -> None:
    if (await chain.raw_accounts([buffer.pubkey()]))[0] is not None:
        return
    lamports = await chain.rent(loader.PROGRAM_DATA_HEADER + code_bytes)
    instructions = loader.create_buffer(
        keys.fee_payer.pubkey(), buffer.pubkey(), keys.upgrade_authority.pubkey(), code_bytes, lamports
    )
    await chain.run(instructions, [keys.fee_payer, buffer], until="confirmed")


async def _missing_chunks(
    chain: ChainClient, buffer: Keypair, authority: Keypair, code: bytes
) -> list[tuple[int, bytes]]:
    """Returns the chunks of the code that are not in the buffer yet, with their offsets."""
    (account,) = await chain.raw_accounts([buffer.pubkey()])
    written = None if account is None else loader.read_buffer(account, authority.pubkey())
    if written is None or len(written) != len(code):
        raise ChainRefusedError(f"{buffer.pubkey()} on {chain.url} is no buffer of ours: run it again in a minute")
    offsets = range(0, len(code), loader.CHUNK_BYTES)
    chunks = ((offset, code[offset : offset + loader.CHUNK_BYTES]) for offset in offsets)
    return [(offset, chunk) for offset, chunk in chunks if written[offset : offset + len(chunk)] != chunk]


async def _write(chain: ChainClient, keys: Bootstrap, buffer: Keypair, chunks: Sequence[tuple[int, bytes]]) -> None:
    """Sends the chunks, some at once; the next round sees which of them were lost and sends those again."""
    authority, free = keys.upgrade_authority, asyncio.Semaphore(_MAX_PARALLEL)

    async def send(transaction: SignedTransaction) -> None:
        async with free:
            await chain.send(transaction, preflight=False)

    for first in range(0, len(chunks), _BATCH_SIZE):
        blockhash = await chain.latest_blockhash()
        batch = []
        for offset, chunk in chunks[first : first + _BATCH_SIZE]:
            instruction = loader.write(buffer.pubkey(), authority.pubkey(), offset, chunk)
            batch.append(
                await chain.prepare(
                    [instruction], [keys.fee_payer, authority], blockhash=blockhash, compute_limit=_WRITE_UNITS
                )
            )
        await asyncio.gather(*map(send, batch))
        await _wait_for_batch(chain, batch)


async def _wait_for_batch(chain: ChainClient, batch: Sequence[SignedTransaction]) -> None:
    """Waits until each transaction is in a block, or can not get into one any more."""
    while True:
        height = await chain.block_height()
        statuses = await chain.statuses([transaction.signature for transaction in batch], history=False)
        if all(status is not None and status.reached("confirmed") for status in statuses):
            return
        if height > batch[0].last_valid_height:
            return
        await asyncio.sleep(_POLL_S)
