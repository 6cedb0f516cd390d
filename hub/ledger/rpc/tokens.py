"""JSON-RPC methods that read token accounts and mints, at the caller's commitment."""

from collections.abc import Callable, Iterator
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.rpc import token_json
from hub.ledger.rpc.accounts import MAX_ACCOUNTS, MAX_RESPONSE_BYTES, AccountView, account_json
from hub.ledger.rpc.params import Config, Params, invalid, pubkey

_MAX_LARGEST = 20
_JSON_BYTES = 600
"""Approximate size of the JSON around one account's data."""


class TokenMethods:
    """Answers getTokenAccountsByOwner and the other token methods."""

    def __init__(self, view: AccountView) -> None:
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
        account = self._require_kind(params.pubkey(0), config, "account", "could not find account")
        mint = self._require_kind(token_json.mint_of(account), config, "mint", "not a token account")
        return self._view.with_context(config, token_json.amount(account, mint))

    def _supply(self, params: Params) -> Any:
        config = params.config(1)
        mint = self._require_kind(params.pubkey(0), config, "mint", "could not find mint")
        return self._view.with_context(config, token_json.supply(mint))

    def _accounts(self, params: Params, party_of: Callable[[Account], Pubkey | None]) -> Any:
        party, config = params.pubkey(0), params.config(2)
        programs, mint = self._programs_and_mint(params.config(1), config)
        rows: list[dict[str, Any]] = []
        size = 0
        for key, account in self._token_accounts(programs, mint, config):
            if party_of(account) != party:
                continue
            rows.append({"pubkey": str(key), "account": account_json(account, config, self._view.reader(config))})
            size += 2 * len(account.data) + _JSON_BYTES
            if len(rows) > MAX_ACCOUNTS or size > MAX_RESPONSE_BYTES:
                raise invalid("too many accounts for one answer: name a mint")
        return self._view.with_context(config, rows)

    def _programs_and_mint(self, selection: Config, config: Config) -> tuple[frozenset[Pubkey], Pubkey | None]:
        mint, program = selection.text("mint", ""), selection.text("programId", "")
        if bool(mint) == bool(program):
            raise invalid("name either a mint or a programId")
        if mint:
            key = pubkey(mint)
            return frozenset({self._require_kind(key, config, "mint", "could not find mint").owner}), key
        key = pubkey(program)
        if key not in token_json.TOKEN_PROGRAMS:
            raise invalid("unrecognized Token program id")
        return frozenset({key}), None

    def _largest(self, params: Params) -> Any:
        key, config = params.pubkey(0), params.config(1)
        mint = self._require_kind(key, config, "mint", "could not find mint")
        balances = [
            (int.from_bytes(account.data[64:72], "little"), address, account)
            for address, account in self._token_accounts(frozenset({mint.owner}), key, config)
        ]
        balances.sort(key=lambda balance: (-balance[0], bytes(balance[1])))
        largest = balances[:_MAX_LARGEST]
        rows = [{"address": str(address), **token_json.amount(account, mint)} for _, address, account in largest]
        return self._view.with_context(config, rows)

    def _token_accounts(
        self, programs: frozenset[Pubkey], mint: Pubkey | None, config: Config
    ) -> Iterator[tuple[Pubkey, Account]]:
        for program in sorted(programs, key=bytes):
            for key, account in self._view.owned_by(program, config):
                if token_json.kind(account) == "account" and mint in (None, token_json.mint_of(account)):
                    yield key, account

    def _require_kind(self, key: Pubkey, config: Config, kind: str, complaint: str) -> Account:
        account = self._view.read(key, config)
        if account is None or token_json.kind(account) != kind:
            raise invalid(f"{complaint} ({key})")
        return account
