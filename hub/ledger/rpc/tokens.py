"""JSON-RPC methods about token accounts and mints, at the caller's commitment."""

from collections.abc import Callable, Iterator
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.rpc import token_json
from hub.ledger.rpc.accounts import MAX_ACCOUNTS, MAX_RESPONSE_BYTES, View, account_json
from hub.ledger.rpc.params import Config, Params, invalid, pubkey

_LARGEST = 20
_BYTES_OF_ONE = 600
"""About what the JSON around one account's data takes."""


class TokenMethods:
    """getTokenAccountsByOwner and its kin."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.methods: dict[str, Callable[[Params], Any]] = {
            "getTokenAccountBalance": self._balance,
            "getTokenSupply": self._supply,
            "getTokenAccountsByOwner": lambda params: self._accounts(params, token_json.owner_of),
            "getTokenAccountsByDelegate": lambda params: self._accounts(params, token_json.delegate_of),
            "getTokenLargestAccounts": self._largest,
        }

    def _balance(self, params: Params) -> Any:
        config = params.config(1)
        account = self._one(params.pubkey(0), config, "account", "could not find account")
        mint = self._one(token_json.mint_of(account), config, "mint", "not a token account")
        return self._view.with_context(config, token_json.amount(account, mint))

    def _supply(self, params: Params) -> Any:
        config = params.config(1)
        mint = self._one(params.pubkey(0), config, "mint", "could not find mint")
        return self._view.with_context(config, token_json.supply(mint))

    def _accounts(self, params: Params, party: Callable[[Account], Pubkey | None]) -> Any:
        wanted, config = params.pubkey(0), params.config(2)
        programs, mint = self._chosen(params.config(1), config)
        found: list[dict[str, Any]] = []
        size = 0
        for key, account in self._of(programs, mint, config):
            if party(account) != wanted:
                continue
            found.append({"pubkey": str(key), "account": account_json(account, config, self._view.reader(config))})
            size += 2 * len(account.data) + _BYTES_OF_ONE
            if len(found) > MAX_ACCOUNTS or size > MAX_RESPONSE_BYTES:
                raise invalid("too many accounts for one answer: name a mint")
        return self._view.with_context(config, found)

    def _chosen(self, choice: Config, config: Config) -> tuple[frozenset[Pubkey], Pubkey | None]:
        mint, program = choice.text("mint", ""), choice.text("programId", "")
        if bool(mint) == bool(program):
            raise invalid("name either a mint or a programId")
        if mint:
            key = pubkey(mint)
            return frozenset({self._one(key, config, "mint", "could not find mint").owner}), key
        key = pubkey(program)
        if key not in token_json.TOKEN_PROGRAMS:
            raise invalid("unrecognized Token program id")
        return frozenset({key}), None

    def _largest(self, params: Params) -> Any:
        key, config = params.pubkey(0), params.config(1)
        mint = self._one(key, config, "mint", "could not find mint")
        held = [
            (int.from_bytes(account.data[64:72], "little"), address, account)
            for address, account in self._of(frozenset({mint.owner}), key, config)
        ]
        held.sort(key=lambda one: (-one[0], bytes(one[1])))
        rows = [{"address": str(at), **token_json.amount(account, mint)} for _, at, account in held[:_LARGEST]]
        return self._view.with_context(config, rows)

    def _of(self, programs: frozenset[Pubkey], mint: Pubkey | None, config: Config) -> Iterator[tuple[Pubkey, Account]]:
        for program in sorted(programs, key=bytes):
            for key, account in self._view.owned_by(program, config):
                if token_json.kind(account) == "account" and mint in (None, token_json.mint_of(account)):
                    yield key, account

    def _one(self, key: Pubkey, config: Config, what: str, otherwise: str) -> Account:
        account = self._view.read(key, config)
        if account is None or token_json.kind(account) != what:
            raise invalid(f"{otherwise} ({key})")
        return account
