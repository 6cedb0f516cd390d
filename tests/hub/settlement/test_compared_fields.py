"""What reconcile compares between chain and database: each field of an interval, and each of the sums."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.settlement import command, onchain, reconcile
from hub.settlement.abort import EARLY
from hub.settlement.onchain import ABORTED, CLOSED, EMPTY, OPEN, RETURNING
from hub.settlement.reconcile import Report, SumsComparison, compare_interval, compare_sums
from hub.settlement.repository import IntervalRows
from support.settlement.closed_interval import (
    END_S,
    NO_LINES,
    answer_with,
    attestation,
    empty,
    minted,
    rows,
    settlement,
)


@dataclass
class Accounts:
    """What the chain holds for the interval."""

    attestation: Any = field(default_factory=attestation)
    minted: Any = field(default_factory=minted)
    settlement: Any = field(default_factory=settlement)

    async def compared(self, of: IntervalRows | None = None) -> reconcile.IntervalComparison:
        return await compare_interval(cast("ChainClient", None), of or rows())


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    accounts = Accounts()
    answer_with(accounts, monkeypatch)
    return accounts


async def test_an_interval_that_agrees_has_no_difference(chain: Accounts) -> None:
    compared = await chain.compared()
    assert compared == reconcile.IntervalComparison([])
    assert (compared.notes, compared.alarm, compared.lines) == ([], False, 0)
    chain.settlement = empty()
    assert await chain.compared(rows(**NO_LINES)) == reconcile.IntervalComparison([])


@pytest.mark.parametrize(
    ("account", "name", "theirs", "ours"),
    [
        ("attestation", "import_wh", 1, 1400),
        ("minted", "wh", 1, 1000),
        ("settlement", "debit_micros", 1, 3_825_000),
        ("settlement", "cursor", 2, 3),
        ("settlement", "escrow_micros", 1, 0),
        ("settlement", "settled_sold_wh", 1, 900),
        ("settlement", "settled_bought_wh", 1, 900),
        ("settlement", "settled_credit_micros", 1, 3_708_000),
        ("settlement", "settled_debit_micros", 1, 3_825_000),
    ],
)
async def test_each_field_is_compared(chain: Accounts, account: str, name: str, theirs: int, ours: int) -> None:
    setattr(getattr(chain, account), name, theirs)
    assert (await chain.compared()).differences == [f"{name} is {theirs} on the chain and {ours} here"]


@pytest.mark.parametrize("name", reconcile.RATES)
async def test_each_rate_is_compared(chain: Accounts, name: str) -> None:
    setattr(chain.settlement.rates, name, 1)
    ((difference,), notes) = (comparison := await chain.compared()).differences, comparison.notes
    assert difference.startswith(f"{name} is 1 on the chain and ") and notes == []
    chain.settlement = empty()
    setattr(chain.settlement.rates, name, 1)
    assert (await chain.compared(rows(**NO_LINES))).differences == [], "without lines no rate was used"


@pytest.mark.parametrize(
    ("of", "status", "says"),
    [
        (rows(), OPEN, "status is open on the chain and closed here"),
        (rows(**NO_LINES), CLOSED, "status is closed on the chain and closed without lines here"),
        (rows(), RETURNING, "status is being returned on the chain and closed here"),
        (rows(), ABORTED, "status is aborted on the chain and closed here"),
        (rows(**NO_LINES), OPEN, "status is open on the chain and closed without lines here"),
    ],
)
async def test_another_status_is_a_difference(chain: Accounts, of: IntervalRows, status: int, says: str) -> None:
    chain.settlement = (settlement if of.interval["line_count"] else empty)(status=status)
    assert (await chain.compared(of)).differences == [says]


async def test_what_is_missing_is_a_difference(chain: Accounts) -> None:
    chain.attestation = chain.minted = chain.settlement = None
    assert (await chain.compared()).differences == [
        "there is no attestation on the chain",
        "there is no minted energy on the chain",
        "there is no settlement on the chain",
    ]


async def test_an_interval_attested_after_seven_days_has_minted_nothing(chain: Accounts) -> None:
    chain.attestation.attested_at_s = END_S + onchain.MINTABLE_S + 1
    assert (await chain.compared()).differences == ["wh is 1000 on the chain and 0 here"]
    chain.minted.wh = 0
    assert (await chain.compared()).differences == []


async def test_energy_that_was_not_burned_is_a_difference(chain: Accounts) -> None:
    chain.minted.burned = False
    assert (await chain.compared()).differences == ["the interval's energy was not burned"]


async def test_a_returned_settlement_is_a_note_and_an_alarm_when_it_was_early(chain: Accounts) -> None:
    returned = {"status": ABORTED, "cursor": 2, "returned_count": 2, "settled_credit_micros": 0}
    day_s = END_S + onchain.ABORT_AFTER_S
    chain.settlement = settlement(**returned, settled_debit_micros=0, closed_at_s=day_s)
    late = await chain.compared(rows(**NO_LINES))
    assert (late.differences, late.alarm) == ([], False)
    (note,) = late.notes
    assert note.startswith("its settlement was aborted, its 2 settled lines had gone back at ") and EARLY not in note
    chain.settlement.closed_at_s = day_s - 1
    early = await chain.compared(rows(**NO_LINES))
    assert (early.differences, early.alarm) == ([], True)
    assert early.notes[0].endswith(f"its trades are utility energy; {EARLY}")


async def test_what_is_left_of_a_returned_settlement_is_a_difference(chain: Accounts) -> None:
    chain.settlement = settlement(status=ABORTED, cursor=3, returned_count=1, escrow_micros=4)
    assert (await chain.compared(rows(**NO_LINES))).differences == [
        f"its settlement was aborted, and {left} on the chain"
        for left in (
            "escrow_micros are 4",
            "lines not returned are 2",
            "settled_credit_micros are 3708000",
            "settled_debit_micros are 3825000",
        )
    ]


def test_the_states_are_the_programs() -> None:
    assert (OPEN, CLOSED, ABORTED, EMPTY, RETURNING) == (1, 2, 3, 4, 5)


# Sums ----------------------------------------------------------------------------------------------------------------


@dataclass
class Books:
    """Sums on the chain that agree: 700 micros of balances, 200 and 100 in escrow, 30 of 50 charges collected."""

    market: dict[str, int] = field(
        default_factory=lambda: {
            "accounts_total_micros": 1_000, "charges_total_micros": 50, "collected_total_micros": 30
        }
    )  # fmt: skip
    energy: dict[str, int] = field(default_factory=lambda: {"minted_wh": 90, "burned_wh": 20})
    balances: tuple[int, ...] = (300, 400)
    escrows: dict[int, tuple[int, ...]] = field(default_factory=lambda: {OPEN: (150, 50), RETURNING: (100,)})
    pool: int = 1_000
    vaults: tuple[int, int, int] = (10, 5, 5)
    supply: int = 70

    async def account(self, _: str, kind: str, *__: object, **___: object) -> Any:
        return _Values(self.market if kind == "Market" else self.energy)

    async def all_accounts(self, _: str, kind: str, **options: Any) -> list[tuple[None, Any]]:
        if kind == "Account":
            return [(None, _Values({"balance_micros": micros})) for micros in self.balances]
        return [(None, _Values({"escrow_micros": micros})) for micros in self.escrows[options["where"]["status"]]]

    async def token_balance(self, address: Pubkey, **_: object) -> int:
        vaults = dict(zip((pdas.vault(name) for name in ("wheeling", "platform", "loss")), self.vaults, strict=True))
        return vaults.get(address, self.pool)

    async def token_supply(self, *_: object, **__: object) -> int:
        return self.supply

    async def compared(self, charges_micros: int = 50) -> SumsComparison:
        return await compare_sums(cast("ChainClient", self), charges_micros)


class _Values:
    def __init__(self, values: dict[str, int]) -> None:
        self.__dict__ |= values


async def test_sums_that_agree_have_no_difference() -> None:
    assert await Books().compared() == SumsComparison([], [])


@pytest.mark.parametrize(
    ("books", "says"),
    [
        (Books(balances=(300, 401)), "balances and escrows are 1001, the market's total 1000"),
        (Books(escrows={OPEN: (150, 49), RETURNING: (100,)}), "balances and escrows are 999, the market's total 1000"),
        (Books(escrows={OPEN: (200,), RETURNING: ()}), "balances and escrows are 900, the market's total 1000"),
        (Books(supply=71), "energy minted and not burned are 70, the token's supply 71"),
        (Books(pool=999), "1 micros are missing in the pool: 999 there, the market's total 1000"),
        (
            Books(vaults=(10, 5, 4)),
            "1 micros are missing in the vaults: 19 there, the market's charges not collected 20",
        ),
    ],
)
async def test_each_sum_is_compared(books: Books, says: str) -> None:
    assert await books.compared() == SumsComparison([says], [])


async def test_charges_are_those_of_the_closed_intervals() -> None:
    assert (await Books().compared(49)).differences == [
        "the market's charges are 50, the charges of all closed intervals 49"
    ]


async def test_more_than_is_due_is_a_note() -> None:
    assert await Books(pool=1_002, vaults=(10, 5, 8)).compared() == SumsComparison(
        [],
        [
            "2 micros more in the pool than the market's total: somebody sent them there",
            "3 micros more in the vaults than the market's charges not collected: somebody sent them there",
        ],
    )
    books = Books(vaults=(0, 0, 0))
    books.market["collected_total_micros"] = 51
    assert await books.compared() == SumsComparison([], []), "nothing is due when more was collected than charged"


# The report ----------------------------------------------------------------------------------------------------------


def test_the_report_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    differs = Report(2, ["interval A: x", "interval A: y"], ["a note"])
    assert command.print_report(differs, as_json=False) == 1
    assert capsys.readouterr().out.splitlines() == [
        "2 closed intervals compared, 2 differences:", "  interval A: x", "  interval A: y", "  note: a note",
    ]  # fmt: skip
    assert command.print_report(differs, as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == {
        "checked": 2, "differences": ["interval A: x", "interval A: y"], "notes": ["a note"],
    }  # fmt: skip
    assert command.print_report(Report(1, [], []), as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 closed intervals compared: database and chain agree to the micro and the Wh"
    ]
    assert command.print_report(Report(1, [], []), as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"checked": 1, "differences": [], "notes": []}
