"""Reads the compute units of every call of the five programs on a node from its transactions' logs, over RPC.

The units of the search for a new account's address are subtracted (tests/support/programs/measure.py): they depend on
the interval's start, which differs between the chains.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.signature import Signature

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.programs import NAMES, PROGRAM_IDS
from support.programs.measure import ADDRESS_TRY_CU, tries

_INVOKED = re.compile(r"Program (\w+) invoke \[(\d+)\]")
_NAMED = re.compile(r"Program log: Instruction: (\w+)")
_CONSUMED = re.compile(r"Program (\w+) consumed (\d+) of \d+ compute units")
_ENDED = re.compile(r"Program \w+ (?:success|failed)")
_PROGRAMS = {str(address): name for name, address in PROGRAM_IDS.items()}
_CREATES_INTERVAL_ACCOUNT = {
    "oracle.attest": ("oracle", "Interval", pdas.interval),
    "energy_token.mint_interval": ("energy_token", "MintedInterval", pdas.minted_interval),
    "trading.open": ("trading", "IntervalSettlement", pdas.settlement),
    "trading.close_empty": ("trading", "IntervalSettlement", pdas.settlement),
}
"""The instructions that create an account whose address depends on the interval's start, with that account."""
_PAGE_SIZE = 1000


@dataclass(frozen=True)
class Row:
    """One instruction on two chains: the compute units of each call, in ascending order."""

    instruction: str
    ledger_cu: tuple[int, ...]
    validator_cu: tuple[int, ...]

    @property
    def same(self) -> bool:
        """Whether both chains had the same calls with the same units."""
        return self.ledger_cu == self.validator_cu


def compare(ledger: Mapping[str, Sequence[int]], validator: Mapping[str, Sequence[int]]) -> list[Row]:
    """Returns every instruction that either chain has executed, by name."""
    names = sorted({*ledger, *validator})
    return [Row(name, tuple(ledger.get(name, ())), tuple(validator.get(name, ()))) for name in names]


async def units_by_instruction(chain: ChainClient, starts: Mapping[str, int]) -> dict[str, list[int]]:
    """Returns the compute units of all successful calls on the chain, in ascending order, by instruction.

    ``starts`` has the interval start (Unix seconds) of each settlement transaction, by signature.
    """
    units: defaultdict[str, list[int]] = defaultdict(list)
    for signature in await _signatures(chain):
        for instruction, compute_units in calls(await chain.logs(signature)):
            start_s = starts.get(str(signature))
            search_units = 0 if start_s is None else await _search_units(chain, instruction, start_s)
            units[instruction].append(compute_units - search_units)
    return {name: sorted(values) for name, values in units.items()}


def calls(logs: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yields the top-level instructions of our programs in a transaction's logs, each with its compute units.

    The units include those of inner calls.
    """
    depth, name = 0, ""
    for line in logs:
        if invoked := _INVOKED.match(line):
            depth = int(invoked[2])
            name = "" if depth == 1 else name
        elif (named := _NAMED.match(line)) and depth == 1 and not name:
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", named[1]).lower()
        elif (consumed := _CONSUMED.match(line)) and depth == 1 and consumed[1] in _PROGRAMS:
            yield f"{_PROGRAMS[consumed[1]]}.{name}", int(consumed[2])
        elif _ENDED.match(line):
            depth -= 1


async def _signatures(chain: ChainClient) -> list[Signature]:
    """Returns the signatures of all successful transactions that name one of the programs."""
    signatures: dict[Signature, None] = {}
    for name in NAMES:
        before = None
        while True:
            request = chain.rpc.get_signatures_for_address(PROGRAM_IDS[name], before, limit=_PAGE_SIZE)
            rows: Sequence[Any] = (await chain.call(request)).value
            signatures.update({row.signature: None for row in rows if row.err is None})
            if len(rows) < _PAGE_SIZE:
                break
            before = rows[-1].signature
    return list(signatures)


async def _search_units(chain: ChainClient, instruction: str, start_s: int) -> int:
    if instruction not in _CREATES_INTERVAL_ACCOUNT:
        return 0
    program, kind, address_of = _CREATES_INTERVAL_ACCOUNT[instruction]
    account = await chain.account(program, kind, address_of(start_s))
    return tries(account.bump) * ADDRESS_TRY_CU
