"""A virtual machine that restores its accounts, so that one world serves many tests.

What a transaction can change are the accounts that it names; they are put back as they were, and so is the clock.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from solders.account import Account
from solders.clock import Clock
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.transaction import Transaction

from support.programs.svm import LOADER, Chain

NOTHING = Account(0, b"", SYSTEM)


class RewindingSvm:
    """The virtual machine, which remembers accounts as they were before they changed."""

    def __init__(self, svm: LiteSVM) -> None:
        self._svm = svm
        self._frames: list[dict[Pubkey, Account | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._svm, name)

    def get_account(self, address: Pubkey) -> Account | None:
        """None where there is nothing, as on a cluster: the machine keeps accounts without lamports."""
        account = self._svm.get_account(address)
        return account if account is not None and account.lamports > 0 else None

    def stored(self, address: Pubkey) -> Account:
        """Returns an account that must exist."""
        account = self.get_account(address)
        assert account is not None, f"no account at {address}"
        return account

    def send_transaction(self, transaction: Transaction) -> Any:
        """Executes; every account of the message is remembered first."""
        self._remember(transaction.message.account_keys)
        return self._svm.send_transaction(transaction)

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Writes an account."""
        self._remember([address])
        self._svm.set_account(address, account)

    def airdrop(self, address: Pubkey, lamports: int) -> None:
        """Gives lamports. The machine's own airdrop is a transaction, which does not work a second time."""
        had = self.get_account(address) or NOTHING
        self.set_account(address, Account(had.lamports + lamports, bytes(had.data), had.owner, had.executable))

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Restores accounts and clock at the end of the block."""
        clock = self._svm.get_clock()
        self._frames.append({})
        try:
            yield
        finally:
            self._restore(self._frames.pop(), clock)

    def _remember(self, addresses: Iterable[Pubkey]) -> None:
        if not self._frames:
            return
        for address in addresses:
            missing = [frame for frame in self._frames if address not in frame]
            if missing:
                account = self.get_account(address)
                for frame in missing:
                    frame[address] = account

    def _restore(self, frame: dict[Pubkey, Account | None], clock: Clock) -> None:
        changed = {address: account for address, account in frame.items() if self.get_account(address) != account}
        if any(account is not None and account.owner == LOADER for account in changed.values()):
            # code is loaded again when its program's account is written
            changed |= {address: account for address, account in frame.items() if account and account.executable}
        for address, account in changed.items():
            self._svm.set_account(address, account or NOTHING)
        self._svm.set_clock(clock)


def make_rewinding(chain: Chain) -> None:
    """Makes the chain's machine a rewinding one."""
    chain.svm = cast("LiteSVM", RewindingSvm(chain.svm))


def rewinding(chain: Chain) -> RewindingSvm:
    """Returns the machine of a chain after ``make_rewinding``."""
    svm: Any = chain.svm
    assert isinstance(svm, RewindingSvm)
    return svm
