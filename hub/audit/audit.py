"""Audits a range of intervals: reads the public facts of each, runs every check, and collects the results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey

from hub.audit.chain_checks import CHAIN_CHECKS
from hub.audit.checks import CheckResult, failed_checks, run
from hub.audit.facts import PublicInterval
from hub.audit.journal_checks import JOURNAL_CHECKS
from hub.audit.own_checks import ParticipantEvidence, RegisteredKey, own_checks
from hub.audit.reader import Site, read_interval
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.status import ProgramState, program_states
from hub.clock import rfc3339_s
from hub.errors import PermanentError

PUBLIC_CHECKS = (*CHAIN_CHECKS, *JOURNAL_CHECKS)
"""The checks that need public facts only."""

MAX_INTERVALS = 10_000
DEFAULT_SPAN_S = 24 * 3600


class RangeError(PermanentError):
    """The range holds no whole interval, or too many."""

    code = "range_invalid"


@dataclass(frozen=True, slots=True)
class AuditedInterval:
    """The results of one interval's checks; times in Unix seconds."""

    start_s: int
    end_s: int
    results: tuple[CheckResult, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the JSON object that `--json` prints."""
        checks = [
            {
                "check": result.check,
                "verdict": result.verdict.value,
                "found": list(result.details),
                "meaning": result.meaning,
            }
            for result in self.results
        ]
        return {"start_at": rfc3339_s(self.start_s), "end_at": rfc3339_s(self.end_s), "checks": checks}


@dataclass(frozen=True, slots=True)
class Audit:
    """The results of an audit."""

    url: str
    program_findings: tuple[str, ...]
    """What is wrong with the programs that the chain runs; all of its guarantees rest on them."""
    intervals: tuple[AuditedInterval, ...]

    @property
    def findings(self) -> int:
        """The number of failed checks and of findings about the programs."""
        return len(self.program_findings) + sum(len(failed_checks(interval.results)) for interval in self.intervals)

    def to_json(self) -> dict[str, Any]:
        """Returns the JSON object that `--json` prints."""
        return {
            "url": self.url,
            "findings": self.findings,
            "programs": list(self.program_findings),
            "intervals": [interval.to_json() for interval in self.intervals],
        }


def check_interval(interval: PublicInterval, evidence: ParticipantEvidence | None = None) -> list[CheckResult]:
    """Runs all public checks of one interval, and the participant's own checks when there is evidence."""
    return run((*PUBLIC_CHECKS, *(own_checks(evidence) if evidence is not None else ())), interval)


def interval_starts(site: Site, from_s: int | None, to_s: int | None) -> list[int]:
    """Returns the starts of the whole intervals in [from_s, to_s) that are over, in Unix seconds.

    Without ``to_s`` the range ends now; without ``from_s`` it begins 24 hours before its end.

    Raises:
        RangeError: there are none, or too many for one audit.
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
    chain: ChainClient,
    site: Site,
    journals: Mapping[int, bytes | None],
    starts: Sequence[int],
    evidence: ParticipantEvidence | None,
) -> Audit:
    """Reads and checks the intervals.

    Args:
        chain: the chain that the hub settles on.
        site: the facts that all intervals share.
        journals: the published journals by interval start, None where the hub has none; a start is missing when
            nothing was asked.
        starts: the intervals' starts in Unix seconds.
        evidence: a participant's own data, for the checks named own_...

    Raises:
        ChainUnreachableError: the node does not answer.
    """
    findings = tuple(finding for program in await program_states(chain) for finding in program_findings(program))
    full_evidence = None if evidence is None else await _with_chain_accounts(chain, evidence)
    intervals = []
    for start_s in starts:
        journal = journals.get(start_s)
        facts = await read_interval(chain, site, start_s, journal, journal_requested=start_s in journals)
        intervals.append(AuditedInterval(facts.start_s, facts.end_s, tuple(check_interval(facts, full_evidence))))
    return Audit(chain.url, findings, tuple(intervals))


def program_findings(program: ProgramState) -> list[str]:
    """Returns in words why this program is not the published one under governance; empty when it is."""
    if not program.deployed:
        return [f"{program.name} is not deployed"]
    findings = []
    if not program.matches:
        findings.append(f"{program.name} is another build than the published one: {program.sha256}")
    if program.upgrade_authority not in (None, str(pdas.governance_upgrader())):
        findings.append(f"{program.name} can be replaced by {program.upgrade_authority} without governance")
    return findings


async def _with_chain_accounts(chain: ChainClient, evidence: ParticipantEvidence) -> ParticipantEvidence:
    """Adds the participant's trading account, and the registered keys of the gateways that signed the proofs."""
    account = None
    if evidence.wallet is not None:
        address = pdas.account(Pubkey(evidence.wallet))
        account = await chain.account("trading", "Account", address, commitment=Finalized)
    signers = sorted({proof.reading.public_key for proof in evidence.proofs if proof.reading is not None})
    addresses = [pdas.gateway_key(Pubkey(signer)) for signer in signers]
    entries = await chain.accounts("registry", "GatewayKey", addresses, commitment=Finalized) if addresses else []
    keys = {
        signer: None if entry is None else RegisteredKey(bytes(entry.gateway), entry.valid_from_s, entry.valid_until_s)
        for signer, entry in zip(signers, entries, strict=True)
    }
    return replace(evidence, account=account, keys=keys)
