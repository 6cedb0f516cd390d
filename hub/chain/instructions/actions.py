"""Builds the actions that governance can decide: the argument of `governance.propose`."""

from collections.abc import Sequence
from typing import Any

from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.governance import Rates
from hub.chain.instructions.idl_builder import struct, variant
from hub.chain.programs import PROGRAM_IDS


def set_pause(*, paused: bool) -> Any:
    """Stops the opening of settlements, or allows it again."""
    return _action("SetPause", paused)


def schedule_rates(rates: Rates) -> Any:
    """Puts rates in force, after the time lock at the earliest."""
    return _action("ScheduleRates", rates.argument())


def set_time_lock(seconds: int) -> Any:
    """Changes the time between a decision and its effect: 48 hours to 90 days."""
    return _action("SetTimeLock", seconds)


def set_vote_rules(*, binding: bool, quorum_percent: int, duration_s: int) -> Any:
    """Changes how participants vote; the quorum is a percentage of the active participants."""
    rules = struct("governance", "VoteRules", binding=binding, quorum_percent=quorum_percent, duration_s=duration_s)
    return _action("SetVoteRules", rules)


def change_authority(rec_validator: Pubkey, members: Sequence[Pubkey], threshold: int) -> Any:
    """Names another authority set; its members accept it by governance.accept_authority."""
    authority_set = struct(
        "governance", "AuthoritySet", rec_validator=rec_validator, members=list(members), threshold=threshold
    )
    return _action("ChangeAuthority", authority_set)


def change_attestors(attestors: Sequence[Pubkey], threshold: int, from_s: int) -> Any:
    """Names other attestors for the intervals from ``from_s`` (Unix seconds) on; oracle.adopt_attestors adopts them."""
    fields = {"attestors": list(attestors), "threshold": threshold, "effective_from_s": from_s}
    return _action("ChangeAttestors", struct("governance", "AttestorSet", **fields))


def change_registrar(registrar: Pubkey) -> Any:
    """Names another registrar, who accepts by registry.adopt_registrar."""
    return _action("ChangeRegistrar", registrar)


def reassign_meter(meter_id: str, owner: Pubkey) -> Any:
    """Gives a meter another owner; registry.reassign_meter carries it out."""
    return _action("ReassignMeter", struct("governance", "MeterOwner", meter=pdas.meter(meter_id), owner=owner))


def upgrade(program: str, code_hash: bytes) -> Any:
    """Upgrades a program to the code with this SHA-256 of its .so file; governance.upgrade carries it out."""
    code = struct("governance", "NewCode", program=PROGRAM_IDS[program], code_hash=list(code_hash))
    return _action("Upgrade", code)


def change_upgrade_authority(program: str, authority: Pubkey | None) -> Any:
    """Names another upgrade authority of a program; with None nobody can upgrade it ever again."""
    successor = struct("governance", "NewUpgradeAuthority", program=PROGRAM_IDS[program], authority=authority)
    return _action("ChangeUpgradeAuthority", successor)


def resolve(text_hash: bytes) -> Any:
    """Resolves on a text, named by its SHA-256."""
    return _action("Resolve", list(text_hash))


def change_settler(settler: Pubkey) -> Any:
    """Names another settler, who accepts by trading.adopt_settler."""
    return _action("ChangeSettler", settler)


def change_payees(wheeling: Pubkey, platform: Pubkey, loss: Pubkey) -> Any:
    """Names the token accounts that receive the charges; trading.adopt_payees adopts them."""
    return _action("ChangePayees", struct("governance", "Payees", wheeling=wheeling, platform=platform, loss=loss))


def _action(variant_name: str, value: Any) -> Any:
    return variant("governance", "Action", variant_name, value)
