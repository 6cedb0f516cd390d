"""Decodes token accounts and mints of both token programs, for ``jsonParsed`` and the token methods; pure."""

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

ReadAccount = Callable[[Pubkey], Account | None]

_PROGRAMS = {
    Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"): "spl-token",
    Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"): "spl-token-2022",
}
TOKEN_PROGRAMS = frozenset(_PROGRAMS)
_ACCOUNT_BYTES, _MINT_BYTES, _MULTISIG_BYTES = 165, 82, 355
_KINDS = {1: "mint", 2: "account"}
_STATES = {1: "initialized", 2: "frozen"}


def kind(account: Account) -> str | None:
    """Returns "mint", "account" or None for other accounts. Token-2022 writes the kind after the basic fields."""
    if account.owner not in TOKEN_PROGRAMS:
        return None
    data = account.data
    if len(data) == _MINT_BYTES:
        return "mint"
    if len(data) == _ACCOUNT_BYTES:
        return "account" if data[108] else None
    return _KINDS.get(data[_ACCOUNT_BYTES]) if len(data) > _ACCOUNT_BYTES and len(data) != _MULTISIG_BYTES else None


def mint_of(account: Account) -> Pubkey:
    """Returns the mint of a token account."""
    return Pubkey(account.data[:32])


def owner_of(account: Account) -> Pubkey:
    """Returns the wallet that owns a token account."""
    return Pubkey(account.data[32:64])


def delegate_of(account: Account) -> Pubkey | None:
    """Returns the delegate of a token account, or None."""
    return _option(account.data, 72)


def amount(account: Account, mint: Account) -> dict[str, Any]:
    """Returns the balance of a token account: raw units, decimals, and as a decimal number."""
    return _amount(account.data[64:72], mint)


def supply(mint: Account) -> dict[str, Any]:
    """Returns the supply of a mint, in the form of ``amount``."""
    return _amount(mint.data[36:44], mint)


def parsed(account: Account, read: ReadAccount) -> dict[str, Any] | None:
    """Returns the ``data`` of jsonParsed, without Token-2022's extensions; None if it is no token account or mint."""
    account_kind = kind(account)
    info = None
    if account_kind == "mint":
        info = _mint_info(account.data)
    elif account_kind == "account":
        mint = read(mint_of(account))
        info = None if mint is None or kind(mint) != "mint" else _account_info(account, mint)
    if info is None:
        return None
    return {
        "program": _PROGRAMS[account.owner],
        "parsed": {"type": account_kind, "info": info},
        "space": len(account.data),
    }


def _mint_info(data: bytes) -> dict[str, Any]:
    return {
        "mintAuthority": _text(_option(data, 0)),
        "supply": str(int.from_bytes(data[36:44], "little")),
        "decimals": data[44],
        "isInitialized": data[45] == 1,
        "freezeAuthority": _text(_option(data, 46)),
    }


def _account_info(account: Account, mint: Account) -> dict[str, Any]:
    data = account.data
    native = data[109] == 1
    info = {
        "mint": str(mint_of(account)),
        "owner": str(owner_of(account)),
        "tokenAmount": amount(account, mint),
        "state": _STATES.get(data[108], "uninitialized"),
        "isNative": native,
    }
    if native:
        info["rentExemptReserve"] = _amount(data[113:121], mint)
    if (delegate := delegate_of(account)) is not None:
        info |= {"delegate": str(delegate), "delegatedAmount": _amount(data[121:129], mint)}
    if (close_authority := _option(data, 129)) is not None:
        info["closeAuthority"] = str(close_authority)
    return info


def _option(data: bytes, offset: int) -> Pubkey | None:
    return Pubkey(data[offset + 4 : offset + 36]) if data[offset] == 1 else None


def _text(key: Pubkey | None) -> str | None:
    return None if key is None else str(key)


def _amount(raw: bytes, mint: Account) -> dict[str, Any]:
    units, decimals = int.from_bytes(raw, "little"), mint.data[44]
    digits = str(units).rjust(decimals + 1, "0")
    text = f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".") if decimals else digits
    return {"amount": str(units), "decimals": decimals, "uiAmount": float(text), "uiAmountString": text}
