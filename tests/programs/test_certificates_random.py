"""Random lives of certificates beside a plain model: both allow and refuse the same, and the sums always hold.

2,000 steps as a rule; PEERWATT_LIVES=2000 makes it 100,000 (`make test-random`).
"""

import os
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from support.programs.campus_chain import INTERVAL_S
from support.programs.certified import HOUR_S, SETTLED_S, Certified, MeterEnergy
from support.programs.invariants import check_certificates
from support.programs.market_chain import founded_exchange
from support.programs.model.certificates import ISSUING_BODY, STANDS_S, Certificates, Part, Place
from support.programs.rewind import make_rewinding, rewinding
from support.programs.svm import START

OWNERS = {"FLAT_1": "bob", "ROOF_1": "ann", "ROOF_2": "bob", "ROOF_3": "ann"}
EXPORTS_WH = {"FLAT_1": 0, "ROOF_1": 1, "ROOF_2": 2, "ROOF_3": 5_000}
"""What the first revision attests."""
PEOPLE = ("ann", "bob", "cid")
LIVES = int(os.environ.get("PEERWATT_LIVES", "40"))
AMOUNTS = st.one_of(st.integers(0, 5), st.integers(0, 5_001), st.just(2**64 - 1))
ENERGY = st.builds(
    MeterEnergy,
    export_wh=st.one_of(st.integers(0, 3), st.integers(0, 6_000)),
    quality=st.sampled_from(("valid", "valid", "valid", "estimated", "suspect")),
)
END = START + INTERVAL_S
IN_FORCE = 9
"""Oddity of a call that is by the revision in force, and in all else as it should be."""
FIRST = {meter_id: MeterEnergy(export_wh=wh) for meter_id, wh in EXPORTS_WH.items()}


@cache
def attested() -> Certified:
    """An interval of four meters is attested, once for all lives."""
    certified = Certified(founded_exchange())
    for meter_id, owner in OWNERS.items():
        certified.meter(meter_id, owner)
    certified.attest(START, FIRST)
    make_rewinding(certified.campus.chain)
    return certified


