"""The five programs in the Solana virtual machine: load, call by IDL, read what came of it.

Programs are loaded as the upgradeable loader leaves them, so that `initialize` finds an upgrade authority to ask.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from anchorpy.program.context import Context
from anchorpy.program.core import Program
from anchorpy.provider import Provider, Wallet
from anchorpy_core.idl import Idl
from solana.rpc.async_api import AsyncClient
from solders.account import Account
from solders.clock import Clock
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("governance", "registry", "oracle", "energy_token", "trading")
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
START = 1_750_000_500
"""Chain time at which tests begin: on the boundary of 900 s intervals."""

ANCHOR_ERROR = re.compile(r"Error Code: (\w+)\. Error Number: (\d+)")
CUSTOM_ERROR = re.compile(r"Program (\w+) failed: custom program error: (0x[0-9a-f]+)")
RUNTIME_ERROR = re.compile(r"(?:InstructionErrorFieldless\.|Fieldless\()(\w+)")


def deterministic_key(name: str) -> Keypair:
    """A key that is the same in every run, so that compute units are too."""
    return Keypair.from_seed(hashlib.sha256(f"test key {name}".encode()).digest())


PROGRAM_IDS = {
    name: Keypair.from_seed(hashlib.sha256(f"peerwatt/program/{name}/1".encode()).digest()).pubkey() for name in NAMES
}


@cache
def program(name: str) -> Any:
    """anchorpy's view of a program. Its client is never called: anchorpy builds, the machine executes."""
    idl = Idl.from_json((ROOT / f"hub/chain/idl/{name}.legacy.json").read_text())
    provider = Provider(AsyncClient("http://127.0.0.1:1"), Wallet(Keypair()))
    return Program(idl, PROGRAM_IDS[name], provider)


@lru_cache(maxsize=4_096)
def _decoded(name: str, data: bytes) -> Any:
    return program(name).coder.accounts.decode(data)


def program_type(name: str, type_name: str) -> Any:
    """A struct or enum of a program's IDL, to make arguments of."""
    return program(name).type[type_name]


@lru_cache(maxsize=16_384)
def pda(name: str, *seeds: bytes | Pubkey) -> Pubkey:
    """The address that program `name` derives from the seeds."""
    return Pubkey.find_program_address([bytes(seed) for seed in seeds], PROGRAM_IDS[name])[0]


def program_data_address(name: str) -> Pubkey:
    """Where the loader keeps the program's code and upgrade authority."""
    return Pubkey.find_program_address([bytes(PROGRAM_IDS[name])], LOADER)[0]


def instruction(
    name: str, call: str, *args: Any, remaining: Sequence[AccountMeta] = (), **accounts: Any
) -> Instruction:
    """A call of program `name`; an optional account that is None stays out. `system_program` fills itself in."""
    idl = next(item for item in program(name).idl.instructions if _snake(item.name) == call)
    if any(account.name == "systemProgram" for account in idl.accounts):
        accounts.setdefault("system_program", SYSTEM)
    given = {key: PROGRAM_IDS[name] if value is None else value for key, value in accounts.items()}
    context = Context(accounts=given, remaining_accounts=list(remaining))
    built: Instruction = program(name).instruction[call](*args, ctx=context)
    return built


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def unsigned(ix: Instruction, key: Pubkey) -> Instruction:
    """The same instruction, with `key` no longer asked to sign."""
    metas = [AccountMeta(m.pubkey, m.is_signer and m.pubkey != key, m.is_writable) for m in ix.accounts]
    return Instruction(ix.program_id, ix.data, metas)


def swapped(ix: Instruction, old: Pubkey, new: Pubkey) -> Instruction:
    """The same instruction with another account in a place."""
    metas = [AccountMeta(new if m.pubkey == old else m.pubkey, m.is_signer, m.is_writable) for m in ix.accounts]
    assert any(m.pubkey == old for m in ix.accounts), f"{old} is not among the accounts"
    return Instruction(ix.program_id, ix.data, metas)


@dataclass(frozen=True)
class Outcome:
    """What a transaction did: compute units, logs, events by name, and the error's name when it failed."""

    compute_units: int
    logs: list[str]
    error: str | None = None
    events: list[tuple[str, Any]] = field(default_factory=list)

    def event(self, name: str) -> Any:
        """The data of the only event of that name."""
        (data,) = [data for event, data in self.events if event == name]
        return data


def _error_name(result: FailedTransactionMetadata) -> str:
    """The program's or Anchor's error by name, a foreign program's as `program:0x1`, the runtime's by its variant."""
    logs = "\n".join(result.meta().logs())
    if found := ANCHOR_ERROR.search(logs):
        return found[1]
    if found := CUSTOM_ERROR.search(logs):
        return f"{found[1]}:{found[2]}"
    text = str(result.err())
    found = RUNTIME_ERROR.search(text) or re.search(r"TransactionErrorFieldless\.(\w+)", text)
    return found[1] if found else text


