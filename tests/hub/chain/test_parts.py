"""The pure parts of the chain's client: accounts, the loader's layouts, transactions' limits, range proofs."""

import hashlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from edge.wire import merkle
from hub.chain import loader
from hub.chain.accounts import AccountMismatchError, decode, discriminator, field_bytes, fixed_size
from hub.chain.instructions import loader as loader_instructions
from hub.chain.instructions import oracle
from hub.chain.pdas import UPGRADEABLE_LOADER
from hub.chain.transactions import MAX_COMPUTE_UNITS, MAX_TRANSACTION_BYTES, Blockhash, limit_for, sign
from hub.chain.unwind import LINES_PER_BATCH, range_proof
from support.programs.svm import pda

KEY, OTHER = Pubkey(bytes(range(32))), Pubkey(bytes(range(1, 33)))


# Accounts ------------------------------------------------------------------------------------------------------------


def test_a_filter_is_a_fields_bytes_at_its_place() -> None:
    assert discriminator("Market") == hashlib.sha256(b"account:Market").digest()[:8]
    offset, value = field_bytes("trading", "Account", "wallet", KEY)
    assert (offset, value) == (8, bytes(KEY))
    status_at, one = field_bytes("trading", "IntervalSettlement", "status", 1)
    after, _ = field_bytes("trading", "IntervalSettlement", "bump", 1)
    assert one == b"\1" and 8 < status_at != after
    with pytest.raises(LookupError, match=r"trading.Account has no field colour"):
        field_bytes("trading", "Account", "colour", 1)
    with pytest.raises(LookupError, match=r"registry.Meter.owner has no fixed offset: id before it varies"):
        field_bytes("registry", "Meter", "owner", KEY)
    with pytest.raises(LookupError, match=r"registry.Meter has no fixed size"):
        fixed_size("registry", "Meter")


def test_an_account_is_decoded_by_its_kind_or_refused() -> None:
    data = discriminator("MintedInterval") + bytes(fixed_size("energy_token", "MintedInterval") - 8)
    assert decode("energy_token", "MintedInterval", data).wh == 0
    for broken in (bytes(8) + data[8:], data[:7], data[:20]):
        with pytest.raises(AccountMismatchError) as refused:
            decode("energy_token", "MintedInterval", broken)
    assert refused.value.code == "account_mismatch"


# The loader ----------------------------------------------------------------------------------------------------------


def test_the_loaders_accounts() -> None:
    code = b"\x7fELF"
    data = struct.pack("<IQB", 3, 77, 1) + bytes(KEY) + code
    deployed = loader.decode_program_data(data)
    assert deployed == loader.ProgramData(77, KEY, code)
    assert loader.decode_program_data(struct.pack("<IQB", 3, 77, 0) + bytes(32)) == loader.ProgramData(77, None, b"")
    for other in (data[:44], struct.pack("<IQB", 2, 77, 1) + bytes(32), b""):
        assert loader.decode_program_data(other) is None
    program = Account(1, struct.pack("<I", 2) + bytes(OTHER), UPGRADEABLE_LOADER)
    assert not loader.points_to(program, KEY) and not loader.points_to(None, KEY)
    assert loader.points_to(Account(1, struct.pack("<I", 2) + bytes(KEY), UPGRADEABLE_LOADER), KEY)
    assert not loader.points_to(Account(1, struct.pack("<I", 2) + bytes(KEY), KEY), KEY)


def test_padding_behind_a_program_is_not_hashed() -> None:
    build = b"code\0"
    digest = hashlib.sha256(build).hexdigest()
    assert loader.code_hash(build, build) == loader.code_hash(build + bytes(9), build) == digest
    assert loader.code_hash(b"otherX" + bytes(9), build) == hashlib.sha256(b"otherX").hexdigest()
    assert loader.code_hash(build + b"more\0\0", build) == hashlib.sha256(build + b"more").hexdigest()


def test_a_buffer_is_read_when_it_is_ours() -> None:
    header = struct.pack("<IB", 1, 1) + bytes(KEY)
    assert loader.read_buffer(Account(1, header + b"code", UPGRADEABLE_LOADER), KEY) == b"code"
    assert loader.read_buffer(Account(1, header + b"code", OTHER), KEY) is None
    assert loader.read_buffer(Account(1, header + b"code", UPGRADEABLE_LOADER), OTHER) is None
    assert loader.read_buffer(Account(1, b"\2" + header[1:], UPGRADEABLE_LOADER), KEY) is None


