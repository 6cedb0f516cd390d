"""Random lives of a whole campus beside a plain model: both allow and refuse the same, and the invariants always hold.

2,000 steps as a rule; PEERWATT_LIVES=2000 makes it 100,000 (`make test-random`).
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from support.programs.campus_chain import INTERVAL_S
from support.programs.model.attested import MOST_WH
from support.programs.model.beside import PAYER, TALLY, any_of
from support.programs.model.decided import DAY_S, MEMBERS, Proposal
from support.programs.model.people import ACTIVE, REGISTRAR, RETIRED, SUSPENDED
from support.programs.model.settlement_moves import SettlementMoves
from support.programs.model.settling import SETTLER
from support.programs.model.stage import PEOPLE, stage

LIVES = int(os.environ.get("PEERWATT_LIVES", "40"))
STEPS = 50
MOST = 2**64 - 1
people = st.sampled_from(PEOPLE)
meters = st.sampled_from(("ROOF", "FLAT"))
places = st.integers(0, 7)
oddities = st.integers(0, 9)
"""Most of them leave an action as it should be; each action has its own few that do not."""
micros = st.one_of(st.integers(0, 20_000_000), st.sampled_from((1, 100_000_001, MOST)))
seconds = st.sampled_from((1, 60, 900, 900, 900, 3_600, 12 * 3_600, 24 * 3_600, 3 * DAY_S, 8 * DAY_S, 41 * DAY_S))
LONG_AGO = st.one_of(st.integers(-1, 3), st.sampled_from((7 * 96, 7 * 96 + 1)), st.none())
"""Intervals before the last one that has ended, so long that minting ends with them; None is one that is attested."""
PRICES = (1_990, 2_200, *(3_500, 3_700, 3_900) * 4, 4_500, 4_870, 4_880)
"""Mills per kWh; the first is below the usual minimum, the last above the maximum less the charges."""
trades = st.lists(st.tuples(places, places, st.integers(1, 120), st.sampled_from(PRICES)), min_size=1, max_size=5)
CHANGES: tuple[dict[str, int], ...] = (
    *({},) * 12,
    {"max_wh": 40},
    {"max_price_mills": 4_000},
    {"min_price_mills": 3_000},
    {"max_debit_micros": 100_000},
    {"max_day_debit_micros": 300_000},
    {"reserve_micros": 0},
    {"reserve_micros": 30_000_000},
    {"horizon_s": 0},
    {"horizon_s": 48 * 3_600 + 1},
    {"expiry_s": 0},
    {"expiry_s": 2**63 - 1},
)
"""Of generous terms; half of them leave the terms as they are."""


Method = Callable[..., None]
Move = tuple[str, dict[str, Any]]
MOVES: list[st.SearchStrategy[Move]] = []
"""A move is a method's name with its arguments."""


