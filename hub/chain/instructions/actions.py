"""What governance can decide, as the argument of `governance.propose`."""

from collections.abc import Sequence
from typing import Any

from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.governance import Rates
from hub.chain.instructions.idl_builder import struct, variant
from hub.chain.programs import PROGRAM_IDS


def set_pause(*, paused: bool) -> Any:
    """Stops new settlements, or allows them again."""
    return _action("SetPause", paused)


def schedule_rates(rates: Rates) -> Any:
    """Puts rates in force, after the time lock."""
    return _action("ScheduleRates", rates.argument())


def set_time_lock(seconds: int) -> Any:
    """Between a decision and its effect, 48 hours to 90 days."""
    return _action("SetTimeLock", seconds)


def set_vote_rules(*, binding: bool, quorum_percent: int, duration_s: int) -> Any:
    """How participants vote; of the active ones, so many percent must."""
    rules = struct("governance", "VoteRules", binding=binding, quorum_percent=quorum_percent, duration_s=duration_s)
    return _action("SetVoteRules", rules)


def change_authority(rec_validator: Pubkey, members: Sequence[Pubkey], threshold: int) -> Any:
    """Another authority set; its members accept it."""
    chosen = struct(
        "governance", "AuthoritySet", rec_validator=rec_validator, members=list(members), threshold=threshold
    )
    return _action("ChangeAuthority", chosen)


def change_attestors(attestors: Sequence[Pubkey], threshold: int, from_s: int) -> Any:
    """Other attestors for the intervals that start at ``from_s`` or later; they accept by oracle.adopt_attestors."""
    fields = {"attestors": list(attestors), "threshold": threshold, "effective_from_s": from_s}
    return _action("ChangeAttestors", struct("governance", "AttestorSet", **fields))


def change_registrar(registrar: Pubkey) -> Any:
    """Another registrar, who accepts by registry.adopt_registrar."""
    return _action("ChangeRegistrar", registrar)


def reassign_meter(meter_id: str, owner: Pubkey) -> Any:
    """Another owner of a meter, by registry.reassign_meter."""
    return _action("ReassignMeter", struct("governance", "MeterOwner", meter=pdas.meter(meter_id), owner=owner))


def upgrade(program: str, code_hash: bytes) -> Any:
    """New code of a program, by the SHA-256 of its .so file."""
    code = struct("governance", "NewCode", program=PROGRAM_IDS[program], code_hash=list(code_hash))
    return _action("Upgrade", code)


def change_upgrade_authority(program: str, authority: Pubkey | None) -> Any:
    """Somebody else may replace a program's code, or nobody, for ever."""
    chosen = struct("governance", "NewUpgradeAuthority", program=PROGRAM_IDS[program], authority=authority)
    return _action("ChangeUpgradeAuthority", chosen)


def resolve(text_hash: bytes) -> Any:
    """Agrees to a text, by its SHA-256."""
    return _action("Resolve", list(text_hash))


def change_settler(settler: Pubkey) -> Any:
    """Another settler, who accepts by trading.adopt_settler."""
    return _action("ChangeSettler", settler)


def change_payees(wheeling: Pubkey, platform: Pubkey, loss: Pubkey) -> Any:
    """The token accounts that get the charges, by trading.adopt_payees."""
    return _action("ChangePayees", struct("governance", "Payees", wheeling=wheeling, platform=platform, loss=loss))


def _action(choice: str, value: Any) -> Any:
    return variant("governance", "Action", choice, value)
