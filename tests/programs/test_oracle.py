"""Oracle: an interval is attested once per revision, by enough attestors, after it has ended."""

import pytest
from solders.instruction import AccountMeta, Instruction

from support.programs.campus_chain import AUTHORITY, INTERVAL_S, ORACLE, PARAMS, REGISTRY, Campus, interval_address
from support.programs.refusals import check_only_the_upgrade_authority_founds
from support.programs.svm import START, assert_in_use, swapped, unsigned

ROOT = bytes(range(32))
CORRECTABLE_S = 40 * 86_400 + 3600
"""40 days, and an hour to reach the chain."""


def test_founding_names_the_attestors(bare: Campus) -> None:
    chain, signers = bare.chain, [bare.chain.upgrade_authority]
    chain.ok(bare.found_governance(), signers=signers)
    ix = bare.found_oracle()
    check_only_the_upgrade_authority_founds(chain, "oracle", ix)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, AUTHORITY, PARAMS), signers=signers)
    outcome = chain.ok(ix, signers=signers)
    assert outcome.event("OracleFounded").interval_s == INTERVAL_S
    config = chain.account("oracle", ORACLE)
    assert list(config.attestors) == [key.pubkey() for key in bare.attestors]
    assert (config.authority, config.threshold, config.interval_s) == (AUTHORITY, 2, INTERVAL_S)
    assert_in_use(chain.send(ix, signers=signers))


def test_bad_foundations_are_named(bare: Campus) -> None:
    chain, signers = bare.chain, [bare.chain.upgrade_authority]
    chain.ok(bare.found_governance(), signers=signers)
    first = bare.attestors[0]
    cases = [
        ("InvalidThreshold", bare.found_oracle(threshold=0)),
        ("InvalidThreshold", bare.found_oracle(threshold=4)),
        ("InvalidThreshold", bare.found_oracle(threshold=1, attestors=[])),
        ("InvalidAttestors", bare.found_oracle(attestors=[first, first])),
        ("InvalidAttestors", bare.found_oracle(attestors=[chain.key(f"attestor {n}") for n in range(6)])),
        ("InvalidIntervalLength", bare.found_oracle(interval_s=0)),
        ("InvalidIntervalLength", bare.found_oracle(interval_s=7)),
        ("InvalidIntervalLength", bare.found_oracle(interval_s=2**32 - 1)),
    ]
    for error, ix in cases:
        chain.fails(error, ix, signers=signers)


def test_an_ended_interval_is_attested_once(campus: Campus) -> None:
    chain = campus.chain
    chain.advance(INTERVAL_S)
    outcome = chain.ok(campus.attest(START), signers=campus.attestors[:2])
    assert outcome.event("Attested").export_wh == 1_000
    interval = chain.account("oracle", interval_address(START))
    assert (interval.start_s, interval.end_s, interval.revision) == (START, START + INTERVAL_S, 1)
    assert (bytes(interval.merkle_root), interval.meters_valid, interval.meters_estimated) == (ROOT, 15, 0)
    assert (interval.import_wh, interval.export_wh, interval.attested_at_s) == (1_400, 1_000, chain.now)
    again = chain.send(campus.attest(START, export_wh=2_000), signers=campus.attestors[:2])
    assert_in_use(again)
    assert chain.account("oracle", interval_address(START)).export_wh == 1_000


