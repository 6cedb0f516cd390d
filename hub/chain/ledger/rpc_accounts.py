"""JSON-RPC methods that read accounts, at the caller's commitment."""

import base64
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.chain.ledger.chain import Chain
from hub.chain.ledger.recent import Confirmation
from hub.chain.ledger.results import base58
from hub.chain.ledger.rpc_params import MIN_CONTEXT_SLOT, Config, Params, RpcError, binary, invalid, pubkey

MAX_ADDRESSES = 100
MAX_ACCOUNTS = 20_000
MAX_RESPONSE_BYTES = 32 * 2**20
_MAX_BASE58_BYTES = 128
_TOKEN_PROGRAMS = {
    Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"),
    Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"),
}


class AccountMethods:
    """getAccountInfo and its kin."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.methods: dict[str, Callable[[Params], Any]] = {
            "getAccountInfo": self._account_info,
            "getMultipleAccounts": self._multiple_accounts,
            "getProgramAccounts": self._program_accounts,
            "getBalance": self._balance,
            "getTokenAccountBalance": self._token_account_balance,
            "getTokenSupply": self._token_supply,
            "getMinimumBalanceForRentExemption": self._rent,
        }

    def _account_info(self, params: Params) -> Any:
        config = params.config(1)
        account = self._read(params.pubkey(0), config)
        return self._with_context(config, None if account is None else account_json(account, config))

    def _multiple_accounts(self, params: Params) -> Any:
        config = params.config(1)
        keys = [pubkey(text) for text in params.texts(0, "addresses", MAX_ADDRESSES)]
        accounts = [self._read(key, config) for key in keys]
        return self._with_context(config, [None if a is None else account_json(a, config) for a in accounts])

    def _program_accounts(self, params: Params) -> Any:
        program, config = params.pubkey(0), params.config(1)
        confirmation = self._confirmation(config)
        keep = _filters(config)
        found: list[dict[str, Any]] = []
        size = 0
        for key, account in self._chain.bank.owned_by(program, self._chain.hidden_layers(confirmation)):
            if not all(test(account.data) for test in keep):
                continue
            one = account_json(account, config)
            size += len(one["data"][0])
            found.append({"pubkey": str(key), "account": one})
            if len(found) > MAX_ACCOUNTS or size > MAX_RESPONSE_BYTES:
                raise invalid("too many accounts for one answer: narrow it with filters or dataSlice")
        return self._with_context(config, found) if config.flag("withContext") else found

    def _balance(self, params: Params) -> Any:
        config = params.config(1)
        account = self._read(params.pubkey(0), config)
        return self._with_context(config, 0 if account is None else account.lamports)

    def _token_account_balance(self, params: Params) -> Any:
        config = params.config(1)
        account = self._token(params.pubkey(0), config, 165, "could not find account")
        mint = self._token(Pubkey(account.data[:32]), config, 82, "not a token account")
        return self._with_context(config, _amount(account.data[64:72], mint))

    def _token_supply(self, params: Params) -> Any:
        config = params.config(1)
        mint = self._token(params.pubkey(0), config, 82, "could not find mint")
        return self._with_context(config, _amount(mint.data[36:44], mint))

    def _token(self, key: Pubkey, config: Config, size: int, otherwise: str) -> Account:
        account = self._read(key, config)
        if account is None or account.owner not in _TOKEN_PROGRAMS or len(account.data) < size:
            raise invalid(f"{otherwise} ({key})")
        return account

    def _rent(self, params: Params) -> Any:
        size = params.integer(0, "a size")
        if size > 10 * 2**20:
            raise invalid("an account has at most 10 MiB")
        return self._chain.bank.rent_exempt_minimum(size)

    def _confirmation(self, config: Config) -> Confirmation:
        confirmation = config.confirmation()
        least = config.integer("minContextSlot")
        if least is not None and least > self._chain.slot_for(confirmation):
            slot = self._chain.slot_for(confirmation)
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot})
        return confirmation

    def _read(self, key: Pubkey, config: Config) -> Account | None:
        return self._chain.bank.read(key, self._chain.hidden_layers(self._confirmation(config)))

    def _with_context(self, config: Config, value: Any) -> dict[str, Any]:
        return {"context": {"slot": self._chain.slot_for(config.confirmation()), "apiVersion": "2.2.0"}, "value": value}


def account_json(account: Account, config: Config) -> dict[str, Any]:
    """An account in the encoding asked for; jsonParsed answers base64, as Solana does for what it can not parse."""
    data = account.data
    part = config.object("dataSlice")
    if part is not None:
        options = Config(part)
        offset, length = options.integer("offset") or 0, options.integer("length") or 0
        data = data[offset : offset + length]
    encoding = config.text("encoding", "base64")
    encoded: Any
    if encoding in {"base64", "jsonParsed"}:
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


def _filters(config: Config) -> list[Callable[[bytes], bool]]:
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


def _amount(raw: bytes, mint: Account) -> dict[str, Any]:
    amount, decimals = int.from_bytes(raw, "little"), mint.data[44]
    digits = str(amount).rjust(decimals + 1, "0")
    text = f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".") if decimals else digits
    return {"amount": str(amount), "decimals": decimals, "uiAmount": float(text), "uiAmountString": text}
