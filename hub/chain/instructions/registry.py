"""Registry: participants, gateways with their keys, and meters. The registrar signs; a separate payer pays the rent."""

from typing import Literal

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import build

MeterKind = Literal["load", "generation", "bidirectional"]
_KINDS: dict[MeterKind, int] = {"load": 1, "generation": 2, "bidirectional": 3}


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
    """Signed by payer, registrar and wallet."""
    accounts = _by_registrar(payer, registrar) | {"wallet": wallet, "participant": pdas.participant(wallet)}
    return build("registry", "register_participant", [], accounts)


def register_gateway(payer: Pubkey, registrar: Pubkey, gateway_id: str) -> Instruction:
    """Signed by payer and registrar."""
    accounts = _by_registrar(payer, registrar) | {"gateway": pdas.gateway(gateway_id)}
    return build("registry", "register_gateway", [gateway_id], accounts)


def add_gateway_key(payer: Pubkey, registrar: Pubkey, gateway_id: str, key: Pubkey, valid_from_s: int) -> Instruction:
    """A key that the gateway's frames may be signed with from then on; signed by payer and registrar."""
    accounts = _by_registrar(payer, registrar) | {
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
    accounts = _by_registrar(payer, registrar) | {
        "participant": pdas.participant(owner),
        "gateway": pdas.gateway(gateway_id),
        "meter": pdas.meter(meter_id),
    }
    return build("registry", "register_meter", [meter_id, _KINDS[kind], rated_power_w, list(serial_hash)], accounts)


def _by_registrar(payer: Pubkey, registrar: Pubkey) -> dict[str, Pubkey]:
    return {"payer": payer, "registrar": registrar, "config": pdas.registry_config()}
