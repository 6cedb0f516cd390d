"""The rules of a deployment by themselves: its cost, programs of others, the parts that are missing."""

import hashlib
import struct
from dataclasses import replace
from typing import Any

import pytest
from solders.account import Account
from solders.keypair import Keypair

from hub.chain import deployment, loader
from hub.chain.bootstrap import Bootstrap
from hub.chain.deployment import FOUNDING_LAMPORTS, FeePayerEmptyError, ForeignProgramError, require_funds
from hub.chain.errors import ChainRefusedError
from hub.chain.pdas import UPGRADEABLE_LOADER, governance_upgrader
from hub.chain.programs import program_binary, published_hash
from hub.chain.setup import ProgramsDifferError
from hub.chain.status import ProgramState
from hub.chain.transaction_outcome import Status
from hub.chain.transactions import SignedTransaction

KEYS = Bootstrap.random()
CODE = bytes(range(256)) * 10


class Chain:
    """A chain on which an account's rent is a lamport a byte."""

    url = "http://node"

    def __init__(self, lamports: dict[Any, int] | None = None, account: Account | None = None) -> None:
        self._lamports, self._account = lamports or {}, account
        self.heights: list[int] = []
        self.statuses_left: list[list[Status | None]] = []

    async def rent(self, size: int) -> int:
        return size

    async def lamports(self, address: Any) -> int:
        return self._lamports.get(address, 0)

    async def raw_accounts(self, _: object) -> list[Account | None]:
        return [self._account]

    async def block_height(self) -> int:
        return self.heights.pop(0)

    async def statuses(self, _: object, *, history: bool) -> list[Status | None]:
        assert not history
        return self.statuses_left.pop(0)


def buffer_of(name: str) -> Keypair:
    """Returns the key that the buffer of a program has, by its definition."""
    code_hash = hashlib.sha256(program_binary(name)).digest()
    secret = KEYS.upgrade_authority.secret()
    return Keypair.from_seed(hashlib.sha256(b"peerwatt/buffer/1" + secret + code_hash).digest())


async def test_a_deployment_costs_rent_signatures_and_the_founding() -> None:
    names = ["oracle", "registry"]
    sizes = [len(program_binary(name)) for name in names]
    need = 100_000_000 + sum(45 + size + 36 + (-(-size // 870) + 3) * 2 * 5_000 for size in sizes) - 1_000
    assert FOUNDING_LAMPORTS == 100_000_000
    payer, left = KEYS.fee_payer.pubkey(), {buffer_of("oracle").pubkey(): 1_000}
    enough: Any = Chain({payer: need} | left)
    await deployment._check_funds(enough, KEYS, names)
    short: Any = Chain({payer: need - 1} | left)
    with pytest.raises(FeePayerEmptyError, match=f"the deployment needs up to {need}: ") as refused:
        await deployment._check_funds(short, KEYS, names)
    assert refused.value.code == "fee_payer_empty"
    await deployment._check_funds(short, KEYS, [])


@pytest.mark.parametrize(("missing", "says"), [(1, "0.001"), (1_000_000, "0.001"), (1_000_001, "0.002")])
async def test_what_is_missing_is_said_in_sol(missing: int, says: str) -> None:
    chain: Any = Chain({KEYS.fee_payer.pubkey(): 5})
    with pytest.raises(FeePayerEmptyError, match=f"has 5 lamports on http://node, .* send it {says} SOL. Nothing was"):
        await require_funds(chain, KEYS.fee_payer, 5 + missing, "it")


def state(**changes: Any) -> ProgramState:
    digest = published_hash("trading")
    ours = ProgramState("trading", "T", deployed=True, sha256=digest, published_sha256=digest,
                        upgrade_authority=str(KEYS.upgrade_authority.pubkey()), slot=1)  # fmt: skip
    return replace(ours, **changes)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"upgrade_authority": str(governance_upgrader())}, None),
        ({"upgrade_authority": str(Keypair().pubkey())}, ForeignProgramError),
        ({"upgrade_authority": None}, ForeignProgramError),
        ({"sha256": "00"}, ProgramsDifferError),
        ({"deployed": False, "sha256": None}, None),
    ],
)
def test_a_program_of_others_is_left_alone(changes: dict[str, Any], error: type[Exception] | None) -> None:
    chain: Any = Chain()
    if error is None:
        deployment._refuse_foreign(chain, KEYS, state(**changes))
        return
    with pytest.raises(error) as refused:
        deployment._refuse_foreign(chain, KEYS, state(**changes))
    if error is ForeignProgramError and changes["upgrade_authority"] is None:
        assert "under the upgrade authority nobody" in str(refused.value)


def buffer(code: bytes, authority: Keypair = KEYS.upgrade_authority) -> Account:
    return Account(1, struct.pack("<IB", 1, 1) + bytes(authority.pubkey()) + code, UPGRADEABLE_LOADER)


async def test_parts_that_are_not_in_the_buffer_are_missing() -> None:
    async def missing(account: Account | None) -> list[int]:
        chain: Any = Chain(account=account)
        chunks = await deployment._missing_chunks(chain, Keypair(), KEYS.upgrade_authority, CODE)
        assert all(chunk == CODE[offset : offset + loader.CHUNK_BYTES] for offset, chunk in chunks)
        return [offset for offset, _ in chunks]

    assert loader.CHUNK_BYTES == 870
    assert await missing(buffer(bytes(len(CODE)))) == [0, 870, 1740]
    assert await missing(buffer(CODE[:870] + bytes(870) + CODE[1740:])) == [870]
    assert await missing(buffer(CODE)) == []
    assert await missing(buffer(CODE[:-1] + b"x")) == [1740]
    for foreign in (None, buffer(CODE, Keypair()), buffer(CODE[:-1]), Account(1, b"", UPGRADEABLE_LOADER)):
        with pytest.raises(ChainRefusedError, match="is no buffer of ours"):
            await missing(foreign)


async def test_a_batch_is_waited_for_until_it_landed_or_can_not_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "_POLL_S", 0)
    confirmed, processed = Status(1, "confirmed", None), Status(1, "processed", None)
    key = Keypair()
    batch = [SignedTransaction(key.sign_message(b"x"), b"x", 7, 1)] * 2
    chain: Any = Chain()
    chain.heights, chain.statuses_left = [1, 1, 1, 1], [[None, confirmed], [processed, confirmed], [confirmed] * 2, []]
    await deployment._wait_for_batch(chain, batch)
    assert len(chain.heights) == 1
    chain.heights, chain.statuses_left = [7, 8, 9], [[None, None]] * 3
    await deployment._wait_for_batch(chain, batch)
    assert chain.heights == [9]
