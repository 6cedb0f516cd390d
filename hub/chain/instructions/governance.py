"""Governance: the authority set, the rates that settlement reads, and pause."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import build, struct, variant


@dataclass(frozen=True)
class Rates:
    """A rate set, all in mills (thousandths of the currency) per kWh."""

    effective_from: int
    """Unix seconds."""
    wheeling_mills: int
    platform_mills: int
    loss_mills: int
    export_tariff_mills: int
    import_tariff_mills: int

    def argument(self) -> Any:
        return struct("governance", "RateSet", **asdict(self))


def initialize(
    payer: Pubkey,
    upgrade_authority: Pubkey,
    rec_validator: Pubkey,
    members: Sequence[Pubkey],
    threshold: int,
    rates: Rates,
    time_lock_s: int,
) -> Instruction:
    """Founds the authority set; signed by payer and upgrade authority."""
    return build(
        "governance",
        "initialize",
        [rec_validator, list(members), threshold, rates.argument(), time_lock_s],
        {
            "payer": payer,
            "upgrade_authority": upgrade_authority,
            "authority": pdas.governance_authority(),
            "params": pdas.governance_params(),
            "pause": pdas.governance_pause(),
        },
    )


def propose_pause(payer: Pubkey, member: Pubkey, index: int, *, paused: bool) -> Instruction:
    """Proposal number ``index`` to stop, or allow, new settlements; counts as the member's approval."""
    return _propose(payer, member, index, variant("governance", "Action", "SetPause", paused))


def propose_rates(payer: Pubkey, member: Pubkey, index: int, rates: Rates) -> Instruction:
    """Proposal number ``index`` to put rates in force after the time lock; counts as the member's approval."""
    return _propose(payer, member, index, variant("governance", "Action", "ScheduleRates", rates.argument()))


def _propose(payer: Pubkey, member: Pubkey, index: int, action: Any) -> Instruction:
    return build(
        "governance",
        "propose",
        [action],
        {
            "payer": payer,
            "member": member,
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(index),
        },
    )


def approve(member: Pubkey, index: int) -> Instruction:
    """A member's approval."""
    return build(
        "governance",
        "approve",
        [],
        {
            "member": member,
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(index),
        },
    )


def execute(index: int) -> Instruction:
    """Carries out a proposal that has its approvals; anyone may."""
    return build(
        "governance",
        "execute",
        [],
        {
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(index),
            "params": pdas.governance_params(),
            "pause": pdas.governance_pause(),
        },
    )
