"""Sets the demo's chain up: programs, currency, wallets with money and mandates, gateways and meters."""

from collections.abc import Mapping
from typing import Any

from solders.keypair import Keypair

from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.instructions.governance import Rates
from hub.chain.instructions.trading import Mandate
from hub.demo.site import BUILDINGS, PEOPLE, person
from hub.demo.state import State
from hub.keys import load_or_create, mark_as_demo
from hub.ledger.genesis import genesis_for, write_genesis

RATES = Rates(
    effective_from_s=0, wheeling_mills=100, platform_mills=25, loss_mills=5, export_tariff_mills=2200,
    import_tariff_mills=5000,
)  # fmt: skip

# the demo's intervals take a minute instead of 15, so a day moves fifteen times the money
FUNDS_MICROS, DEPOSIT_MICROS, RESERVE_MICROS = 25_000_000_000, 20_000_000_000, 20_000_000_000
MANDATE_YEARS_S = 2 * 365 * 86_400
MANDATE = {
    "max_price_mills": 5000,
    "min_price_mills": 2200,
    "max_wh": 50_000,
    "horizon_s": 0,
    "max_debit_micros": 250_000_000,
    "max_day_debit_micros": 10_000_000_000,
    "reserve_micros": RESERVE_MICROS,
    "nonce": 1,
}


def prepare_ledger(state: State) -> Bootstrap:
    """Creates the chain's keys, and writes the genesis for the ledger's first start."""
    mark_as_demo(state.part("keys"))
    keys = Bootstrap.load_or_create(state.part("keys"))
    folder = state.part("ledger")
    if not (folder / "genesis.json").exists():
        write_genesis(folder, genesis_for(keys))
    return keys


def wallets_of(state: State) -> dict[str, Keypair]:
    """Returns the wallets of the people who trade, by e-mail address; elsewhere people keep their own keys."""
    folder = state.part("wallets")
    return {
        each.email: load_or_create(folder / f"{each.email}.json")
        for each in PEOPLE
        if each.participates and each.trades
    }


async def prepare_chain(
    rpc_url: str,
    keys: Bootstrap,
    wallets: Mapping[str, Keypair],
    meters: Mapping[str, Any],
    *,
    interval_s: int,
    now_s: int,
) -> None:
    """Creates on the chain whatever is missing; ``meters`` are those of `peerwatt-sim site`, by id."""
    async with ChainClient(rpc_url) as chain:
        await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=interval_s)
        await setup.ensure_participants(chain, keys, list(wallets.values()))
        await setup.ensure_gateways(chain, keys, [building.gateway_id for building in BUILDINGS])
        await setup.ensure_meters(chain, keys, _meters(wallets, meters))
        mandate = Mandate(expiry_s=now_s + MANDATE_YEARS_S, **MANDATE)
        traders = [setup.Trader(wallet, FUNDS_MICROS, DEPOSIT_MICROS, mandate) for wallet in wallets.values()]
        await setup.ensure_traders(chain, keys, traders)


def _meters(wallets: Mapping[str, Keypair], meters: Mapping[str, Any]) -> list[setup.MeterEntry]:
    """Returns the meters whose owners have a wallet, as an owner on the chain is a wallet."""
    return [
        setup.MeterEntry(
            meter.meter_id, wallets[owner.email].pubkey(), building.gateway_id, meter.kind, meter.rated_power_w,
            meters[meter.meter_id]["serial"],
        )
        for building in BUILDINGS
        for meter in building.meters
        if (owner := person(meter.owner)).email in wallets
    ]  # fmt: skip
