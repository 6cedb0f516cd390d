"""Random lives of certificates beside a plain model: both allow and refuse the same, and the sums always hold.

2,000 steps as a rule; PEERWATT_LIVES=2000 makes it 100,000 (`make test-random`).
"""

import os
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from support.programs.campus_chain import INTERVAL_S
from support.programs.certified import SETTLED_S, Certified, MeterEnergy
from support.programs.market_chain import founded_exchange
from support.programs.rewind import make_rewinding, rewinding
from support.programs.svm import START

METERS = {"ROOF_1": ("ann", 1), "ROOF_2": ("bob", 2), "ROOF_3": ("ann", 5_000), "FLAT_1": ("bob", 0)}
"""Who owns each, and what it has exported."""
PEOPLE = ("ann", "bob", "cid")
LIVES = int(os.environ.get("PEERWATT_LIVES", "40"))
AMOUNTS = st.one_of(st.integers(0, 5), st.integers(0, 5_001), st.just(2**64 - 1))


@dataclass(frozen=True)
class Part:
    """A holding, as it should be."""

    holder: str
    wh: int
    cancelled: bool = False


@dataclass
class Model:
    """Certificates by meter, each a list of holdings."""

    issued: dict[str, list[Part]] = field(default_factory=dict)

    def issue(self, meter_id: str, signer: str) -> bool:
        """Whether the issue is allowed; it happens."""
        owner, wh = METERS[meter_id]
        if signer != "body" or wh == 0 or meter_id in self.issued:
            return False
        self.issued[meter_id] = [Part(owner, wh)]
        return True

    def cut(self, meter_id: str, number: int, signer: str, wh: int) -> bool:
        """Whether the slice is allowed; it happens."""
        parts = self.issued[meter_id]
        part = parts[number]
        if part.cancelled or part.holder != signer or not 0 < wh < part.wh:
            return False
        parts[number] = replace(part, wh=part.wh - wh)
        parts.append(Part(signer, wh))
        return True

    def transfer(self, meter_id: str, number: int, signer: str, to: str, wh: int) -> bool:
        """Whether the transfer is allowed; it happens."""
        part = self.issued[meter_id][number]
        if part.cancelled or part.holder != signer or wh != part.wh or to == signer:
            return False
        self.issued[meter_id][number] = replace(part, holder=to)
        return True

    def cancel(self, meter_id: str, number: int, signer: str) -> bool:
        """Whether the cancellation is allowed; it happens."""
        part = self.issued[meter_id][number]
        if part.cancelled or part.holder != signer:
            return False
        self.issued[meter_id][number] = replace(part, cancelled=True)
        return True


@cache
def attested() -> Certified:
    """An interval of four meters is attested and settled, once for all lives."""
    certified = Certified(founded_exchange())
    for meter_id, (owner, _) in METERS.items():
        certified.meter(meter_id, owner)
    certified.attest(START, {meter_id: MeterEnergy(export_wh=wh) for meter_id, (_, wh) in METERS.items()})
    certified.campus.chain.set_time(START + INTERVAL_S + SETTLED_S)
    make_rewinding(certified.campus.chain)
    return certified


class Lives(RuleBasedStateMachine):
    """The programs and the model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.certified = Model(), attested()
        self._frame = rewinding(self.certified.campus.chain).rewound()
        self._frame.__enter__()

    def teardown(self) -> None:
        self._frame.__exit__(None, None, None)

    @rule(meter_id=st.sampled_from(list(METERS)), signer=st.sampled_from(["body", "body", "body", "ann", "cid"]))
    def issue(self, meter_id: str, signer: str) -> None:
        """By the issuing body as a rule, sometimes for the second time."""
        key = self._key(signer)
        ix = self.certified.issue(meter_id, START, body=key)
        assert self._happens(ix, key) == self.model.issue(meter_id, signer)

    @rule(data=st.data(), wh=AMOUNTS)
    def cut(self, data: st.DataObject, wh: int) -> None:
        """Any holding, by its holder as a rule."""
        if place := self._any_part(data):
            meter_id, number, signer = place
            key = self._key(signer)
            ix = self.certified.cut(key, pdas.certificate(meter_id, START), number, wh)
            assert self._happens(ix, key) == self.model.cut(meter_id, number, signer, wh)

    @rule(data=st.data(), to=st.sampled_from(PEOPLE), wrong=st.booleans(), wh=AMOUNTS)
    def transfer(self, data: st.DataObject, to: str, wrong: bool, wh: int) -> None:
        """Of the amount that it has, as a rule."""
        if place := self._any_part(data):
            meter_id, number, signer = place
            key, amount = self._key(signer), wh if wrong else self.model.issued[meter_id][number].wh
            made, receiver = pdas.certificate(meter_id, START), self._key(to).pubkey()
            ix = self.certified.transfer(key, made, number, receiver, amount)
            assert self._happens(ix, key) == self.model.transfer(meter_id, number, signer, to, amount)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Any holding, cancelled ones included."""
        if place := self._any_part(data):
            meter_id, number, signer = place
            key = self._key(signer)
            ix = self.certified.cancel(key, pdas.certificate(meter_id, START), number)
            assert self._happens(ix, key) == self.model.cancel(meter_id, number, signer)

    @invariant()
    def the_chain_is_as_the_model_says(self) -> None:
        """Every certificate, every holding, and every sum."""
        for meter_id in METERS:
            address = pdas.certificate(meter_id, START)
            assert self.certified.campus.chain.exists(address) == (meter_id in self.model.issued)
            if meter_id in self.model.issued:
                self._compare(meter_id, address, self.model.issued[meter_id])

    def _compare(self, meter_id: str, address: Pubkey, parts: list[Part]) -> None:
        self.certified.check(address)
        found = self.certified.certificate(meter_id, START)
        assert (found.face_value_wh, found.holding_count) == (METERS[meter_id][1], len(parts))
        for number, part in enumerate(parts):
            holding = self.certified.holding(address, number)
            seen = (holding.holder, holding.wh, bool(holding.cancelled))
            assert seen == (self._key(part.holder).pubkey(), part.wh, part.cancelled)

    def _happens(self, ix: Any, key: Keypair) -> bool:
        return self.certified.campus.chain.send(ix, signers=[key]).error is None

    def _key(self, name: str) -> Keypair:
        return self.certified.body if name == "body" else self.certified.campus.chain.key(name)

    def _any_part(self, data: st.DataObject) -> tuple[str, int, str] | None:
        places = [(meter, number) for meter, parts in self.model.issued.items() for number in range(len(parts))]
        if not places:
            return None
        meter_id, number = data.draw(st.sampled_from(places))
        holder = self.model.issued[meter_id][number].holder
        return meter_id, number, data.draw(st.sampled_from([holder, holder, holder, *PEOPLE]))


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=LIVES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
