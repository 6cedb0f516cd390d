"""The audit of a range of intervals: what is read for it, every check in its order, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey

from hub.audit.chain_checks import CHAIN_CHECKS
from hub.audit.checks import Result, failed, run
from hub.audit.facts import PublicInterval
from hub.audit.journal_checks import JOURNAL_CHECKS
from hub.audit.own_checks import Own, RegisteredKey, own_checks
from hub.audit.reader import Site, read_interval
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.status import ProgramState, program_states
from hub.clock import rfc3339_s
from hub.errors import PermanentError

PUBLIC_CHECKS = (*CHAIN_CHECKS, *JOURNAL_CHECKS)
"""What needs nothing that is not public."""

MAX_INTERVALS = 10_000
DEFAULT_SPAN_S = 24 * 3600


class RangeError(PermanentError):
    """A range that holds no whole interval, or too many."""

    code = "range_invalid"


@dataclass(frozen=True, slots=True)
class AuditedInterval:
    """One interval's results."""

    start_s: int
    end_s: int
    results: tuple[Result, ...]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        checks = [
            {"check": one.check, "verdict": one.verdict.value, "found": list(one.found), "meaning": one.meaning}
            for one in self.results
        ]
        return {"start_at": rfc3339_s(self.start_s), "end_at": rfc3339_s(self.end_s), "checks": checks}


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that was checked."""

    url: str
    programs: tuple[str, ...]
    """What is wrong with the programs that the chain runs: all of its guarantees rest on them."""
    intervals: tuple[AuditedInterval, ...]

    @property
    def findings(self) -> int:
        return len(self.programs) + sum(len(failed(one.results)) for one in self.intervals)

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        intervals = [one.to_json() for one in self.intervals]
        return {"url": self.url, "findings": self.findings, "programs": list(self.programs), "intervals": intervals}


def judge(interval: PublicInterval, own: Own | None = None) -> list[Result]:
    """All checks of one interval; the participant's own when there is one."""
    return run((*PUBLIC_CHECKS, *(own_checks(own) if own is not None else ())), interval)


def starts_in(site: Site, from_s: int | None, to_s: int | None) -> list[int]:
    """The starts of the whole intervals in [from, to) that are over; the last 24 hours when nothing is named.

    Raises:
        RangeError: there are none, or too many for one run.
    """
    until_s = min(site.now_s, site.now_s if to_s is None else to_s)
    since_s = until_s - DEFAULT_SPAN_S if from_s is None else from_s
    first_s = -(-since_s // site.interval_s) * site.interval_s
    starts = range(first_s, until_s - site.interval_s + 1, site.interval_s)
    if not 1 <= len(starts) <= MAX_INTERVALS:
        raise RangeError(
            f"From {rfc3339_s(since_s)} to {rfc3339_s(until_s)} there are {len(starts)} whole intervals that are over: "
            f"name --from and --to with 1 to {MAX_INTERVALS} of them"
        )
    return list(starts)


async def audit(
    chain: ChainClient, site: Site, journals: Mapping[int, bytes | None], starts: Sequence[int], own: Own | None
) -> Audit:
    """Reads and checks the intervals; ``journals`` has those that were asked for.

    Raises:
        ChainUnreachableError: the node does not answer.
    """
    faults = tuple(words for one in await program_states(chain) for words in program_faults(one))
    whole = None if own is None else await _completed(chain, own)
    done = []
    for start_s in starts:
        found = await read_interval(chain, site, start_s, journals.get(start_s), journal_asked=start_s in journals)
        done.append(AuditedInterval(found.start_s, found.end_s, tuple(judge(found, whole))))
    return Audit(chain.url, faults, tuple(done))


def program_faults(program: ProgramState) -> list[str]:
    """Why what the chain says through this program may not be what it says with the published one."""
    if not program.deployed:
        return [f"{program.name} is not deployed"]
    said = []
    if not program.matches:
        said.append(f"{program.name} is another build than the published one: {program.sha256}")
    if program.upgrade_authority not in (None, str(pdas.governance_upgrader())):
        said.append(f"{program.name} can be replaced by {program.upgrade_authority} without governance")
    return said


async def _completed(chain: ChainClient, own: Own) -> Own:
    """With what the chain says of the participant's account and of the keys that signed their proofs."""
    account = None
    if own.wallet is not None:
        account = await chain.account("trading", "Account", pdas.account(Pubkey(own.wallet)), commitment=Finalized)
    signers = sorted({proof.reading.public_key for proof in own.proofs if proof.reading is not None})
    addresses = [pdas.gateway_key(Pubkey(key)) for key in signers]
    found = await chain.accounts("registry", "GatewayKey", addresses, commitment=Finalized) if addresses else []
    keys = {
        key: None if one is None else RegisteredKey(bytes(one.gateway), one.valid_from_s, one.valid_until_s)
        for key, one in zip(signers, found, strict=True)
    }
    return replace(own, account=account, keys=keys)
