"""Builds the oracle's instructions: attestations of intervals, proofs of a meter in them, change of attestors."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import absent, build


@dataclass(frozen=True)
class Attestation:
    """The attestors' statement on an interval; the totals are over valid meters only."""

    start_s: int
    merkle_root: bytes
    meters_valid: int
    meters_estimated: int
    import_wh: int
    export_wh: int
    revision: int = 1
    """1 is the first attestation, later ones are corrections."""


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


def attest(payer: Pubkey, attestors: Sequence[Pubkey], attestation: Attestation) -> Instruction:
    """Attests an interval; signed by payer and all attestors given, who must be at least the threshold."""
    previous = (
        pdas.interval(attestation.start_s, attestation.revision - 1) if attestation.revision > 1 else absent("oracle")
    )
    return build(
        "oracle",
        "attest",
        [
            attestation.start_s,
            attestation.revision,
            list(attestation.merkle_root),
            attestation.meters_valid,
            attestation.meters_estimated,
            attestation.import_wh,
            attestation.export_wh,
        ],
        {
            "payer": payer,
            "config": pdas.oracle_config(),
            "attestor": attestors[0],
            "previous": previous,
            "interval": pdas.interval(attestation.start_s, attestation.revision),
        },
        [AccountMeta(key, is_signer=True, is_writable=False) for key in attestors[1:]],
    )


def adopt_attestors(proposal_index: int, attestors: Sequence[Pubkey]) -> Instruction:
    """Adopts the attestors that proposal ``proposal_index`` decided; signed by at least their new threshold."""
    return build(
        "oracle",
        "adopt_attestors",
        [],
        {"config": pdas.oracle_config(), "proposal": pdas.governance_proposal(proposal_index)},
        [AccountMeta(key, is_signer=True, is_writable=False) for key in attestors],
    )


def verify_inclusion(start_s: int, leaf: bytes, index: int, path: Sequence[bytes], *, revision: int = 1) -> Instruction:
    """Fails unless the leaf is number ``index`` of the interval's tree; ``path`` has its siblings from the bottom up.

    Nobody signs.
    """
    return build(
        "oracle",
        "verify_inclusion",
        [list(leaf), index, b"".join(path)],
        {"interval": pdas.interval(start_s, revision)},
    )
