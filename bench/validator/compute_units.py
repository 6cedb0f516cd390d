"""What each instruction of the five programs took on a node: read from the logs of its transactions, by RPC.

The search for a new account's address is left out (tests/support/programs/measure.py): it depends on the account's
name, and an interval's is another on each chain.
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
_MADE_FOR_INTERVAL = {
    "oracle.attest": ("oracle", "Interval", pdas.interval),
    "energy_token.mint_interval": ("energy_token", "MintedInterval", pdas.minted_interval),
    "trading.open": ("trading", "IntervalSettlement", pdas.settlement),
    "trading.close_empty": ("trading", "IntervalSettlement", pdas.settlement),
}
"""Instructions that make an account which is named after the interval."""
_PAGE = 1000


@dataclass(frozen=True)
class Row:
    """One instruction on two chains: how often it was called, and what the calls took, in ascending order."""

    instruction: str
    ledger_cu: tuple[int, ...]
    validator_cu: tuple[int, ...]

    @property
    def same(self) -> bool:
        return self.ledger_cu == self.validator_cu


def compare(ledger: Mapping[str, Sequence[int]], validator: Mapping[str, Sequence[int]]) -> list[Row]:
    """Every instruction that either chain has seen, by name."""
    names = sorted({*ledger, *validator})
    return [Row(name, tuple(ledger.get(name, ())), tuple(validator.get(name, ()))) for name in names]


async def by_instruction(chain: ChainClient, starts: Mapping[str, int]) -> dict[str, list[int]]:
    """Compute units of all successful calls on the chain, sorted; ``starts`` tells each settlement transaction's
    interval by its signature."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for signature in await _signatures(chain):
        for instruction, compute_units in calls(await chain.logs(signature)):
            start_s = starts.get(str(signature))
            searched = 0 if start_s is None else await _searched(chain, instruction, start_s)
            found[instruction].append(compute_units - searched)
    return {name: sorted(values) for name, values in found.items()}


def calls(logs: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The instructions of our programs that a transaction itself names, with what each took, calls inside included."""
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
    """Of all successful transactions that name one of the programs."""
    found: dict[Signature, None] = {}
    for name in NAMES:
        before = None
        while True:
            request = chain.rpc.get_signatures_for_address(PROGRAM_IDS[name], before, limit=_PAGE)
            rows: Sequence[Any] = (await chain.call(request)).value
            found.update({row.signature: None for row in rows if row.err is None})
            if len(rows) < _PAGE:
                break
            before = rows[-1].signature
    return list(found)


async def _searched(chain: ChainClient, instruction: str, start_s: int) -> int:
    if instruction not in _MADE_FOR_INTERVAL:
        return 0
    program, kind, address_of = _MADE_FOR_INTERVAL[instruction]
    account = await chain.account(program, kind, address_of(start_s))
    return tries(account.bump) * ADDRESS_TRY_CU
