"""JSON-RPC methods that read accounts, at the caller's commitment."""

import base64
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.chain import Chain
from hub.ledger.recent import Confirmation
from hub.ledger.results import base58
from hub.ledger.rpc.params import API_VERSION, MIN_CONTEXT_SLOT, Config, Params, RpcError, binary, invalid, pubkey
from hub.ledger.rpc.token_json import Read, parsed

MAX_ADDRESSES = 100
MAX_ACCOUNTS = 20_000
MAX_RESPONSE_BYTES = 32 * 2**20
_MAX_BASE58_BYTES = 128


class View:
    """Accounts as a caller's configuration wants to see them."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def confirmation(self, config: Config) -> Confirmation:
        """The commitment, once the slot that the caller asks for is reached."""
        confirmation = config.confirmation()
        least = config.integer("minContextSlot")
        slot = self._chain.slot_for(confirmation)
        if least is not None and least > slot:
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot})
        return confirmation

    def read(self, key: Pubkey, config: Config) -> Account | None:
        return self._chain.bank.read(key, self._chain.hidden_layers(self.confirmation(config)))

    def reader(self, config: Config) -> Read:
        """For what belongs to an account, such as its mint."""
        return lambda key: self.read(key, config)

    def owned_by(self, program: Pubkey, config: Config) -> list[tuple[Pubkey, Account]]:
        return self._chain.bank.owned_by(program, self._chain.hidden_layers(self.confirmation(config)))

    def with_context(self, config: Config, value: Any) -> dict[str, Any]:
        return {
            "context": {"slot": self._chain.slot_for(config.confirmation()), "apiVersion": API_VERSION},
            "value": value,
        }


class AccountMethods:
    """getAccountInfo and its kin."""

    def __init__(self, chain: Chain, view: View) -> None:
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
        return self._view.with_context(config, [None if a is None else account_json(a, config, read) for a in accounts])

    def _program_accounts(self, params: Params) -> Any:
        program, config = params.pubkey(0), params.config(1)
        keep = account_filters(config)
        found: list[dict[str, Any]] = []
        size = 0
        for key, account in self._view.owned_by(program, config):
            if not all(test(account.data) for test in keep):
                continue
            one = account_json(account, config, self._view.reader(config))
            size += 2 * len(account.data) if isinstance(one["data"], dict) else len(one["data"][0])
            found.append({"pubkey": str(key), "account": one})
            if len(found) > MAX_ACCOUNTS or size > MAX_RESPONSE_BYTES:
                raise invalid("too many accounts for one answer: narrow it with filters or dataSlice")
        return self._view.with_context(config, found) if config.flag("withContext") else found

    def _balance(self, params: Params) -> Any:
        config = params.config(1)
        account = self._view.read(params.pubkey(0), config)
        return self._view.with_context(config, 0 if account is None else account.lamports)

    def _rent(self, params: Params) -> Any:
        size = params.integer(0, "a size")
        if size > 10 * 2**20:
            raise invalid("an account has at most 10 MiB")
        return self._chain.bank.rent_exempt_minimum(size)


def account_json(account: Account, config: Config, read: Read) -> dict[str, Any]:
    """An account in the encoding asked for; jsonParsed answers base64, as Solana does, for what is no token's."""
    data = account.data
    part = config.object("dataSlice")
    if part is not None:
        options = Config(part)
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
    """The tests of getProgramAccounts's and programSubscribe's filters."""
    return [_filter(one) for one in config.items("filters", 4)]


def _filter(value: Any) -> Callable[[bytes], bool]:
    if isinstance(value, dict) and isinstance(value.get("dataSize"), int):
        size: int = value["dataSize"]
        return lambda data: len(data) == size
    if isinstance(value, dict) and isinstance(value.get("memcmp"), dict):
        compare = Config(value["memcmp"])
        offset = compare.integer("offset") or 0
        raw = value["memcmp"].get("bytes")
        wanted = _byte_list(raw) if isinstance(raw, list) else binary(str(raw), compare.text("encoding", "base58"))
        return lambda data: data[offset : offset + len(wanted)] == wanted
    raise invalid("a filter is {dataSize} or {memcmp: {offset, bytes}}")


def _byte_list(values: list[Any]) -> bytes:
    try:
        return bytes(values)
    except (ValueError, TypeError) as error:
        raise invalid(f"the bytes of memcmp: {error}") from error
