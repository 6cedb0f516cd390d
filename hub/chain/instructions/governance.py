"""Builds governance's instructions: the authority set, proposals, participants' votes, upgrades of the programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.sysvar import CLOCK, RENT

from hub.chain import pdas
from hub.chain.instructions.idl_builder import absent, build, struct, variant
from hub.chain.programs import PROGRAM_IDS


@dataclass(frozen=True)
class Rates:
    """A rate set, all in mills (thousandths of the currency) per kWh."""

    effective_from_s: int
    """The start of the first interval under these rates, in Unix seconds."""
    wheeling_mills: int
    platform_mills: int
    loss_mills: int
    export_tariff_mills: int
    import_tariff_mills: int

    def argument(self) -> Any:
        """Returns the rates as a struct argument."""
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


def propose(payer: Pubkey, member: Pubkey, proposal_index: int, action: Any) -> Instruction:
    """Proposes an action of hub.chain.instructions.actions, and approves it; signed by payer and member."""
    return build(
        "governance",
        "propose",
        [action],
        {
            "payer": payer,
            "member": member,
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(proposal_index),
        },
    )


def propose_pause(payer: Pubkey, member: Pubkey, proposal_index: int, *, paused: bool) -> Instruction:
    """Proposes and approves to pause the opening of settlements, or to resume it; signed by payer and member."""
    return propose(payer, member, proposal_index, variant("governance", "Action", "SetPause", paused))


def propose_rates(payer: Pubkey, member: Pubkey, proposal_index: int, rates: Rates) -> Instruction:
    """Proposes and approves rates, in force after the time lock at the earliest; signed by payer and member."""
    return propose(payer, member, proposal_index, variant("governance", "Action", "ScheduleRates", rates.argument()))


def approve(member: Pubkey, proposal_index: int) -> Instruction:
    """Adds a member's approval; signed by the member."""
    return build(
        "governance",
        "approve",
        [],
        {
            "member": member,
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(proposal_index),
        },
    )


def revoke(member: Pubkey, proposal_index: int) -> Instruction:
    """Revokes a member's approval; signed by the member."""
    return build(
        "governance",
        "revoke",
        [],
        {
            "member": member,
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(proposal_index),
        },
    )


def execute(proposal_index: int) -> Instruction:
    """Executes a proposal that has enough approvals. Nobody signs."""
    return build(
        "governance",
        "execute",
        [],
        {
            "authority": pdas.governance_authority(),
            "proposal": pdas.governance_proposal(proposal_index),
            "params": pdas.governance_params(),
            "pause": pdas.governance_pause(),
        },
    )


def accept_authority(proposal_index: int, members: Sequence[Pubkey]) -> Instruction:
    """Puts the authority set of a proposal in force; signed by at least its threshold of the new members."""
    return build(
        "governance",
        "accept_authority",
        [],
        _proposal_accounts(proposal_index),
        [AccountMeta(key, is_signer=True, is_writable=False) for key in members],
    )


def put_to_vote(member: Pubkey, proposal_index: int) -> Instruction:
    """Opens a vote of the participants on a proposal; signed by the proposer."""
    accounts = _proposal_accounts(proposal_index) | {"member": member, "registry_config": pdas.registry_config()}
    return build("governance", "put_to_vote", [], accounts)


def cast_vote(payer: Pubkey, wallet: Pubkey, proposal_index: int, *, yes: bool) -> Instruction:
    """Casts a participant's vote; signed by payer and wallet."""
    accounts = {
        "payer": payer,
        "wallet": wallet,
        "participant": pdas.participant(wallet),
        "proposal": pdas.governance_proposal(proposal_index),
        "vote": pdas.governance_vote(proposal_index, wallet),
    }
    return build("governance", "cast_vote", [yes], accounts)


def upgrade(proposal_index: int, program: str, buffer: Pubkey, spill: Pubkey) -> Instruction:
    """Upgrades a program to a buffer's code, as decided; ``spill`` receives the buffer's rent. Nobody signs."""
    accounts = _proposal_accounts(proposal_index) | {
        "program": PROGRAM_IDS[program],
        "program_data": pdas.program_data(program),
        "buffer": buffer,
        "spill": spill,
        "upgrader": pdas.governance_upgrader(),
        "rent": RENT,
        "clock": CLOCK,
        "loader": pdas.UPGRADEABLE_LOADER,
    }
    return build("governance", "upgrade", [], accounts)


def change_upgrade_authority(proposal_index: int, program: str, next_authority: Pubkey | None) -> Instruction:
    """Changes a program's upgrade authority as decided; signed by the next one unless it is None."""
    accounts = _proposal_accounts(proposal_index) | {
        "program": PROGRAM_IDS[program],
        "program_data": pdas.program_data(program),
        "upgrader": pdas.governance_upgrader(),
        "next": next_authority or absent("governance"),
        "loader": pdas.UPGRADEABLE_LOADER,
    }
    return build("governance", "change_upgrade_authority", [], accounts)


def _proposal_accounts(proposal_index: int) -> dict[str, Pubkey]:
    return {
        "authority": pdas.governance_authority(),
        "params": pdas.governance_params(),
        "proposal": pdas.governance_proposal(proposal_index),
    }
