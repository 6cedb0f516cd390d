"""The chain's pages in the browser, on a real embedded ledger: programs, an account, transactions good and failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair

from hub.chain import pdas, setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.demo.chain import RATES
from support.servers.browser import Site
from support.servers.ledger import LedgerProcess, running_ledger
from support.settlement.campus import trader_of
from support.settlement.wallets import send_refused_registration

PAGES = ("chain", "chain-account", "chain-transaction", "chain-failed")
LOOKS = tuple(f"{size} {scheme}" for size in ("phone", "desktop") for scheme in ("light", "dark"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    keys = Bootstrap.load_or_create(tmp_path / "keys")
    with running_ledger(tmp_path / "ledger", keys) as ledger:
        yield ledger


class TestFounded:
    """With a chain that has something to show."""

    @pytest.fixture
    def rpc_url(self, ledger: LedgerProcess) -> str:
        return ledger.url

    async def test_the_chain_can_be_looked_at(self, site: Site, ledger: LedgerProcess, tmp_path: Path) -> None:
        keys, trader = Bootstrap.load_or_create(tmp_path / "keys"), trader_of(Keypair())
        account = pdas.account(trader.wallet.pubkey())
        async with ChainClient(ledger.url) as chain:
            await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=900)
            await setup.ensure_traders(chain, keys, [trader])
            failed = await _failed(chain, keys)
            answer = await chain.call(chain.rpc.get_signatures_for_address(account))
        facts = {
            "account": str(account), "transaction": str(answer.value[0].signature), "failed": failed,
            "nobody": str(Keypair().pubkey()), "trade": site.trade, "reading": site.reading,
        }  # fmt: skip
        async with site.script("chain", **facts) as script:
            start, transaction, followed, *looks, end = await script.facts()

        assert start["heading"] == "What does the chain say?"
        assert "Finalized slot" in start["head"]
        assert "32 to 44 letters" in transaction["refusal"]
        assert "open_account, deposit, set_mandate" in transaction["heading"]
        assert int(transaction["units"].replace(",", "")) > 10_000
        assert "Instruction: SetMandate" in transaction["log"]
        assert (followed["heading"], followed["outline"]) == ("Account", "solid")
        assert "balance_micros" in followed["fields"]
        assert "CHF 10000.000000" in followed["fields"]
        assert [look["name"] for look in looks] == [f"{page} {look}" for look in LOOKS for page in PAGES]
        assert {look["name"]: look["axe"] for look in looks if look["axe"]} == {}
        assert {look["name"]: look["overflow"] for look in looks if look["overflow"]} == {}
        assert end["links"] == 5
        assert end["rung"] >= 3
        assert end["errors"] == []


async def test_a_chain_that_is_away_is_said(site: Site) -> None:
    async with site.script("chain-down") as script:
        fact = await script.fact()
    assert "does not answer" in fact["says"]
    assert fact["axe"] == []


async def _failed(chain: ChainClient, keys: Bootstrap) -> str:
    """The signature of a transaction that a program refused on the chain."""
    signed = await send_refused_registration(chain, keys)
    with pytest.raises(ProgramError):
        await chain.wait(signed)
    return str(signed.signature)
