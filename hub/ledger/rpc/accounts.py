"""JSON-RPC methods that read accounts, at the caller's commitment."""

import base64
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.chain import Chain
from hub.ledger.recent import Commitment
from hub.ledger.results import base58
from hub.ledger.rpc.params import API_VERSION, MIN_CONTEXT_SLOT, Config, Params, RpcError, binary, invalid, pubkey
from hub.ledger.rpc.token_json import ReadAccount, parsed

MAX_ADDRESSES = 100
MAX_ACCOUNTS = 20_000
MAX_RESPONSE_BYTES = 32 * 2**20
_MAX_BASE58_BYTES = 128


class AccountView:
    """Reads accounts at the commitment of a caller's configuration."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def commitment(self, config: Config) -> Commitment:
        """Returns the caller's commitment.

        Raises:
            RpcError: the chain has not reached ``minContextSlot``, or a parameter is wrong.
        """
        commitment = config.commitment()
        min_slot = config.integer("minContextSlot")
        slot = self._chain.slot_for(commitment)
        if min_slot is not None and min_slot > slot:
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot})
        return commitment

    def read(self, key: Pubkey, config: Config) -> Account | None:
        """Returns the account, or None.

        Raises:
            RpcError: as ``commitment`` says.
        """
        return self._chain.bank.read(key, self._chain.hidden_layers(self.commitment(config)))

    def reader(self, config: Config) -> ReadAccount:
        """Returns a function that reads accounts at the same commitment, such as the mint of a token account."""
        return lambda key: self.read(key, config)

    def owned_by(self, program: Pubkey, config: Config) -> list[tuple[Pubkey, Account]]:
        """Returns all accounts of a program with their addresses.

        Raises:
            RpcError: as ``commitment`` says.
        """
        return self._chain.bank.owned_by(program, self._chain.hidden_layers(self.commitment(config)))

    def with_context(self, config: Config, value: Any) -> dict[str, Any]:
        """Returns the value with the slot that it was read at, as Solana answers."""
        return {
            "context": {"slot": self._chain.slot_for(config.commitment()), "apiVersion": API_VERSION},
            "value": value,
        }


class AccountMethods:
    """Answers getAccountInfo and the other methods that read accounts."""

    def __init__(self, chain: Chain, view: AccountView) -> None:
        self._chain = chain
        self._view = view
        self.methods: dict[str, Callable[[Params], Any]] = {
            "getAccountInfo": self._account_info,
            "getMultipleAccounts": self._multiple_accounts,
            "getProgramAccounts": self._program_accounts,
            "getBalance": self._balance,
            "getMinimumBalanceForRentExemption": self._rent,
        }

    def _account_info(self, params: Params) -> Any:
        config = params.config(1)
        account = self._view.read(params.pubkey(0), config)
        return self._view.with_context(
            config, None if account is None else account_json(account, config, self._view.reader(config))
        )

    def _multiple_accounts(self, params: Params) -> Any:
        config = params.config(1)
        keys = [pubkey(text) for text in params.texts(0, "addresses", MAX_ADDRESSES)]
        accounts, read = [self._view.read(key, config) for key in keys], self._view.reader(config)
        values = [None if account is None else account_json(account, config, read) for account in accounts]
        return self._view.with_context(config, values)

    def _program_accounts(self, params: Params) -> Any:
        program, config = params.pubkey(0), params.config(1)
        filters = account_filters(config)
        rows: list[dict[str, Any]] = []
        size = 0
        for key, account in self._view.owned_by(program, config):
            if not all(matches(account.data) for matches in filters):
                continue
            encoded = account_json(account, config, self._view.reader(config))
            size += 2 * len(account.data) if isinstance(encoded["data"], dict) else len(encoded["data"][0])
            rows.append({"pubkey": str(key), "account": encoded})
            if len(rows) > MAX_ACCOUNTS or size > MAX_RESPONSE_BYTES:
                raise invalid("too many accounts for one answer: narrow it with filters or dataSlice")
        return self._view.with_context(config, rows) if config.flag("withContext") else rows

    def _balance(self, params: Params) -> Any:
        config = params.config(1)
        account = self._view.read(params.pubkey(0), config)
        return self._view.with_context(config, 0 if account is None else account.lamports)

    def _rent(self, params: Params) -> Any:
        size = params.integer(0, "a size")
        if size > 10 * 2**20:
            raise invalid("an account has at most 10 MiB")
        return self._chain.bank.rent_exempt_minimum(size)


def account_json(account: Account, config: Config, read: ReadAccount) -> dict[str, Any]:
    """Encodes an account as the configuration says; jsonParsed gives base64, as Solana does, unless it is a token's.

    Raises:
        RpcError: the encoding is not offered here.
    """
    data = account.data
    data_slice = config.object("dataSlice")
    if data_slice is not None:
        options = Config(data_slice)
        offset, length = options.integer("offset") or 0, options.integer("length") or 0
        data = data[offset : offset + length]
    encoding = config.text("encoding", "base64")
    encoded: Any = parsed(account, read) if encoding == "jsonParsed" else None
    if encoded is not None:
        pass
    elif encoding in {"base64", "jsonParsed"}:
        encoded = [base64.b64encode(data).decode(), "base64"]
    elif encoding in {"base58", "binary"}:
        if len(data) > _MAX_BASE58_BYTES:
            raise invalid(f"Encoded binary (base 58) data should be less than {_MAX_BASE58_BYTES} bytes, use base64")
        encoded = [base58(data), "base58"]
    else:
        raise invalid(f"encoding {encoding} is not offered here: use base64")
    return {
        "data": encoded,
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": str(account.owner),
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def account_filters(config: Config) -> list[Callable[[bytes], bool]]:
    """Returns the filters of getProgramAccounts and programSubscribe as functions on the account's data."""
    return [_filter(value) for value in config.items("filters", 4)]


def _filter(value: Any) -> Callable[[bytes], bool]:
    if isinstance(value, dict) and isinstance(value.get("dataSize"), int):
        size: int = value["dataSize"]
        return lambda data: len(data) == size
    if isinstance(value, dict) and isinstance(value.get("memcmp"), dict):
        compare = Config(value["memcmp"])
        offset = compare.integer("offset") or 0
        raw = value["memcmp"].get("bytes")
        expected = _byte_list(raw) if isinstance(raw, list) else binary(str(raw), compare.text("encoding", "base58"))
        return lambda data: data[offset : offset + len(expected)] == expected
    raise invalid("a filter is {dataSize} or {memcmp: {offset, bytes}}")


def _byte_list(values: list[Any]) -> bytes:
    try:
        return bytes(values)
    except (ValueError, TypeError) as error:
        raise invalid(f"the bytes of memcmp: {error}") from error
