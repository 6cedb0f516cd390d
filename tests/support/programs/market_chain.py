"""The market on chain for tests: currency, traders with money and mandates, and an interval settled to its lines.

`Exchange` builds every instruction of energy_token and trading, so that a test can bend one.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from support.programs.campus_chain import (
    AUTHORITY,
    INTERVAL_S,
    ORACLE,
    PARAMS,
    PAUSE,
    Campus,
    founded_campus,
    interval_address,
)
from support.programs.chain_lines import ChainLine, lines_root, range_proof
from support.programs.svm import PROGRAM_IDS, START, TOKEN_2022, Chain, Outcome, instruction, pda, program_type

MARKET = pda("trading", b"market")
POOL = pda("trading", b"pool")
VAULTS = {name: pda("trading", b"vault", name.encode()) for name in ("wheeling", "platform", "loss")}
ENERGY_STATE = pda("energy_token", b"state")
ENERGY_MINT = pda("energy_token", b"mint")
ENERGY_POOL = pda("energy_token", b"pool")
CHARGES_MILLS = 130
"""Wheeling, platform and loss of `campus_chain.rate_set`."""
MONEY = 100_000_000
"""Micros that a trader has in their token account at first."""
LINES_PER_BATCH = 12
"""As many as fit a legacy transaction."""
OPEN, CLOSED, ABORTED, EMPTY, RETURNING = 1, 2, 3, 4, 5


def i64(value: int) -> bytes:
    """Little-endian, as addresses take it."""
    return struct.pack("<q", value)


def account_address(wallet: Pubkey) -> Pubkey:
    """Of the wallet's account in the market."""
    return pda("trading", b"account", wallet)


def participant_address(wallet: Pubkey) -> Pubkey:
    """Of the wallet in the registry."""
    return pda("registry", b"participant", wallet)


def settlement_address(start: int) -> Pubkey:
    """Of an interval's settlement."""
    return pda("trading", b"settlement", i64(start))


def minted_address(start: int) -> Pubkey:
    """Of what was minted for an interval."""
    return pda("energy_token", b"minted", i64(start))


@dataclass
class Trader:
    """A wallet with a token account, an account in the market, and the number of its last mandate."""

    key: Keypair
    token: Pubkey
    nonce: int = 0

    @property
    def wallet(self) -> Pubkey:
        """The wallet's address."""
        return self.key.pubkey()

    @property
    def account(self) -> Pubkey:
        """The market account's address."""
        return account_address(self.wallet)


