"""Oracle: whether a meter's leaf is part of an attested interval can be asked of the chain."""

import pytest
from solders.message import Message
from solders.transaction import Transaction

from edge.wire import merkle
from hub.chain.instructions import oracle
from support.programs.campus_chain import INTERVAL_S, ORACLE, Campus, interval_address
from support.programs.svm import START, swapped

SIZES = (1, 2, 3, 7, 15, 64, 65)


def leaves(count: int) -> list[bytes]:
    """Different 32 bytes each."""
    return [number.to_bytes(32, "big") for number in range(1, count + 1)]


def attested(campus: Campus, count: int, estimated: int = 0, start: int = START) -> list[bytes]:
    """Attests an interval over this many leaves."""
    tree = leaves(count)
    campus.attested(
        start, merkle_root=list(merkle.root(tree)), meters_valid=count - estimated, meters_estimated=estimated
    )
    return tree


@pytest.mark.parametrize("count", SIZES)
def test_every_leaf_of_an_interval_is_found(campus: Campus, count: int) -> None:
    tree = attested(campus, count, estimated=count // 3)
    for index, leaf in enumerate(tree):
        campus.chain.ok(oracle.verify_inclusion(START, leaf, index, merkle.path(tree, index)))


def test_it_can_be_asked_by_simulation(campus: Campus) -> None:
    tree = attested(campus, 7)
    chain = campus.chain
    for leaf, expected in ((tree[4], True), (tree[5], False)):
        ix = oracle.verify_inclusion(START, leaf, 4, merkle.path(tree, 4))
        message = Message([ix], chain.payer.pubkey())
        result = chain.svm.simulate_transaction(Transaction([chain.payer], message, chain.svm.latest_blockhash()))
        assert (not hasattr(result, "err")) is expected


@pytest.mark.parametrize("count", SIZES[1:])
def test_what_differs_in_anything_is_not_included(campus: Campus, count: int) -> None:
    tree = attested(campus, count)
    for index, leaf in enumerate(tree):
        path, other = merkle.path(tree, index), (index + 1) % count
        for attempt in (
            oracle.verify_inclusion(START, bytes(32), index, path),
            oracle.verify_inclusion(START, tree[other], index, path),
            oracle.verify_inclusion(START, leaf, other, path),
            oracle.verify_inclusion(START, leaf, index, path[1:]),
            oracle.verify_inclusion(START, leaf, index, [*path, bytes(32)]),
            oracle.verify_inclusion(START, leaf, index, [bytes(32), *path[1:]]),
            oracle.verify_inclusion(START, leaf, count, path),
            oracle.verify_inclusion(START, leaf, 2**32 - 1, path),
        ):
            campus.chain.fails("NotIncluded", attempt)


def test_an_inner_node_is_no_leaf(campus: Campus) -> None:
    tree = attested(campus, 4)
    inner, beside = merkle.node(tree[0], tree[1]), merkle.node(tree[2], tree[3])
    assert merkle.node(inner, beside) == merkle.root(tree)
    campus.chain.fails("NotIncluded", oracle.verify_inclusion(START, inner, 0, [beside]))


def test_an_interval_without_meters_includes_nothing(campus: Campus) -> None:
    campus.attested(
        START, merkle_root=list(merkle.EMPTY_ROOT), meters_valid=0, meters_estimated=0, import_wh=0, export_wh=0
    )
    campus.chain.fails("NotIncluded", oracle.verify_inclusion(START, merkle.EMPTY_ROOT, 0, []))


def test_each_revision_has_its_own_leaves(campus: Campus) -> None:
    chain, before = campus.chain, attested(campus, 7)
    after = [bytes(31) + b"\xff", *before[1:]]
    correction = campus.attest(START, revision=2, previous=1, merkle_root=list(merkle.root(after)), meters_valid=7)
    chain.ok(correction, signers=campus.attestors[:2])
    for revision, tree, other in ((1, before, after), (2, after, before)):
        path = merkle.path(tree, 0)
        chain.ok(oracle.verify_inclusion(START, tree[0], 0, path, revision=revision))
        chain.fails("NotIncluded", oracle.verify_inclusion(START, other[0], 0, path, revision=revision))


def test_no_other_account_stands_in_for_the_interval(campus: Campus) -> None:
    chain, tree = campus.chain, attested(campus, 3)
    attested(campus, 5, start=START + INTERVAL_S)
    ix, interval = oracle.verify_inclusion(START, tree[0], 0, merkle.path(tree, 0)), interval_address(START)
    chain.fails("NotIncluded", swapped(ix, interval, interval_address(START + INTERVAL_S)))
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, interval, ORACLE))
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, interval, chain.payer.pubkey()))
    chain.fails("AccountNotInitialized", swapped(ix, interval, interval_address(START, 2)))


def test_the_longest_path_fits_a_transaction(campus: Campus) -> None:
    path = [bytes([level]) * 32 for level in range(16)]
    leaf = b"\x2a" * 32
    root = merkle.climb(leaf, 0, 65_536, path)
    assert root is not None
    campus.attested(START, merkle_root=list(root), meters_valid=65_536)
    campus.chain.ok(oracle.verify_inclusion(START, leaf, 0, path))
