"""Oracle: the attestation of an interval and its corrections, the proof of a meter in it, and who attests."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import absent, build


@dataclass(frozen=True)
class Attestation:
    """What the attestors say about an interval; the totals are over valid meters only."""

    start_s: int
    merkle_root: bytes
    meters_valid: int
    meters_estimated: int
    import_wh: int
    export_wh: int
    revision: int = 1


def initialize(
    payer: Pubkey, upgrade_authority: Pubkey, attestors: Sequence[Pubkey], threshold: int, interval_s: int
) -> Instruction:
    """Founds the oracle; signed by payer and upgrade authority."""
    return build(
        "oracle",
        "initialize",
        [list(attestors), threshold, interval_s],
        {
            "payer": payer,
            "upgrade_authority": upgrade_authority,
            "authority": pdas.governance_authority(),
            "config": pdas.oracle_config(),
        },
    )


def attest(payer: Pubkey, attestors: Sequence[Pubkey], said: Attestation) -> Instruction:
    """Signed by payer and all the attestors named, at least the threshold's number of them."""
    previous = pdas.interval(said.start_s, said.revision - 1) if said.revision > 1 else absent("oracle")
    return build(
        "oracle",
        "attest",
        [
            said.start_s,
            said.revision,
            list(said.merkle_root),
            said.meters_valid,
            said.meters_estimated,
            said.import_wh,
            said.export_wh,
        ],
        {
            "payer": payer,
            "config": pdas.oracle_config(),
            "attestor": attestors[0],
            "previous": previous,
            "interval": pdas.interval(said.start_s, said.revision),
        },
        [AccountMeta(key, is_signer=True, is_writable=False) for key in attestors[1:]],
    )


def adopt_attestors(proposal_index: int, attestors: Sequence[Pubkey]) -> Instruction:
    """Names the attestors that proposal ``proposal_index`` decided; signed by as many of the new ones as they need."""
    return build(
        "oracle",
        "adopt_attestors",
        [],
        {"config": pdas.oracle_config(), "proposal": pdas.governance_proposal(proposal_index)},
        [AccountMeta(key, is_signer=True, is_writable=False) for key in attestors],
    )


def verify_inclusion(start_s: int, leaf: bytes, index: int, path: Sequence[bytes], *, revision: int = 1) -> Instruction:
    """Fails unless the leaf is number ``index`` in the interval's tree, its neighbours bottom up. Nobody signs."""
    return build(
        "oracle",
        "verify_inclusion",
        [list(leaf), index, b"".join(path)],
        {"interval": pdas.interval(start_s, revision)},
    )
