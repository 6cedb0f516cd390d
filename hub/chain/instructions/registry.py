"""Builds the registry's instructions: participants, gateways and their keys, meters.

The registrar signs; a separate payer pays the rent.
"""

from dataclasses import dataclass
from typing import Literal

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import build

MeterKind = Literal["load", "generation", "bidirectional", "feeder"]
_KINDS: dict[MeterKind, int] = {"load": 1, "generation": 2, "bidirectional": 3, "feeder": 4}
Status = Literal["active", "suspended", "retired"]
_STATUSES: dict[Status, int] = {"active": 1, "suspended": 2, "retired": 3}


def initialize(payer: Pubkey, upgrade_authority: Pubkey, registrar: Pubkey) -> Instruction:
    """Founds the registry; signed by payer and upgrade authority."""
    return build(
        "registry",
        "initialize",
        [registrar],
        {
            "payer": payer,
            "upgrade_authority": upgrade_authority,
            "authority": pdas.governance_authority(),
            "config": pdas.registry_config(),
        },
    )


def register_participant(payer: Pubkey, registrar: Pubkey, wallet: Pubkey) -> Instruction:
    """Registers a wallet as a participant; signed by payer, registrar and wallet."""
    accounts = _payer_and_registrar(payer, registrar) | {"wallet": wallet, "participant": pdas.participant(wallet)}
    return build("registry", "register_participant", [], accounts)


def register_gateway(payer: Pubkey, registrar: Pubkey, gateway_id: str) -> Instruction:
    """Registers a gateway; signed by payer and registrar."""
    accounts = _payer_and_registrar(payer, registrar) | {"gateway": pdas.gateway(gateway_id)}
    return build("registry", "register_gateway", [gateway_id], accounts)


def add_gateway_key(payer: Pubkey, registrar: Pubkey, gateway_id: str, key: Pubkey, valid_from_s: int) -> Instruction:
    """Adds a key that may sign the gateway's frames from ``valid_from_s`` (Unix seconds) on.

    Signed by payer and registrar.
    """
    accounts = _payer_and_registrar(payer, registrar) | {
        "gateway": pdas.gateway(gateway_id),
        "gateway_key": pdas.gateway_key(key),
    }
    return build("registry", "add_gateway_key", [key, valid_from_s], accounts)


def register_meter(
    payer: Pubkey,
    registrar: Pubkey,
    *,
    meter_id: str,
    owner: Pubkey,
    gateway_id: str,
    kind: MeterKind,
    rated_power_w: int,
    serial_hash: bytes,
) -> Instruction:
    """Binds a meter to its owner's wallet and its gateway; signed by payer and registrar."""
    accounts = _payer_and_registrar(payer, registrar) | {
        "participant": pdas.participant(owner),
        "gateway": pdas.gateway(gateway_id),
        "meter": pdas.meter(meter_id),
    }
    return build("registry", "register_meter", [meter_id, _KINDS[kind], rated_power_w, list(serial_hash)], accounts)


@dataclass(frozen=True)
class Replacement:
    """The meter that replaces another at the same usage point."""

    meter_id: str
    gateway_id: str
    kind: MeterKind
    rated_power_w: int
    serial_hash: bytes
    """SHA-256 of the serial number on the nameplate."""


def swap_meter(payer: Pubkey, registrar: Pubkey, old_meter_id: str, replacement: Replacement, at_s: int) -> Instruction:
    """Retires a meter at ``at_s`` (Unix seconds) and registers another for the same owner and usage point from then on.

    Signed by payer and registrar.
    """
    accounts = _payer_and_registrar(payer, registrar) | {
        "old_meter": pdas.meter(old_meter_id),
        "gateway": pdas.gateway(replacement.gateway_id),
        "new_meter": pdas.meter(replacement.meter_id),
    }
    arguments = [
        replacement.meter_id,
        _KINDS[replacement.kind],
        replacement.rated_power_w,
        list(replacement.serial_hash),
        at_s,
    ]
    return build("registry", "swap_meter", arguments, accounts)


def set_participant_status(registrar: Pubkey, wallet: Pubkey, status: Status) -> Instruction:
    """Suspends, reactivates or retires a participant; signed by the registrar."""
    accounts = _registrar_accounts(registrar) | {"participant": pdas.participant(wallet)}
    return build("registry", "set_participant_status", [_STATUSES[status]], accounts)


def set_gateway_status(registrar: Pubkey, gateway_id: str, status: Status) -> Instruction:
    """Suspends, reactivates or retires a gateway; signed by the registrar."""
    accounts = _registrar_accounts(registrar) | {"gateway": pdas.gateway(gateway_id)}
    return build("registry", "set_gateway_status", [_STATUSES[status]], accounts)


def set_meter_status(registrar: Pubkey, meter_id: str, status: Status) -> Instruction:
    """Suspends, reactivates or retires a meter; signed by the registrar."""
    accounts = _registrar_accounts(registrar) | {"meter": pdas.meter(meter_id)}
    return build("registry", "set_meter_status", [_STATUSES[status]], accounts)


def end_gateway_key(registrar: Pubkey, key: Pubkey, valid_until_s: int) -> Instruction:
    """Ends a gateway key's validity at ``valid_until_s`` (Unix seconds), an hour ago at the earliest.

    Signed by the registrar.
    """
    accounts = _registrar_accounts(registrar) | {"gateway_key": pdas.gateway_key(key)}
    return build("registry", "end_gateway_key", [valid_until_s], accounts)


def transfer_meter(owner: Pubkey, new_owner: Pubkey, meter_id: str) -> Instruction:
    """Transfers a meter to another participant; signed by both wallets."""
    accounts = {
        "owner": owner,
        "new_owner": new_owner,
        "old_participant": pdas.participant(owner),
        "new_participant": pdas.participant(new_owner),
        "meter": pdas.meter(meter_id),
    }
    return build("registry", "transfer_meter", [], accounts)


def reassign_meter(proposal_index: int, meter_id: str, new_owner: Pubkey) -> Instruction:
    """Transfers a meter to the participant that proposal ``proposal_index`` decided. Nobody signs."""
    accounts = {
        "proposal": pdas.governance_proposal(proposal_index),
        "participant": pdas.participant(new_owner),
        "meter": pdas.meter(meter_id),
    }
    return build("registry", "reassign_meter", [], accounts)


def adopt_registrar(proposal_index: int, new_registrar: Pubkey) -> Instruction:
    """Adopts the registrar that proposal ``proposal_index`` decided; signed by the new registrar."""
    accounts = {
        "config": pdas.registry_config(),
        "proposal": pdas.governance_proposal(proposal_index),
        "new_registrar": new_registrar,
    }
    return build("registry", "adopt_registrar", [], accounts)


def _registrar_accounts(registrar: Pubkey) -> dict[str, Pubkey]:
    return {"registrar": registrar, "config": pdas.registry_config()}


def _payer_and_registrar(payer: Pubkey, registrar: Pubkey) -> dict[str, Pubkey]:
    return {"payer": payer} | _registrar_accounts(registrar)
