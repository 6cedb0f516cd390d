"""The virtual machine with its accounts: runs transactions, and reads accounts at each commitment.

Changes of blocks that are not yet final are kept in layers, one per block. A read at a higher commitment leaves out
the newest layers, and a block that can not be stored is undone.
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
from hub.ledger.genesis import is_disabled_feature

Changes = dict[Pubkey, Account | None]
"""Account of each changed address; None = the account does not exist."""

SLOTS_PER_EPOCH = 432_000
LAMPORTS_PER_SIGNATURE = 5000

_TABLE_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
_TABLE_HEADER = 56
_EMPTY = Pubkey.default()


@dataclass(frozen=True)
class Addresses:
    """All addresses of a transaction in the order of their index; those from lookup tables come last."""

    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]
    loaded_writable: tuple[Pubkey, ...] = ()
    loaded_readonly: tuple[Pubkey, ...] = ()


@dataclass(frozen=True)
class Execution:
    """The outcome of running a transaction."""

    addresses: Addresses
    result: TransactionMetadata | FailedTransactionMetadata
    lamports_before: tuple[int, ...]
    """Of each address."""
    lamports_after: tuple[int, ...]
    changed: tuple[Pubkey, ...]
    """Accounts that the transaction changed."""

    @property
    def failed(self) -> bool:
        return isinstance(self.result, FailedTransactionMetadata)

    @property
    def paid_fee(self) -> bool:
        """Whether the fee was taken; a failed transaction belongs into a block only then."""
        return self.lamports_before[0] != self.lamports_after[0]


class Bank:
    """One LiteSVM with the ledger's accounts; not thread-safe."""

    def __init__(self, accounts: Iterable[tuple[Pubkey, Account]]) -> None:
        accounts = list(accounts)
        svm = _virtual_machine({key for key, account in accounts if is_disabled_feature(account)})
        # the chain checks signatures, blockhashes and repeated transactions before anything runs
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
        """Sets the clock that programs see, from a slot and Unix milliseconds."""
        epoch = slot // SLOTS_PER_EPOCH
        self._svm.set_clock(Clock(slot, time_ms // 1000, epoch, epoch + 1, time_ms // 1000))

    def begin_layer(self) -> None:
        """Starts a layer: changes from now on can be undone together, or hidden from reads."""
        self._layers.append({})

    def finalise_oldest_layer(self) -> None:
        """Drops the oldest layer; its changes can no longer be undone or hidden."""
        self._layers.pop(0)

    def undo_newest_layer(self) -> None:
        """Undoes the changes of the newest layer."""
        for key, account in self._layers.pop().items():
            current = self._account(key)
            self._index(key, current, account)
            self._svm.set_account(key, account or Account(0, b"", _EMPTY))

    def newest_changes(self) -> Changes:
        """Returns the accounts that the newest layer changed, as they are now."""
        return {key: self._account(key) for key, old in self._layers[-1].items() if self._account(key) != old}

    def accounts_hash_after(self, changes: Mapping[Pubkey, Account | None]) -> AccountsHash:
        """Returns the hash over all accounts with the newest layer's changes."""
        accounts_hash = self._hash.copy()
        for key, account in changes.items():
            old = self._layers[-1][key]
            if old is not None:
                accounts_hash.remove(key, old)
            if account is not None:
                accounts_hash.add(key, account)
        return accounts_hash

    def set_accounts_hash(self, accounts_hash: AccountsHash) -> None:
        """Takes over the hash that ``accounts_hash_after`` gave, once the block is stored."""
        self._hash = accounts_hash

    @property
    def accounts_hash(self) -> bytes:
        return self._hash.digest()

    def read(self, key: Pubkey, hidden_layers: int = 0) -> Account | None:
        """Returns the account without the changes of that many newest layers, or None."""
        for layer in self._layers[len(self._layers) - hidden_layers :]:
            if key in layer:
                return layer[key]
        return self._account(key)

    def owned_by(self, program: Pubkey, hidden_layers: int = 0) -> list[tuple[Pubkey, Account]]:
        """Returns all accounts of a program with their addresses, sorted by address."""
        keys = set(self._owned[program])
        for layer in self._layers[len(self._layers) - hidden_layers :]:
            keys.update(layer)
        accounts = ((key, self.read(key, hidden_layers)) for key in sorted(keys, key=bytes))
        return [(key, account) for key, account in accounts if account is not None and account.owner == program]

    def rent_exempt_minimum(self, size: int) -> int:
        return self._svm.minimum_balance_for_rent_exemption(size)

    def simulate(self, transaction: VersionedTransaction) -> SimulatedTransactionInfo | FailedTransactionMetadata:
        """Runs a transaction and keeps no change."""
        return self._svm.simulate_transaction(transaction)

    def execute(self, transaction: VersionedTransaction) -> Execution:
        """Runs a transaction, whose signatures were checked before, and adds its changes to the newest layer.

        Raises:
            ValueError: a lookup table that it names is missing or too short.
        """
        addresses = self.resolve(transaction.message)
        writable = [key for key, writable in zip(addresses.keys, addresses.writable, strict=True) if writable]
        lamports_before = self._balances(addresses.keys)
        accounts_before: Changes = {key: self._account(key) for key in writable}
        result = self._svm.send_transaction(transaction)
        changed = []
        for key, account_before in accounts_before.items():
            account_now = self._account(key)
            if account_before != account_now:
                changed.append(key)
                self._layers[-1].setdefault(key, account_before)
                self._index(key, account_before, account_now)
        return Execution(addresses, result, lamports_before, self._balances(addresses.keys), tuple(changed))

    def _balances(self, keys: tuple[Pubkey, ...]) -> tuple[int, ...]:
        return tuple(self._svm.get_balance(key) or 0 for key in keys)

    def resolve(self, message: Message | MessageV0) -> Addresses:
        """Returns the addresses that a message names, those from lookup tables included.

        Raises:
            ValueError: a table is missing or too short.
        """
        static, static_writable = tuple(message.account_keys), writable_flags(message)
        if isinstance(message, Message) or not message.address_table_lookups:
            return Addresses(static, static_writable)
        writable: list[Pubkey] = []
        readonly: list[Pubkey] = []
        for lookup in message.address_table_lookups:
            table = self._lookup_table(lookup.account_key)
            writable += [table(i) for i in lookup.writable_indexes]
            readonly += [table(i) for i in lookup.readonly_indexes]
        flags = (*static_writable, *[True] * len(writable), *[False] * len(readonly))
        return Addresses((*static, *writable, *readonly), flags, tuple(writable), tuple(readonly))

    def _lookup_table(self, address: Pubkey) -> "_LookupTable":
        account = self._account(address)
        if account is None or account.owner != _TABLE_PROGRAM:
            raise ValueError(f"there is no address lookup table {address}")
        return _LookupTable(account.data)

    def _account(self, key: Pubkey) -> Account | None:
        account = self._svm.get_account(key)
        return None if account is None or account.lamports == 0 else account

    def _index(self, key: Pubkey, old: Account | None, new: Account | None) -> None:
        if old is not None:
            self._owned[old.owner].discard(key)
        if new is not None:
            self._owned[new.owner].add(key)


def _virtual_machine(features_off: set[Pubkey]) -> LiteSVM:
    """Makes a virtual machine with every feature of Solana's runtime but these."""
    if not features_off:
        return LiteSVM()
    active = {key: slot for key, slot in FeatureSet.all_enabled().active.items() if key not in features_off}
    return LiteSVM().with_builtins(FeatureSet(active, features_off))


def writable_flags(message: Message | MessageV0) -> tuple[bool, ...]:
    """Returns, for each account that the message itself names, whether the transaction may write it."""
    header, count = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    writable_signers = signers - header.num_readonly_signed_accounts
    writable_end = count - header.num_readonly_unsigned_accounts
    return tuple(i < writable_signers if i < signers else i < writable_end for i in range(count))


class _LookupTable:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __call__(self, index: int) -> Pubkey:
        start = _TABLE_HEADER + 32 * index
        try:
            (key,) = struct.unpack_from("32s", self._data, start)
        except struct.error as error:
            raise ValueError(f"the address lookup table has no entry {index}") from error
        return Pubkey(key)