def test_not_before_its_end_and_only_on_the_grid(campus: Campus) -> None:
    chain, signers = campus.chain, campus.attestors[:2]
    chain.advance(INTERVAL_S - 1)
    chain.fails("NotEnded", campus.attest(START), signers=signers)
    chain.fails("NotAligned", campus.attest(START - 1), signers=signers)
    chain.fails("NotAligned", campus.attest(-INTERVAL_S), signers=signers)
    chain.fails("Overflow", campus.attest((2**63 - 1) // INTERVAL_S * INTERVAL_S), signers=signers)
    chain.advance(1)
    chain.ok(campus.attest(START), signers=signers)


def test_it_takes_enough_different_attestors(campus: Campus) -> None:
    chain, stranger = campus.chain, campus.chain.key("stranger")
    first, second, third = campus.attestors
    chain.advance(INTERVAL_S)
    chain.fails("NotEnoughAttestors", campus.attest(START, signers=[first]), signers=[first])
    chain.fails("DuplicateAttestor", campus.attest(START, signers=[first, first]), signers=[first])
    for signers in ([stranger, first], [first, stranger], [first, second, stranger]):
        chain.fails("NotAttestor", campus.attest(START, signers=signers), signers=signers)
    chain.ok(campus.attest(START, signers=[third, first, second]), signers=campus.attestors)


def test_an_attestor_who_has_not_signed_does_not_count(campus: Campus) -> None:
    chain, (first, second, _) = campus.chain, campus.attestors
    chain.advance(INTERVAL_S)
    ix = campus.attest(START)
    chain.fails("NotAttestor", unsigned(ix, second.pubkey()), signers=[first])
    chain.fails("AccountNotSigner", unsigned(ix, first.pubkey()), signers=[second])


def test_a_correction_is_a_revision_beside_the_first(campus: Campus) -> None:
    chain, signers = campus.chain, campus.attestors[:2]
    campus.attested(START)
    chain.ok(campus.attest(START, revision=2, previous=1, export_wh=1_001), signers=signers)
    assert chain.account("oracle", interval_address(START, 1)).export_wh == 1_000
    assert chain.account("oracle", interval_address(START, 2)).export_wh == 1_001


def test_revisions_leave_no_gap(campus: Campus) -> None:
    chain, signers = campus.chain, campus.attestors[:2]
    campus.attested(START)
    campus.attested(START + INTERVAL_S)
    for revision in (0, 2, 3, 2**16 - 1):
        chain.fails("PreviousRevision", campus.attest(START, revision=revision), signers=signers)
    chain.fails("PreviousRevision", campus.attest(START, revision=3, previous=1), signers=signers)
    ix = campus.attest(START, revision=2, previous=1)
    of_another = swapped(ix, interval_address(START), interval_address(START + INTERVAL_S))
    chain.fails("PreviousRevision", of_another, signers=signers)
    late = campus.attest(START + 2 * INTERVAL_S, previous=1)
    chain.advance(INTERVAL_S)
    chain.fails("AccountNotInitialized", late, signers=signers)


def test_corrections_end_after_forty_days_but_the_first_attestation_never(campus: Campus) -> None:
    chain, signers = campus.chain, campus.attestors[:2]
    campus.attested(START)
    end = START + INTERVAL_S
    chain.set_time(end + CORRECTABLE_S + 1)
    chain.fails("TooLateToCorrect", campus.attest(START, revision=2, previous=1), signers=signers)
    chain.set_time(end + CORRECTABLE_S)
    chain.ok(campus.attest(START, revision=2, previous=1), signers=signers)
    chain.set_time(end + 400 * 86_400)
    chain.ok(campus.attest(end), signers=signers)


@pytest.mark.parametrize("lamports", [1, 10**9])
def test_a_strangers_money_at_its_address_does_not_stop_an_attestation(campus: Campus, lamports: int) -> None:
    campus.chain.drop_lamports_at(interval_address(START), lamports)
    interval = campus.attested(START)
    stored = campus.chain.svm.get_account(interval)
    assert stored is not None
    assert stored.lamports == max(lamports, campus.chain.svm.minimum_balance_for_rent_exemption(len(stored.data)))
    assert campus.chain.account("oracle", interval).export_wh == 1_000


QUARTER_WH = 25_000_000
"""Of a meter of 100 MW in a quarter of an hour."""


@pytest.mark.parametrize("meters", [0, 1, 65_536])
def test_energy_is_what_the_valid_meters_can_do_at_most(campus: Campus, meters: int) -> None:
    chain, signers, most = campus.chain, campus.attestors[:2], meters * QUARTER_WH
    chain.advance(INTERVAL_S)
    largest = {"import_wh": most, "export_wh": most, "meters_valid": meters}
    for name in ("import_wh", "export_wh"):
        for too_much in (most + 1, 2**64 - 1):
            ix = campus.attest(START, **(largest | {name: too_much}))
            chain.fails("ImpossibleEnergy", ix, signers=signers)
    interval = chain.account("oracle", campus.attested(START, **largest))
    assert {name: getattr(interval, name) for name in largest} == largest
    ix = campus.attest(START, revision=2, previous=1, **(largest | {"export_wh": most + 1}))
    chain.fails("ImpossibleEnergy", ix, signers=signers)


@pytest.mark.parametrize(("valid", "estimated"), [(65_537, 0), (65_536, 1), (0, 2**32 - 1), (2**32 - 1, 2**32 - 1)])
def test_meters_are_as_many_as_the_market_has_accounts(campus: Campus, valid: int, estimated: int) -> None:
    campus.chain.advance(INTERVAL_S)
    ix = campus.attest(START, meters_valid=valid, meters_estimated=estimated)
    campus.chain.fails("TooManyMeters", ix, signers=campus.attestors[:2])


def test_accounts_of_other_types_do_not_stand_in(campus: Campus) -> None:
    chain, signers = campus.chain, campus.attestors[:2]
    interval = campus.attested(START)
    ix = campus.attest(START, revision=2, previous=1)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, ORACLE, interval), signers=signers)
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, ORACLE, REGISTRY), signers=signers)
    wrong_place = swapped(ix, interval_address(START, 2), interval_address(START, 3))
    chain.fails("ConstraintSeeds", wrong_place, signers=signers)


def test_a_further_account_must_be_an_attestor(campus: Campus) -> None:
    ix = campus.attest(START)
    with_spectator = Instruction(
        ix.program_id, ix.data, [*ix.accounts, AccountMeta(campus.chain.payer.pubkey(), True, False)]
    )
    campus.chain.advance(INTERVAL_S)
    campus.chain.fails("NotAttestor", with_spectator, signers=campus.attestors[:2])
