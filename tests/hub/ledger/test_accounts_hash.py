"""The hash over all accounts follows changes one by one and depends on every byte."""

from hypothesis import given
from hypothesis import strategies as st
from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.accounts_hash import AccountsHash

KEYS = [Pubkey(bytes([n]) * 32) for n in range(6)]
accounts = st.builds(
    lambda lamports, data: Account(lamports, data, KEYS[0]), st.integers(1, 2**60), st.binary(max_size=40)
)


@given(st.lists(st.tuples(st.sampled_from(KEYS), accounts | st.none()), max_size=20))
def test_any_order_of_changes_gives_the_hash_of_the_outcome(changes: list[tuple[Pubkey, Account | None]]) -> None:
    running = AccountsHash()
    state: dict[Pubkey, Account] = {}
    for key, account in changes:
        if key in state:
            running.remove(key, state.pop(key))
        if account is not None:
            running.add(key, account)
            state[key] = account
    fresh = AccountsHash()
    for key in sorted(state, key=bytes, reverse=True):
        fresh.add(key, state[key])
    assert running.digest() == fresh.digest()


def test_every_part_of_an_account_counts() -> None:
    base = Account(5, b"data", KEYS[1])
    variants = [
        (KEYS[0], base),
        (KEYS[2], base),
        (KEYS[0], Account(6, b"data", KEYS[1])),
        (KEYS[0], Account(5, b"datA", KEYS[1])),
        (KEYS[0], Account(5, b"data", KEYS[2])),
        (KEYS[0], Account(5, b"data", KEYS[1], True)),
    ]
    digests = set()
    for key, account in variants:
        accounts_hash = AccountsHash()
        accounts_hash.add(key, account)
        digests.add(accounts_hash.digest())
    assert len(digests) == len(variants)
