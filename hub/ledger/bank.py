"""The virtual machine and the accounts it works on: runs transactions and answers reads at each commitment.

Changes of blocks that are not yet confirmed or final are kept as undo layers, so that a read at a lower commitment
sees the accounts as they were, and a block that can not be stored is taken back.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from solders.account import Account
from solders.clock import Clock
from solders.litesvm import FeatureSet, LiteSVM
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from hub.ledger.accounts_hash import AccountsHash
from hub.ledger.genesis import is_off

Changes = dict[Pubkey, Account | None]
"""Account of each changed address; None = there is none."""

SLOTS_PER_EPOCH = 432_000
LAMPORTS_PER_SIGNATURE = 5000

_TABLE_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
_TABLE_HEADER = 56
_EMPTY = Pubkey.default()


@dataclass(frozen=True)
class Addresses:
    """All addresses of a transaction in the order of their index, those from lookup tables last."""

    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]
    loaded_writable: tuple[Pubkey, ...] = ()
    loaded_readonly: tuple[Pubkey, ...] = ()


@dataclass(frozen=True)
class Execution:
    """What running a transaction did."""

    addresses: Addresses
    result: TransactionMetadata | FailedTransactionMetadata
    before: tuple[int, ...]
    """Lamports of each address before and after."""
    after: tuple[int, ...]
    changed: tuple[Pubkey, ...]
    """Accounts that are other than before."""

    @property
    def failed(self) -> bool:
        return isinstance(self.result, FailedTransactionMetadata)

    @property
    def paid_fee(self) -> bool:
        """A failed transaction belongs into a block only when its fee could be taken."""
        return self.before[0] != self.after[0]


class Bank:
    """One LiteSVM with the ledger's accounts; not thread-safe."""

    def __init__(self, accounts: Iterable[tuple[Pubkey, Account]]) -> None:
        accounts = list(accounts)
        svm = _machine({key for key, account in accounts if is_off(account)})
        # signatures, blockhashes and repeated transactions are checked by the chain, before anything runs
        self._svm = svm.with_blockhash_check(False).with_sigverify(False).with_transaction_history(0)
        self._owned: defaultdict[Pubkey, set[Pubkey]] = defaultdict(set)
        self._hash = AccountsHash()
        self._layers: list[Changes] = []
        # a program account is only accepted when its ProgramData is there
        for key, account in sorted(accounts, key=lambda item: item[1].executable):
            self._svm.set_account(key, account)
            self._owned[account.owner].add(key)
            self._hash.add(key, account)

    def set_clock(self, slot: int, time_ms: int) -> None:
        """The clock that programs see from now on."""
        epoch = slot // SLOTS_PER_EPOCH
        self._svm.set_clock(Clock(slot, time_ms // 1000, epoch, epoch + 1, time_ms // 1000))

    def begin_layer(self) -> None:
        """Changes from now on can be undone, or hidden from reads, as one."""
        self._layers.append({})

    def settle_oldest_layer(self) -> None:
        """The oldest layer's changes are final."""
        self._layers.pop(0)

    def undo_newest_layer(self) -> None:
        """Takes the newest layer's changes back."""
        for key, account in self._layers.pop().items():
            now = self._account(key)
            self._index(key, now, account)
            self._svm.set_account(key, account or Account(0, b"", _EMPTY))

    def newest_changes(self) -> Changes:
        """Accounts that the newest layer changed, as they are now."""
        return {key: self._account(key) for key, old in self._layers[-1].items() if self._account(key) != old}

    def accounts_hash_after(self, changes: Mapping[Pubkey, Account | None]) -> AccountsHash:
        """The hash over all accounts once the newest layer is kept."""
        total = self._hash.copy()
        for key, account in changes.items():
            old = self._layers[-1][key]
            if old is not None:
                total.remove(key, old)
            if account is not None:
                total.add(key, account)
        return total

    def keep(self, total: AccountsHash) -> None:
        self._hash = total

    @property
    def accounts_hash(self) -> bytes:
        return self._hash.digest()

    def read(self, key: Pubkey, hidden_layers: int = 0) -> Account | None:
        """The account, without the changes of that many newest layers."""
        for layer in self._layers[len(self._layers) - hidden_layers :]:
            if key in layer:
                return layer[key]
        return self._account(key)

    def owned_by(self, program: Pubkey, hidden_layers: int = 0) -> list[tuple[Pubkey, Account]]:
        """All accounts of a program, in the order of their addresses."""
        keys = set(self._owned[program])
        for layer in self._layers[len(self._layers) - hidden_layers :]:
            keys.update(layer)
        found = ((key, self.read(key, hidden_layers)) for key in sorted(keys, key=bytes))
        return [(key, account) for key, account in found if account is not None and account.owner == program]

    def rent_exempt_minimum(self, size: int) -> int:
        return self._svm.minimum_balance_for_rent_exemption(size)

    def simulate(self, transaction: VersionedTransaction) -> SimulatedTransactionInfo | FailedTransactionMetadata:
        """Runs it without keeping anything."""
        return self._svm.simulate_transaction(transaction)

    def execute(self, transaction: VersionedTransaction) -> Execution:
        """Runs it and keeps what it changed in the newest layer; its signatures were checked before."""
        addresses = self.resolve(transaction.message)
        writable = [key for key, writable in zip(addresses.keys, addresses.writable, strict=True) if writable]
        balances = self._balances(addresses.keys)
        before: Changes = {key: self._account(key) for key in writable}
        result = self._svm.send_transaction(transaction)
        changed = []
        for key, old in before.items():
            now = self._account(key)
            if old != now:
                changed.append(key)
                self._layers[-1].setdefault(key, old)
                self._index(key, old, now)
        return Execution(addresses, result, balances, self._balances(addresses.keys), tuple(changed))

    def _balances(self, keys: tuple[Pubkey, ...]) -> tuple[int, ...]:
        return tuple(self._svm.get_balance(key) or 0 for key in keys)

    def resolve(self, message: Message | MessageV0) -> Addresses:
        """The addresses that a message names, those of lookup tables read from the tables.

        Raises:
            ValueError: a table is missing or too short.
        """
        static, rights = tuple(message.account_keys), writable_of(message)
        if isinstance(message, Message) or not message.address_table_lookups:
            return Addresses(static, rights)
        written: list[Pubkey] = []
        read: list[Pubkey] = []
        for lookup in message.address_table_lookups:
            table = self._table(lookup.account_key)
            written += [table(i) for i in lookup.writable_indexes]
            read += [table(i) for i in lookup.readonly_indexes]
        keys = (*static, *written, *read)
        return Addresses(keys, (*rights, *[True] * len(written), *[False] * len(read)), tuple(written), tuple(read))

    def _table(self, address: Pubkey) -> "_Table":
        account = self._account(address)
        if account is None or account.owner != _TABLE_PROGRAM:
            raise ValueError(f"there is no address lookup table {address}")
        return _Table(account.data)

    def _account(self, key: Pubkey) -> Account | None:
        account = self._svm.get_account(key)
        return None if account is None or account.lamports == 0 else account

    def _index(self, key: Pubkey, old: Account | None, new: Account | None) -> None:
        if old is not None:
            self._owned[old.owner].discard(key)
        if new is not None:
            self._owned[new.owner].add(key)


def _machine(features_off: set[Pubkey]) -> LiteSVM:
    """One with every feature of Solana's runtime but these."""
    if not features_off:
        return LiteSVM()
    active = {key: slot for key, slot in FeatureSet.all_enabled().active.items() if key not in features_off}
    return LiteSVM().with_builtins(FeatureSet(active, features_off))


def writable_of(message: Message | MessageV0) -> tuple[bool, ...]:
    """Whether a transaction may write each account that its message itself names."""
    header, count = message.header, len(message.account_keys)
    signers, read_signed = header.num_required_signatures, header.num_readonly_signed_accounts
    writable_end = count - header.num_readonly_unsigned_accounts
    return tuple(i < signers - read_signed if i < signers else i < writable_end for i in range(count))


class _Table:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __call__(self, index: int) -> Pubkey:
        start = _TABLE_HEADER + 32 * index
        try:
            (key,) = struct.unpack_from("32s", self._data, start)
        except struct.error as error:
            raise ValueError(f"the address lookup table has no entry {index}") from error
        return Pubkey(key)