@dataclass
class Exchange:
    """A campus with the energy token and the market founded, and the keys that act there."""

    campus: Campus
    settler: Keypair
    currency: Keypair
    traders: dict[str, Trader] = field(default_factory=dict)

    @property
    def chain(self) -> Chain:
        """The machine below."""
        return self.campus.chain

    # Tokens ------------------------------------------------------------------------------------------------------

    def make_currency(self, *, decimals: int = 6, freezer: Pubkey | None = None, size: int = 82) -> None:
        """A Token-2022 mint whose authority is the payer."""
        freeze = b"\0" if freezer is None else b"\1" + bytes(freezer)
        data = bytes([20, decimals]) + bytes(self.chain.payer.pubkey()) + freeze
        init = Instruction(TOKEN_2022, data, [AccountMeta(self.currency.pubkey(), False, True)])
        self.chain.ok(self._room(self.currency, size), init, signers=[self.currency])

    def token_account(self, name: str, owner: Pubkey, mint: Pubkey | None = None) -> Pubkey:
        """A token account of the currency."""
        key = self.chain.key(f"token account {name}")
        metas = [AccountMeta(key.pubkey(), False, True), AccountMeta(mint or self.currency.pubkey(), False, False)]
        self.chain.ok(self._room(key, 165), Instruction(TOKEN_2022, bytes([18]) + bytes(owner), metas), signers=[key])
        return key.pubkey()

    def _room(self, key: Keypair, size: int) -> Instruction:
        self.chain.svm.set_account(key.pubkey(), _nothing())
        return create_account(
            CreateAccountParams(
                from_pubkey=self.chain.payer.pubkey(),
                to_pubkey=key.pubkey(),
                lamports=self.chain.svm.minimum_balance_for_rent_exemption(size),
                space=size,
                owner=TOKEN_2022,
            )
        )

    def issue(self, to: Pubkey, micros: int) -> None:
        """Mints currency."""
        accounts = [AccountMeta(self.currency.pubkey(), False, True), AccountMeta(to, False, True)]
        accounts.append(AccountMeta(self.chain.payer.pubkey(), True, False))
        self.chain.ok(Instruction(TOKEN_2022, bytes([7]) + struct.pack("<Q", micros), accounts))

    def tokens(self, account: Pubkey) -> int:
        """The amount in a token account."""
        stored = self.chain.svm.get_account(account)
        assert stored is not None
        return int.from_bytes(stored.data[64:72], "little")

    def supply(self, mint: Pubkey) -> int:
        """All tokens of a mint."""
        stored = self.chain.svm.get_account(mint)
        assert stored is not None
        return int.from_bytes(stored.data[36:44], "little")

    # Founding ----------------------------------------------------------------------------------------------------

    def found_energy(self) -> Instruction:
        """energy_token's `initialize`."""
        return instruction(
            "energy_token",
            "initialize",
            **self.chain.founder_accounts("energy_token"),
            state=ENERGY_STATE,
            mint=ENERGY_MINT,
            pool=ENERGY_POOL,
            token_program=TOKEN_2022,
        )

    def found_market(self, interval_s: int = INTERVAL_S) -> Instruction:
        """trading's `initialize`."""
        return instruction(
            "trading",
            "initialize",
            self.settler.pubkey(),
            interval_s,
            **self.chain.founder_accounts("trading"),
            authority=AUTHORITY,
            oracle_config=ORACLE,
            market=MARKET,
            currency_mint=self.currency.pubkey(),
            pool=POOL,
            wheeling_vault=VAULTS["wheeling"],
            platform_vault=VAULTS["platform"],
            loss_vault=VAULTS["loss"],
            token_program=TOKEN_2022,
        )

    # Accounts ----------------------------------------------------------------------------------------------------

    def trader(self, name: str) -> Trader:
        """A wallet with an account in the market and currency in its token account; nothing deposited."""
        if name not in self.traders:
            key = self.chain.key(f"trader {name}")
            trader = Trader(key, self.token_account(name, key.pubkey()))
            self.issue(trader.token, MONEY)
            self.campus.add_participant(key)
            self.chain.ok(self.open_account(key.pubkey()), signers=[key])
            self.traders[name] = trader
        return self.traders[name]

    def ready(self, name: str, deposit: int = 10_000_000, **terms: int) -> Trader:
        """A trader with a balance and a mandate."""
        trader = self.trader(name)
        self.chain.ok(self.deposit(trader, deposit), signers=[trader.key])
        self.mandate(trader, **terms)
        return trader

    def mandate(self, trader: Trader, **terms: int) -> Outcome:
        """Signs the trader's next mandate."""
        outcome = self.chain.ok(self.set_mandate(trader, **terms), signers=[trader.key])
        trader.nonce += 1
        return outcome

    def open_account(self, wallet: Pubkey) -> Instruction:
        """An account for the wallet."""
        return instruction(
            "trading",
            "open_account",
            payer=self.chain.payer.pubkey(),
            wallet=wallet,
            participant=participant_address(wallet),
            market=MARKET,
            account=account_address(wallet),
        )

    def deposit(self, trader: Trader, micros: int) -> Instruction:
        """From the trader's token account to the balance."""
        return instruction("trading", "deposit", micros, source=trader.token, **self._money(trader))

    def withdraw(self, trader: Trader, micros: int) -> Instruction:
        """From the balance to the trader's token account."""
        return instruction("trading", "withdraw", micros, destination=trader.token, **self._money(trader))

    def _money(self, trader: Trader) -> dict[str, Any]:
        return {
            "wallet": trader.wallet,
            "market": MARKET,
            "account": trader.account,
            "currency_mint": self.currency.pubkey(),
            "pool": POOL,
            "token_program": TOKEN_2022,
        }

    def set_mandate(self, trader: Trader, **terms: int) -> Instruction:
        """The trader's next mandate; generous unless `terms` say otherwise."""
        defaults = {
            "expiry_s": START + 30 * 86_400,
            "max_price_mills": 5_000,
            "min_price_mills": 2_000,
            "max_wh": 10_000,
            "horizon_s": 3_600,
            "max_debit_micros": 8_000_000,
            "max_day_debit_micros": 20_000_000,
            "reserve_micros": 1_000_000,
            "nonce": trader.nonce + 1,
        }
        args = program_type("trading", "MandateArgs")(**(defaults | terms))
        return instruction("trading", "set_mandate", args, wallet=trader.wallet, market=MARKET, account=trader.account)

    # Intervals ---------------------------------------------------------------------------------------------------

    def mint_interval(self, start: int, revision: int = 1) -> Instruction:
        """Energy for an attested interval."""
        return instruction(
            "energy_token",
            "mint_interval",
            payer=self.chain.payer.pubkey(),
            interval=interval_address(start, revision),
            minted=minted_address(start),
            state=ENERGY_STATE,
            mint=ENERGY_MINT,
            pool=ENERGY_POOL,
            token_program=TOKEN_2022,
        )

    def attest_and_mint(self, start: int, export_wh: int = 1_000) -> None:
        """Attests the interval, once it has ended, and mints its export."""
        self.campus.attested(start, export_wh=export_wh)
        self.chain.ok(self.mint_interval(start))

    def open(self, start: int, lines: Sequence[ChainLine], price: int = 0, **changes: Any) -> Instruction:
        """The commitment to the lines in this order."""
        args = {
            "start_s": start,
            "lines_root": list(lines_root(lines, start)),
            "line_count": len(lines),
            "sold_wh": sum(line.sold_wh for line in lines),
            "bought_wh": sum(line.bought_wh for line in lines),
            "credit_micros": sum(line.credit_micros for line in lines),
            "debit_micros": sum(line.debit_micros for line in lines),
            "clearing_price_mills": price,
            "journal_hash": list(hashlib.sha256(b"journal").digest()),
        } | changes
        return instruction(
            "trading",
            "open",
            *args.values(),
            payer=self.chain.payer.pubkey(),
            settler=self.settler.pubkey(),
            market=MARKET,
            interval=interval_address(start),
            minted=minted_address(start),
            params=PARAMS,
            pause=PAUSE,
            settlement=settlement_address(start),
        )

    def attest_and_open(
        self, start: int, lines: Sequence[ChainLine], price: int = 0, *, export_wh: int = 1_000, **changes: Any
    ) -> None:
        """Attests the interval, mints its export and opens its settlement."""
        self.attest_and_mint(start, export_wh)
        self.chain.ok(self.open(start, lines, price, **changes), signers=[self.settler])

    def settle(self, start: int, index: int, lines: Sequence[ChainLine]) -> Instruction:
        """A batch of lines, the first of them number `index`."""
        return instruction(
            "trading",
            "settle",
            index,
            [line.argument() for line in lines],
            settler=self.settler.pubkey(),
            market=MARKET,
            settlement=settlement_address(start),
            remaining=[AccountMeta(account_address(line.wallet), False, True) for line in lines],
        )

    def abort(self, start: int, caller: Pubkey | None = None) -> Instruction:
        """The end of the settling."""
        by = caller or self.settler.pubkey()
        return instruction("trading", "abort", caller=by, market=MARKET, settlement=settlement_address(start))

    def return_lines(
        self, start: int, settled: Sequence[ChainLine], first: int, end: int, **changes: Any
    ) -> Instruction:
        """The way back of the lines from number `first` to before `end`, proven against all `settled` ones."""
        leaves = [line.leaf(start, index) for index, line in enumerate(settled)]
        args = {
            "first_index": first,
            "lines": [line.argument() for line in settled[first:end]],
            "range_proof": [list(node) for node in range_proof(leaves, first, end)],
        } | changes
        return instruction(
            "trading",
            "return_lines",
            *args.values(),
            settlement=settlement_address(start),
            remaining=[AccountMeta(account_address(line.wallet), False, True) for line in settled[first:end]],
        )

    def close_aborted(self, start: int) -> Instruction:
        """The end of a returned settlement."""
        return instruction("trading", "close_aborted", **self._burn(start))

    def unwind(self, start: int, settled: Sequence[ChainLine], batch: int = 3, others: Sequence[int] = ()) -> None:
        """Returns all settled lines of an aborted settlement, the last ones first, and closes it. Signed by nobody.

        The books are checked after every step; `others` are the starts of other settlements with an escrow.
        """
        for first in reversed(range(0, len(settled), batch)):
            end = min(first + batch, len(settled))
            self.chain.ok(self.return_lines(start, settled, first, end))
            self.check_books(start, *others)
        self.chain.ok(self.close_aborted(start))
        self.check_books(start, *others)

    def close(self, start: int) -> Instruction:
        """The end of a settled interval."""
        return instruction(
            "trading",
            "close",
            settler=self.settler.pubkey(),
            currency_mint=self.currency.pubkey(),
            pool=POOL,
            wheeling_vault=VAULTS["wheeling"],
            platform_vault=VAULTS["platform"],
            loss_vault=VAULTS["loss"],
            **self._burn(start),
        )

    def close_empty(self, start: int, caller: Pubkey | None = None) -> Instruction:
        """The end of an interval without lines."""
        return instruction(
            "trading",
            "close_empty",
            start,
            payer=self.chain.payer.pubkey(),
            caller=caller or self.settler.pubkey(),
            interval=interval_address(start),
            **self._burn(start),
        )

    def _burn(self, start: int) -> dict[str, Any]:
        return {
            "market": MARKET,
            "settlement": settlement_address(start),
            "minted": minted_address(start),
            "energy_state": ENERGY_STATE,
            "energy_mint": ENERGY_MINT,
            "energy_pool": ENERGY_POOL,
            "energy_program": PROGRAM_IDS["energy_token"],
            "token_program": TOKEN_2022,
        }

    def burn_interval(self, start: int, authority: Pubkey) -> Instruction:
        """energy_token's `burn_interval`, which trading calls when it closes an interval."""
        return instruction(
            "energy_token",
            "burn_interval",
            trading_authority=authority,
            state=ENERGY_STATE,
            minted=minted_address(start),
            mint=ENERGY_MINT,
            pool=ENERGY_POOL,
            token_program=TOKEN_2022,
        )

    # What holds --------------------------------------------------------------------------------------------------

    def balance(self, trader: Trader) -> int:
        """The trader's balance in the market."""
        return int(self.chain.account("trading", trader.account).balance_micros)

    def settlement(self, start: int) -> Any:
        """The interval's settlement, decoded."""
        return self.chain.account("trading", settlement_address(start))

    def check_books(self, *starts: int) -> None:
        """Balances and the escrows of the settlements named = pool, vaults = charges, minted - burned = held."""
        market, energy = self.chain.account("trading", MARKET), self.chain.account("energy_token", ENERGY_STATE)
        owed = sum(map(self.balance, self.traders.values()))
        owed += sum(self.settlement(start).escrow_micros for start in starts)
        assert owed == market.accounts_total_micros == self.tokens(POOL)
        kept = market.charges_total_micros - market.collected_total_micros
        assert sum(map(self.tokens, VAULTS.values())) == kept
        held = energy.minted_wh - energy.burned_wh
        assert held == self.supply(ENERGY_MINT) == self.tokens(ENERGY_POOL)


def _nothing() -> Any:
    from solders.account import Account
    from solders.system_program import ID

    return Account(0, b"", ID)


def new_exchange() -> Exchange:
    """Governance, registry and oracle founded, a currency made, and nothing of the market."""
    campus = founded_campus()
    exchange = Exchange(campus, campus.chain.key("settler"), campus.chain.key("currency"))
    exchange.make_currency()
    return exchange


def founded_exchange() -> Exchange:
    """The energy token and the market in place, without traders."""
    exchange = new_exchange()
    for ix in (exchange.found_energy(), exchange.found_market()):
        exchange.chain.ok(ix, signers=[exchange.chain.upgrade_authority])
    return exchange