def test_the_loaders_instructions() -> None:
    create, initialise = loader.create_buffer(KEY, OTHER, KEY, 100, 5)
    assert (create.data[4:12], create.data[12:20]) == ((5).to_bytes(8, "little"), (137).to_bytes(8, "little"))
    assert bytes(initialise.data) == bytes(4)
    assert [(meta.pubkey, meta.is_signer, meta.is_writable) for meta in initialise.accounts] == [
        (OTHER, False, True), (KEY, False, False),
    ]  # fmt: skip
    write = loader.write(OTHER, KEY, 870, b"xyz")
    assert bytes(write.data) == struct.pack("<IIQ", 1, 870, 3) + b"xyz"
    assert [(meta.pubkey, meta.is_signer, meta.is_writable) for meta in write.accounts] == [
        (OTHER, False, True), (KEY, True, False),
    ]  # fmt: skip
    program, data, buffer, authority = (Keypair().pubkey() for _ in range(4))
    create, deploy = loader.deploy(KEY, program, data, buffer, authority, 9, 7)
    assert create.data[12:20] == (36).to_bytes(8, "little") and bytes(deploy.data) == struct.pack("<IQ", 2, 9)
    assert [(meta.is_signer, meta.is_writable) for meta in deploy.accounts] == [
        (True, True), (False, True), (False, True), (False, True), (False, False), (False, False), (False, False),
        (True, False),
    ]  # fmt: skip
    handed = loader_instructions.hand_over("trading", KEY)
    assert bytes(handed.data) == b"\4\0\0\0"
    assert [(meta.pubkey, meta.is_signer, meta.is_writable) for meta in handed.accounts][1:] == [
        (KEY, True, False), (pda("governance", b"upgrader"), False, False),
    ]  # fmt: skip


def test_a_proof_is_of_the_first_revision_unless_another_is_named() -> None:
    first = oracle.verify_inclusion(900, bytes(32), 0, [])
    assert first.accounts[0].pubkey == pda("oracle", b"interval", (900).to_bytes(8, "little"), b"\1\0")
    second = oracle.verify_inclusion(900, bytes(32), 0, [], revision=2)
    assert second.accounts[0].pubkey == pda("oracle", b"interval", (900).to_bytes(8, "little"), b"\2\0")
    assert oracle.Attestation(900, bytes(32), 1, 0, 0, 0).revision == 1


def test_every_attestor_signs_an_attestation() -> None:
    """The first has an account of its own; the others follow the instruction's accounts."""
    attestors = [Keypair().pubkey() for _ in range(4)]
    instruction = oracle.attest(KEY, attestors, oracle.Attestation(900, bytes(32), 1, 0, 0, 0))
    signing = [account.pubkey for account in instruction.accounts if account.is_signer]
    assert signing == [KEY, *attestors]
    assert [account.is_writable for account in instruction.accounts[-3:]] == [False] * 3


# Transactions --------------------------------------------------------------------------------------------------------


def test_a_compute_limit_has_a_margin_and_a_bound() -> None:
    assert [limit_for(units) for units in (0, 1_000, 1_001)] == [1_000, 2_100, 2_102]
    assert (MAX_COMPUTE_UNITS, MAX_TRANSACTION_BYTES) == (1_400_000, 1_232)
    assert limit_for(1_271_818) == 1_400_000 and limit_for(1_271_810) == 1_399_991


def test_a_transaction_may_fill_a_packet() -> None:
    payer = Keypair()

    def signed(gifts: int, price: int = 0) -> Any:
        to = Keypair().pubkey()
        gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=1))
        return sign([gift] * gifts, [payer], Blockhash(Hash.default(), 9), 1_000, price)

    one, two = signed(1), signed(2)
    most = 1 + (MAX_TRANSACTION_BYTES - len(one.raw)) // (len(two.raw) - len(one.raw))
    assert len(signed(most).raw) <= MAX_TRANSACTION_BYTES
    empty = len(sign([Instruction(KEY, b"", [])], [payer], Blockhash(Hash.default(), 9), 1_000).raw)
    # from 128 bytes on the length of data takes a second byte
    full = Instruction(KEY, bytes(MAX_TRANSACTION_BYTES - empty - 1), [])
    assert len(sign([full], [payer], Blockhash(Hash.default(), 9), 1_000).raw) == MAX_TRANSACTION_BYTES
    with pytest.raises(ValueError, match="put less into it"):
        signed(most + 1)
    assert (one.last_valid_height, one.compute_limit) == (9, 1_000)
    assert one.signature == Transaction.from_bytes(one.raw).signatures[0]
    instructions = [len(Transaction.from_bytes(made.raw).message.instructions) for made in (one, signed(1, 1))]
    assert instructions == [2, 3], "a limit always, a price when there is one"


@given(st.integers(1, 40), st.data())
def test_a_range_proof_and_the_range_make_the_root(count: int, data: Any) -> None:
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(count)]
    first = data.draw(st.integers(0, count - 1))
    end = data.draw(st.integers(first + 1, count))
    proof = range_proof(leaves, first, end)
    left = list(proof)
    assert _root(leaves, first, end, left) == merkle.root(leaves) and left == []
    assert LINES_PER_BATCH == 5


def _root(leaves: list[bytes], first: int, end: int, proof: list[bytes], at: int = 0) -> bytes:
    """Returns the root of these leaves, from index ``at`` on; what is outside the range is taken from the proof."""
    if at + len(leaves) <= first or at >= end:
        return proof.pop(0)
    if len(leaves) == 1:
        return merkle.root(leaves)
    split = 1 << (len(leaves) - 1).bit_length() - 1
    low = _root(leaves[:split], first, end, proof, at)
    return merkle.node(low, _root(leaves[split:], first, end, proof, at + split))