def move(weight: int = 1, **arguments: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """Enters a method as something that can happen, so many times as often as others."""

    def enter(method: Method) -> Method:
        # one_of takes a strategy once, however often it stands there, so each is made anew
        MOVES.extend(st.tuples(st.just(method.__name__), st.fixed_dictionaries(arguments)) for _ in range(weight))
        return method

    return enter


class Lives(SettlementMoves):
    """What can happen on a campus."""

    def begin(self, deposits: Sequence[int], changes: Sequence[dict[str, int]]) -> None:
        """Three people take part, with money and a mandate; an hour later an interval is minted."""
        for name, deposit, change in zip(PEOPLE, deposits, changes, strict=False):
            self.do_register(name, REGISTRAR)
            self.do_open_account(name)
            self.do_deposit(name, deposit, name)
            self.do_sign(name, self.terms(**change), 1, name)
        self.wait(4 * INTERVAL_S)
        self.make_ready(0, 1_000)

    # People ------------------------------------------------------------------------------------------------------

    @move(name=people, status=st.sampled_from((None, None, ACTIVE, ACTIVE, SUSPENDED, RETIRED)), odd=oddities)
    def admit(self, name: str, status: int | None, odd: int) -> None:
        """Enters a participant, or gives one a status."""
        by = "stranger" if odd == 0 else REGISTRAR
        if status is None:
            self.do_register(name, by)
        else:
            ix = self.stage.set_status(name, status, by)
            self.both("set_status", ix, [by], lambda model: model.registry.set_status(name, status, by))

    @move(meter=meters, owner=people, status=st.sampled_from((None, None, ACTIVE, SUSPENDED, RETIRED)), odd=oddities)
    def meter(self, meter: str, owner: str, status: int | None, odd: int) -> None:
        """Enters a meter, or gives one a status."""
        by = "stranger" if odd == 0 else REGISTRAR
        if status is None:
            ix = self.stage.register_meter(meter, owner, by)
            self.both("register_meter", ix, [by], lambda model: model.registry.register_meter(meter, owner, by))
        else:
            ix = self.stage.set_meter_status(meter, status, by)
            self.both("set_meter_status", ix, [by], lambda model: model.registry.set_meter_status(meter, status, by))

    @move(place=places, owner=people, to=people, odd=oddities)
    def transfer_meter(self, place: int, owner: str, to: str, odd: int) -> None:
        """By its owner, as a rule."""
        if meter := any_of(self.model.registry.meters, place):
            by = self.model.registry.meters[meter].owner if odd else owner
            ix = self.stage.transfer_meter(meter, by, to)
            self.both("transfer_meter", ix, [by, to], lambda model: model.registry.transfer_meter(meter, by, to))

    # Money -------------------------------------------------------------------------------------------------------

    @move(name=people)
    def open_account(self, name: str) -> None:
        """Once, for participants."""
        self.do_open_account(name)

    @move(name=people, amount=micros, other=people, odd=oddities)
    def deposit(self, name: str, amount: int, other: str, odd: int) -> None:
        """Of any amount, by the owner as a rule."""
        self.do_deposit(name, amount, other if odd == 0 else name)

    @move(name=people, amount=micros, other=people, odd=oddities)
    def withdraw(self, name: str, amount: int, other: str, odd: int) -> None:
        """Of any amount, or of all that is there."""
        account = self.model.custody.accounts.get(name)
        all_of_it = account.balance_micros - account.mandates.locked_micros(self.model.now) if account else 0
        wanted, by = all_of_it if 0 < odd < 4 and all_of_it > 0 else amount, other if odd == 0 else name
        trader, now = self.stage.traders[name], self.model.now
        ix = self.stage.instead(self.stage.exchange.withdraw(trader, wanted), name, by)
        self.both("withdraw", ix, [by], lambda model: model.custody.withdraw(name, wanted, by, now))

    @move(2, name=people, change=st.sampled_from(CHANGES), other=people, odd=oddities)
    def sign(self, name: str, change: dict[str, int], other: str, odd: int) -> None:
        """The next mandate, or one out of turn."""
        account = self.model.custody.accounts.get(name)
        nonce = (account.nonce if account else 0) + (2 if odd == 1 else 1)
        self.do_sign(name, self.terms(**change), nonce, other if odd == 0 else name)

    # Energy ------------------------------------------------------------------------------------------------------

    @move(back=LONG_AGO, place=places, export_wh=st.integers(0, 5_000), odd=oddities)
    def attest(self, back: int | None, place: int, export_wh: int, odd: int) -> None:
        """The next revision of an interval, or something else."""
        start_s = self.attested_start(place) if back is None else self.start(back)
        known = [revision for start, revision in self.model.attested.export_wh if start == start_s]
        revision = max(known, default=0) + (0 if odd == 0 and known else 2 if odd == 1 else 1)
        self.do_attest(start_s, revision, MOST_WH + 1 if odd == 2 else export_wh, 1 if odd == 3 else 2)

    @move(place=places, odd=oddities)
    def mint(self, place: int, odd: int) -> None:
        """An attested interval, its correction sometimes."""
        self.do_mint(self.attested_start(place), 2 if odd == 0 else 1)

    # Settling ----------------------------------------------------------------------------------------------------

    @move(4, back=st.integers(0, 3), export_wh=st.integers(0, 5_000))
    def make_ready(self, back: int, export_wh: int) -> None:
        """An interval is attested and minted, if it is not yet."""
        start_s = self.start(back)
        self.do_attest(start_s, 1, export_wh, 2)
        self.do_mint(start_s, 1)

    @move(6, place=places, deals=trades, odd=oddities)
    def open(self, place: int, deals: Sequence[tuple[int, int, int, int]], odd: int) -> None:
        """Commits to the netted lines of random trades."""
        self.do_open(place, deals, odd)

    @move(3, place=places, count=st.integers(1, 5), choice=st.integers(0, 59))
    def go_on(self, place: int, count: int, choice: int) -> None:
        """What comes next in a settlement, as a rule."""
        if start_s := any_of(self.unfinished(), place):
            self.do_go_on(start_s, count, choice)

    @move(8, place=places, count=st.integers(2, 5), choice=st.integers(12, 59))
    def go_on_well(self, place: int, count: int, choice: int) -> None:
        """What comes next in a settlement, and nothing odd: so that more of them come to their end."""
        self.go_on(place, count, choice)

    @move(place=places, move=st.sampled_from(("close", "abort", "close_aborted")), odd=oddities)
    def end(self, place: int, move: str, odd: int) -> None:
        """Tries to end a settlement, whether it has come that far or not."""
        if start_s := any_of(self.model.settlements, place):
            self.do_end(start_s, move, "stranger" if odd == 0 else SETTLER)

    @move(place=places, odd=oddities)
    def close_empty(self, place: int, odd: int) -> None:
        """By anybody, or by the settler."""
        start_s, by = self.attested_start(place), SETTLER if odd == 0 else "stranger"
        ix = self.stage.exchange.close_empty(start_s, self.stage.key(by).pubkey())
        self.both("close_empty", ix, [by, PAYER], lambda model: model.close_empty(start_s, by))

    # Deciding, and time ------------------------------------------------------------------------------------------

    @move(by=st.sampled_from((*MEMBERS, "stranger")), paused=st.booleans())
    def propose_pause(self, by: str, paused: bool) -> None:
        """To stop settlements, or to go on."""
        self.do_propose(Proposal(self.model.now, set(), paused=paused), by)

    @move(by=st.sampled_from(MEMBERS), charges=st.integers(25, 400), hours=st.sampled_from((47, 48, 49, 96, 9_999)))
    def propose_rates(self, by: str, charges: int, hours: int) -> None:
        """From an hour that the time lock allows, or not."""
        from_s = self.model.now + hours * 3_600
        self.do_propose(Proposal(self.model.now, set(), charges_mills=charges, from_s=from_s), by)

    @move(2, place=places, by=st.sampled_from((*MEMBERS, "stranger")), back=oddities)
    def vote(self, place: int, by: str, back: int) -> None:
        """A member approves, or takes it back."""
        number, now = any_of(self.last_proposals(), place), self.model.now
        if number is not None and back == 0:
            ix = self.stage.revoke(number, by)
            self.both("revoke", ix, [by], lambda model: model.governance.revoke(number, by))
        elif number is not None:
            ix = self.stage.approve(number, by)
            self.both("approve", ix, [by], lambda model: model.governance.approve(number, by, now))

    @move(place=places)
    def execute(self, place: int) -> None:
        """Anybody, whether it is decided or not."""
        number, now = any_of(self.last_proposals(), place), self.model.now
        if number is not None:
            ix = self.stage.exchange.campus.execute(number)
            self.both("execute", ix, [], lambda model: model.governance.execute(number, now))

    @move(2, passed=seconds)
    def wait(self, passed: int) -> None:
        """Time passes."""
        self.model.now += passed
        self.stage.chain.advance(passed)


DEAL = [(0, 1, 50, 3_700)]
"""Ann sells to Ben."""
WHOLE_LIFE: Sequence[Move] = [
    ("open", {"place": 0, "deals": DEAL, "odd": 9}),
    ("go_on", {"place": 0, "count": 1, "choice": 30}),
    ("go_on", {"place": 0, "count": 1, "choice": 30}),
    ("go_on", {"place": 0, "count": 1, "choice": 30}),
    ("make_ready", {"back": 1, "export_wh": 100}),
    ("open", {"place": 0, "deals": DEAL, "odd": 9}),
    ("go_on", {"place": 0, "count": 2, "choice": 30}),
    ("go_on", {"place": 0, "count": 2, "choice": 55}),
    ("go_on", {"place": 0, "count": 2, "choice": 30}),
    ("go_on", {"place": 0, "count": 2, "choice": 30}),
]
"""One interval is settled and closed, another is aborted and returned: so no run is without it."""
LIFE_ON_CREDIT: Sequence[Move] = [
    ("open", {"place": 0, "deals": DEAL, "odd": 9}),
    ("go_on", {"place": 0, "count": 2, "choice": 30}),
    ("make_ready", {"back": 1, "export_wh": 100}),
    ("open", {"place": 0, "deals": [(1, 0, 50, 3_700)], "odd": 9}),
    ("go_on", {"place": 0, "count": 2, "choice": 30}),
]
"""Ann pays with what an interval has credited that is not closed yet."""


@settings(
    max_examples=LIVES,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking would take as long as a test may
)
@given(
    deposits=st.tuples(*[st.sampled_from((15_000_000, 20_000_000, 20_000_000, 1_000_000, 300_000))] * 3),
    changes=st.tuples(*[st.sampled_from(CHANGES)] * 3),
    moves=st.lists(st.one_of(MOVES), min_size=STEPS, max_size=STEPS),
)
@example(deposits=(10_000_000,) * 3, changes=({},) * 3, moves=WHOLE_LIFE)
@example(deposits=(100_000, 10_000_000, 1), changes=({},) * 3, moves=LIFE_ON_CREDIT)
def live(deposits: Sequence[int], changes: Sequence[dict[str, int]], moves: Sequence[Move]) -> None:
    with stage().svm.rewound():
        life = Lives()
        life.begin(deposits, changes)
        for name, arguments in moves:
            getattr(life, name)(**arguments)


def test_the_chain_and_the_model_agree() -> None:
    TALLY.clear()
    live()
    print(f"{sum(TALLY.values()):,} steps: {sorted(TALLY.items())}")
    assert sum(TALLY.values()) >= LIVES * STEPS
    assert all(TALLY[name, True] for name in ("close", "give_back", "close_aborted"))
