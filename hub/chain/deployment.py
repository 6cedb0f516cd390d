"""Puts the five programs onto any Solana RPC: code into a buffer, buffer into a program, only what is missing.

A buffer's key follows from the upgrade authority's key and the code, so that a run that was killed finds its buffer
again and writes the parts that are not there. ``command`` founds the programs' first accounts afterwards.
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

Say = Callable[[str], None]

LAMPORTS_PER_SIGNATURE = 5_000
FOUNDING_LAMPORTS = 100_000_000
"""For the first accounts of all programs and their transactions; they take about a fifth of it."""
_TOGETHER, _ROUNDS, _POLL_S = 100, 20, 0.1
_CLOSED = "Unsupported instruction"
_WRITE_UNITS, _DEPLOY_UNITS = 6_000, 200_000


class FeePayerEmptyError(ConfigError):
    """The account that pays for transactions has less than what comes next takes."""

    code = "fee_payer_empty"


class ForeignProgramError(ConfigError):
    """At a program's address stands one that is not ours to found."""

    code = "foreign_program"


class LoaderClosedError(PermanentError):
    """The chain's runtime deploys no new programs of this loader."""

    code = "loader_closed"


async def deploy_programs(chain: ChainClient, keys: Bootstrap, say: Say) -> list[str]:
    """Deploys the programs that the chain does not run yet; their names.

    Raises:
        ProgramsDifferError, ForeignProgramError: one is there, but another build or under another authority.
        FeePayerEmptyError: the fee payer can not pay for all of it. Nothing was sent.
    """
    states = await program_states(chain)
    for state in states:
        _refuse_foreign(chain, keys, state)
    missing = [state.name for state in states if not state.deployed]
    await _check_funds(chain, keys, missing)
    for name in missing:
        await _deploy(chain, keys, name, say)
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
    """What a deployment takes is known beforehand: rent that stays, and a fee per signature."""
    if not missing:
        return
    need = FOUNDING_LAMPORTS
    for name in missing:
        code, buffer = program_binary(name), _buffer_key(keys, name).pubkey()
        parts = -(-len(code) // loader.CHUNK_BYTES)
        need += await chain.rent(loader.PROGRAM_DATA_HEADER + len(code)) + await chain.rent(loader.PROGRAM_BYTES)
        need += (parts + 3) * 2 * LAMPORTS_PER_SIGNATURE
        # what an earlier run left in its buffer pays for the program
        need -= await chain.lamports(buffer)
    await require_funds(chain, keys.fee_payer, need, "the deployment")


async def require_funds(chain: ChainClient, fee_payer: Keypair, need: int, purpose: str) -> None:
    """Compares the fee payer's balance with what comes next.

    Raises:
        FeePayerEmptyError: it has less.
    """
    address = fee_payer.pubkey()
    has = await chain.lamports(address)
    if has < need:
        raise FeePayerEmptyError(
            f"The fee payer {address} has {has} lamports on {chain.url}, and {purpose} needs up to {need}: "
            f"send it {-(-(need - has) // 10**6) / 1000:.3f} SOL. Nothing was sent"
        )


def _buffer_key(keys: Bootstrap, name: str) -> Keypair:
    code = hashlib.sha256(program_binary(name)).digest()
    secret = bytes(keys.upgrade_authority)[:32]
    return Keypair.from_seed(hashlib.sha256(b"peerwatt/buffer/1" + secret + code).digest())


async def _deploy(chain: ChainClient, keys: Bootstrap, name: str, say: Say) -> None:
    code, buffer, authority = program_binary(name), _buffer_key(keys, name), keys.upgrade_authority
    payer = keys.fee_payer.pubkey()
    await _ensure_buffer(chain, keys, buffer, len(code))
    for _ in range(_ROUNDS):
        parts = await _missing_parts(chain, buffer, authority, code)
        if not parts:
            break
        say(f"{name}: {len(parts)} of {-(-len(code) // loader.CHUNK_BYTES)} parts to write")
        await _write(chain, keys, buffer, parts)
    else:
        raise NotYetFinalError(f"{name} is not written after {_ROUNDS} rounds: run it again, it goes on from there")
    rent = await chain.rent(loader.PROGRAM_BYTES)
    program = program_key(name)
    made = loader.deploy(
        payer, program.pubkey(), pdas.program_data(name), buffer.pubkey(), authority.pubkey(), len(code), rent
    )
    transaction = await chain.prepare(made, [keys.fee_payer, program, authority], compute_limit=_DEPLOY_UNITS)
    try:
        await chain.send(transaction)
    except TransactionFailedError as error:
        if any(_CLOSED in line for line in error.logs):
            raise LoaderClosedError(
                f"{chain.url} takes no new programs through the upgradeable loader (its runtime has SIMD-0167 on): "
                "an embedded ledger that is older than its genesis.json's `features_off` begins anew to take them"
            ) from error
        raise
    await chain.wait(transaction)
    say(f"{name}: deployed at {program.pubkey()}")


async def _ensure_buffer(chain: ChainClient, keys: Bootstrap, buffer: Keypair, code_bytes: int) -> None:
    if (await chain.raw_accounts([buffer.pubkey()]))[0] is not None:
        return
    lamports = await chain.rent(loader.PROGRAM_DATA_HEADER + code_bytes)
    made = loader.create_buffer(
        keys.fee_payer.pubkey(), buffer.pubkey(), keys.upgrade_authority.pubkey(), code_bytes, lamports
    )
    await chain.run(made, [keys.fee_payer, buffer], until="confirmed")


async def _missing_parts(
    chain: ChainClient, buffer: Keypair, authority: Keypair, code: bytes
) -> list[tuple[int, bytes]]:
    """The parts of the code that do not stand in the buffer yet, with their places."""
    (account,) = await chain.raw_accounts([buffer.pubkey()])
    written = None if account is None else loader.read_buffer(account, authority.pubkey())
    if written is None or len(written) != len(code):
        raise ChainRefusedError(f"{buffer.pubkey()} on {chain.url} is no buffer of ours: run it again in a minute")
    places = range(0, len(code), loader.CHUNK_BYTES)
    parts = ((at, code[at : at + loader.CHUNK_BYTES]) for at in places)
    return [(at, part) for at, part in parts if written[at : at + len(part)] != part]


async def _write(chain: ChainClient, keys: Bootstrap, buffer: Keypair, parts: Sequence[tuple[int, bytes]]) -> None:
    """Sends the parts side by side; what is dropped is seen missing in the buffer and comes again."""
    authority = keys.upgrade_authority
    for first in range(0, len(parts), _TOGETHER):
        blockhash = await chain.latest_blockhash()
        batch = []
        for at, part in parts[first : first + _TOGETHER]:
            made = loader.write(buffer.pubkey(), authority.pubkey(), at, part)
            batch.append(
                await chain.prepare(
                    [made], [keys.fee_payer, authority], blockhash=blockhash, compute_limit=_WRITE_UNITS
                )
            )
        await asyncio.gather(*(chain.send(one, preflight=False) for one in batch))
        await _landed(chain, batch)


async def _landed(chain: ChainClient, batch: Sequence[SignedTransaction]) -> None:
    """Waits until each of them stands in a block, or can not any more."""
    while True:
        height = await chain.block_height()
        statuses = await chain.statuses([one.signature for one in batch], history=False)
        if all(one is not None and one.reached("confirmed") for one in statuses):
            return
        if height > batch[0].last_valid_height:
            return
        await asyncio.sleep(_POLL_S)