def _events(logs: list[str]) -> list[tuple[str, Any]]:
    found = []
    for line in logs:
        if line.startswith("Program data: "):
            data = line.removeprefix("Program data: ")
            parsed = [event for name in NAMES if (event := program(name).coder.events.parse(base64.b64decode(data)))]
            found += [(event.name, event.data) for event in parsed]
    return found


def assert_in_use(outcome: Outcome) -> None:
    """The transaction failed because an account that it creates exists already."""
    assert outcome.error is not None
    assert any("already in use" in line for line in outcome.logs), outcome.logs


class Chain:
    """A fresh machine with the five programs on it, one payer, and a clock that stands still until it is set."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.payer = deterministic_key("payer")
        self.upgrade_authority = deterministic_key("upgrade authority")
        self.svm.airdrop(self.payer.pubkey(), 10**12)
        for name in NAMES:
            self.load(name)
        self.set_time(START)

    def load(self, name: str) -> None:
        """Puts a program where the upgradeable loader would."""
        code = (ROOT / f"programs/deploy/{name}.so").read_bytes()
        header = struct.pack("<IQB32s", 3, 0, 1, bytes(self.upgrade_authority.pubkey()))
        where = program_data_address(name)
        self._put(where, header + code, executable=False)
        self._put(PROGRAM_IDS[name], struct.pack("<I32s", 2, bytes(where)), executable=True)

    def _put(self, address: Pubkey, data: bytes, *, executable: bool) -> None:
        lamports = self.svm.minimum_balance_for_rent_exemption(len(data))
        self.svm.set_account(address, Account(lamports, data, LOADER, executable))

    @property
    def now(self) -> int:
        """Chain time in unix seconds."""
        return int(self.svm.get_clock().unix_timestamp)

    def set_time(self, at: int) -> None:
        """Sets chain time."""
        clock = self.svm.get_clock()
        self.svm.set_clock(Clock(clock.slot, clock.epoch_start_timestamp, clock.epoch, clock.leader_schedule_epoch, at))

    def advance(self, seconds: int) -> None:
        """Lets chain time pass."""
        self.set_time(self.now + seconds)

    def key(self, name: str) -> Keypair:
        """A key of this name, with SOL to pay rent."""
        key = deterministic_key(name)
        if self.svm.get_balance(key.pubkey()) in (0, None):
            self.svm.airdrop(key.pubkey(), 10**10)
        return key

    def send(self, *ixs: Instruction, signers: Sequence[Keypair] = (), payer: Keypair | None = None) -> Outcome:
        """Runs one transaction, signed by the signers and by the payer, as a rule the chain's own, who pays for it."""
        self.svm.expire_blockhash()
        by = payer or self.payer
        keys = list({key.pubkey(): key for key in (by, *signers)}.values())
        message = Message(list(ixs), by.pubkey())
        result = self.svm.send_transaction(Transaction(keys, message, self.svm.latest_blockhash()))
        if isinstance(result, TransactionMetadata):
            return Outcome(result.compute_units_consumed(), result.logs(), events=_events(result.logs()))
        return Outcome(result.meta().compute_units_consumed(), result.meta().logs(), _error_name(result))

    def ok(self, *ixs: Instruction, signers: Sequence[Keypair] = ()) -> Outcome:
        """Runs a transaction that must succeed."""
        outcome = self.send(*ixs, signers=signers)
        assert outcome.error is None, (outcome.error, outcome.logs)
        return outcome

    def fails(self, error: str, *ixs: Instruction, signers: Sequence[Keypair] = ()) -> Outcome:
        """Runs a transaction that must fail with this error's name, and leave nothing behind."""
        outcome = self.send(*ixs, signers=signers)
        assert outcome.error == error, (outcome.error, outcome.logs)
        return outcome

    def founder_accounts(self, program: str) -> dict[str, Any]:
        """The accounts that every program's `initialize` begins with: who pays, and who may found."""
        return {
            "payer": self.payer.pubkey(),
            "upgrade_authority": self.upgrade_authority.pubkey(),
            "program_data": program_data_address(program),
        }

    def drop_lamports_at(self, address: Pubkey, lamports: int = 1) -> None:
        """What a stranger can do to any address: send it a little money before its account exists."""
        self.svm.set_account(address, Account(lamports, b"", SYSTEM, executable=False))

    def exists(self, address: Pubkey) -> bool:
        """Whether there is an account."""
        return self.svm.get_account(address) is not None

    def account(self, name: str, address: Pubkey) -> Any:
        """The account of program `name`, decoded."""
        stored = self.svm.get_account(address)
        assert stored is not None, f"no account at {address}"
        assert stored.owner == PROGRAM_IDS[name], f"{address} belongs to {stored.owner}"
        # Each caller gets its own: a field that a test changed in what is cached would be changed for every later one
        return copy(_decoded(name, bytes(stored.data)))