class Lives(RuleBasedStateMachine):
    """The programs and the model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.certified = attested()
        chain = self.certified.campus.chain
        self._frame = rewinding(chain).rewound()
        self._frame.__enter__()
        self.model = Certificates(OWNERS, END, chain.now, [(chain.now, FIRST)])

    def teardown(self) -> None:
        self._frame.__exit__(None, None, None)

    @initialize(settled=st.sampled_from((True, True, True, False)))
    def settle(self, settled: bool) -> None:
        """As a rule there is something to certify from the beginning."""
        if settled:
            self.wait(SETTLED_S)

    @rule(passed=st.sampled_from((1, HOUR_S, STANDS_S // 2, STANDS_S - 1, STANDS_S, 5 * STANDS_S)))
    def wait(self, passed: int) -> None:
        """Time passes."""
        self.model.now += passed
        self.certified.campus.chain.advance(passed)

    @rule(energy=st.fixed_dictionaries(dict.fromkeys(OWNERS, ENERGY)), passed=st.sampled_from((0, STANDS_S)))
    def attest(self, energy: dict[str, MeterEnergy], passed: int) -> None:
        """The next revision, which stands at once as a rule."""
        revision, campus = len(self.model.revisions) + 1, self.certified.campus
        if self.model.attest(energy):
            self.certified.attest(START, energy, revision)
        else:
            ix = campus.attest(START, revision=revision, previous=revision - 1)
            campus.chain.fails("TooLateToCorrect", ix, signers=campus.attestors[:2])
        self.wait(passed)

    @rule(
        meter_id=st.sampled_from(list(OWNERS)),
        signer=st.sampled_from([ISSUING_BODY, ISSUING_BODY, ISSUING_BODY, "ann", "cid"]),
        odd=st.integers(0, 19),
    )
    def issue(self, meter_id: str, signer: str, odd: int) -> None:
        """By the issuing body and by the revision in force as a rule, sometimes for the second time."""
        revision, count = self._revision(odd), len(self.model.meters[meter_id].certificates)
        number = max(count - 1, 0) if odd == 2 else count
        claimed, withheld = self.model.withheld_wh(meter_id, revision)
        all_withheld = (claimed == withheld > 0) != (odd == 3)
        key = self._key(signer)
        ix = self.certified.issue(meter_id, START, revision, body=key, number=number, all_withheld=all_withheld)
        assert self._happens(ix, key) == self.model.issue(meter_id, revision, number, signer, all_withheld)

    @rule(meter_id=st.sampled_from(list(OWNERS)), odd=st.integers(0, 9))
    def take_back(self, meter_id: str, odd: int) -> None:
        """By anybody, whether there is something to take back or not."""
        revision = self._revision(odd)
        ix = self.certified.take_back(meter_id, START, revision)
        assert self._happens(ix) == self.model.take_back(meter_id, revision)

    @rule(energy=st.fixed_dictionaries(dict.fromkeys(OWNERS, ENERGY)), meters=st.permutations(list(OWNERS)))
    def follow(self, energy: dict[str, MeterEnergy], meters: list[str]) -> None:
        """The next revision stands, and certificates follow it at every meter: so that lives have many differences."""
        self.attest(energy, STANDS_S)
        for meter_id in meters:
            self.take_back(meter_id, IN_FORCE)
            self.issue(meter_id, ISSUING_BODY, IN_FORCE)

    @rule(data=st.data(), wh=AMOUNTS)
    def cut(self, data: st.DataObject, wh: int) -> None:
        """Any holding, by its holder as a rule."""
        if found := self._any_part(data):
            place, signer = found
            key = self._key(signer)
            ix = self.certified.cut(key, self._address(place), place[2], wh)
            assert self._happens(ix, key) == self.model.cut(place, signer, wh)

    @rule(data=st.data(), to=st.sampled_from(PEOPLE), wrong=st.booleans(), wh=AMOUNTS)
    def transfer(self, data: st.DataObject, to: str, wrong: bool, wh: int) -> None:
        """Of the amount that it has, as a rule."""
        if found := self._any_part(data):
            (meter_id, certificate, number), signer = found
            key, receiver = self._key(signer), self._key(to).pubkey()
            amount = wh if wrong else self.model.meters[meter_id].certificates[certificate][number].wh
            ix = self.certified.transfer(key, self._address(found[0]), number, receiver, amount)
            assert self._happens(ix, key) == self.model.transfer(found[0], signer, to, amount)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Any holding, cancelled ones included."""
        if found := self._any_part(data):
            place, signer = found
            key = self._key(signer)
            ix = self.certified.cancel(key, self._address(place), place[2])
            assert self._happens(ix, key) == self.model.cancel(place, signer)

    @invariant()
    def the_chain_is_as_the_model_says(self) -> None:
        """Every certificate, every holding, every debt, and every sum."""
        for meter_id, made in self.model.meters.items():
            count = len(made.certificates)
            assert not self.certified.campus.chain.exists(pdas.certificate(meter_id, START, count))
            if count:
                first = self.certified.certificate(meter_id, START)
                seen = (first.certificate_count, first.counted_revision, first.counted_wh)
                assert seen == (count, made.revision, made.counted_wh)
            for number, parts in enumerate(made.certificates):
                self._compare(meter_id, number, parts)
        for owner in set(OWNERS.values()):
            assert self.certified.debt_wh(self._key(owner).pubkey()) == self.model.debts_wh[owner]
        check_certificates(self.certified, list(OWNERS), [START])

    def _compare(self, meter_id: str, number: int, parts: list[Part]) -> None:
        found, address = self.certified.certificate(meter_id, START, number), pdas.certificate(meter_id, START, number)
        assert (found.face_value_wh, found.holding_count) == (sum(part.wh for part in parts), len(parts))
        for place, part in enumerate(parts):
            holding = self.certified.holding(address, place)
            seen = (holding.holder, holding.wh, bool(holding.cancelled))
            assert seen == (self._key(part.holder).pubkey(), part.wh, part.cancelled)

    def _revision(self, odd: int) -> int:
        newest = len(self.model.revisions)
        return {0: newest, 1: max(newest - 1, 1)}.get(odd) or self.model.in_force() or newest

    def _happens(self, ix: Any, *keys: Keypair) -> bool:
        return self.certified.campus.chain.send(ix, signers=keys).error is None

    def _key(self, name: str) -> Keypair:
        return self.certified.body if name == ISSUING_BODY else self.certified.campus.chain.key(name)

    def _address(self, place: Place) -> Pubkey:
        return pdas.certificate(place[0], START, place[1])

    def _any_part(self, data: st.DataObject) -> tuple[Place, str] | None:
        """A holding by meter, certificate and number, and who signs."""
        places = [
            (meter_id, certificate, number)
            for meter_id, made in self.model.meters.items()
            for certificate, parts in enumerate(made.certificates)
            for number in range(len(parts))
        ]
        if not places:
            return None
        meter_id, certificate, number = data.draw(st.sampled_from(places))
        holder = self.model.meters[meter_id].certificates[certificate][number].holder
        return (meter_id, certificate, number), data.draw(st.sampled_from([holder, holder, holder, *PEOPLE]))


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=LIVES, stateful_step_count=50, suppress_health_check=list(HealthCheck))
