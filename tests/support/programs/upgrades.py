"""Programs in governance's hands, and new code in a buffer."""

import hashlib
import struct

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import governance, loader
from support.programs.campus_chain import Campus
from support.programs.svm import LOADER, NAMES, ROOT, Outcome, deterministic_key

BUFFER = deterministic_key("buffer").pubkey()
SPILL = deterministic_key("spill").pubkey()
UPGRADER = pdas.governance_upgrader()


def code(name: str) -> bytes:
    """A program's file."""
    return (ROOT / f"programs/deploy/{name}.so").read_bytes()


NEW_CODE = code("oracle")
"""What the registry's code is replaced by: smaller than its own, and known to run."""
NEW_HASH = hashlib.sha256(NEW_CODE).digest()


def put_buffer(campus: Campus, content: bytes = NEW_CODE, authority: Pubkey = UPGRADER) -> None:
    """A buffer as the loader writes it, with this authority."""
    data = struct.pack("<IB32s", 1, 1, bytes(authority)) + content
    rent = campus.chain.svm.minimum_balance_for_rent_exemption(len(data))
    campus.chain.svm.set_account(BUFFER, Account(rent, data, LOADER))


def hand_over(campus: Campus) -> None:
    """The founder gives all programs to governance, a few slots after they were deployed."""
    chain, founder = campus.chain, campus.chain.upgrade_authority
    for name in NAMES:
        chain.ok(loader.hand_over(name, founder.pubkey()), signers=[founder])
    warp(campus, 10)


def warp(campus: Campus, slot: int) -> None:
    """Moves on in slots: code is replaced, and new code runs, in later slots only. The clock stays."""
    now = campus.chain.now
    campus.chain.svm.warp_to_slot(slot)
    campus.chain.set_time(now)


def upgrade(number: int, program: str = "registry") -> Instruction:
    """The upgrade that proposal `number` has decided."""
    return governance.upgrade(number, program, BUFFER, SPILL)


def run(campus: Campus, ix: Instruction) -> Outcome:
    """Sends an upgrade with the compute units that hashing the code takes."""
    return campus.chain.send(set_compute_unit_limit(1_400_000), ix)
