"""Plays every action on the chain and in the model, and compares them after each."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from solders.instruction import Instruction

from support.programs.campus_chain import INTERVAL_S
from support.programs.model.campus import Model
from support.programs.model.decided import DAY_S, Proposal
from support.programs.model.mandates import Terms
from support.programs.model.stage import first_model, stage

TALLY: Counter[tuple[str, bool]] = Counter()
"""How often each action was allowed, and how often refused."""
ATTESTORS = ("attestor 1", "attestor 2", "attestor 3")
PAYER = "payer"
Thing = TypeVar("Thing", int, str)


class Beside:
    """A life on the stage."""

    def __init__(self) -> None:
        self.stage, self.model = stage(), first_model()

    def both(self, name: str, ix: Instruction, by: Sequence[str], act: Callable[[Model], None]) -> None:
        """Plays an action on the chain and in the model."""
        after = self.model.after(act)
        signers = {key.pubkey(): key for key in map(self.stage.key, by) if key != self.stage.chain.payer}
        outcome = self.stage.chain.send(ix, signers=list(signers.values()))
        assert (outcome.error is None) == (after is not None), f"{name}: {outcome.error}"
        self.model = after or self.model
        TALLY[name, after is not None] += 1
        self.stage.compare(self.model)

    # Actions that more than one rule takes -----------------------------------------------------------------------

    def do_register(self, name: str, by: str) -> None:
        """Enters a participant."""
        ix = self.stage.register(name, by)
        self.both("register", ix, [by, name, PAYER], lambda model: model.registry.register(name, by))

    def do_open_account(self, name: str) -> None:
        """Opens an account in the market."""
        ix = self.stage.exchange.open_account(self.stage.key(name).pubkey())
        self.both("open_account", ix, [name, PAYER], lambda model: model.open_account(name))

    def do_deposit(self, name: str, micros: int, by: str) -> None:
        """Pays in."""
        ix = self.stage.instead(self.stage.exchange.deposit(self.stage.traders[name], micros), name, by)
        self.both("deposit", ix, [by], lambda model: model.custody.deposit(name, micros, by))

    def do_sign(self, name: str, terms: Terms, nonce: int, by: str) -> None:
        """Signs a mandate."""
        signed = self.stage.exchange.set_mandate(self.stage.traders[name], nonce=nonce, **vars(terms))
        ix, now = self.stage.instead(signed, name, by), self.model.now
        self.both("sign", ix, [by], lambda model: model.custody.sign(name, terms, nonce, by, now))

    def do_attest(self, start_s: int, revision: int, export_wh: int, signers: int) -> None:
        """Attests, by so many attestors."""
        ix, now = self.stage.attest(start_s, revision, export_wh, signers), self.model.now
        by = [*ATTESTORS[:signers], PAYER]
        self.both("attest", ix, by, lambda model: model.attested.attest(start_s, revision, export_wh, signers, now))

    def do_mint(self, start_s: int, revision: int) -> None:
        """Mints an interval's energy."""
        ix = self.stage.exchange.mint_interval(start_s, revision)
        self.both("mint", ix, [PAYER], lambda model: model.attested.mint(start_s, revision))

    def do_propose(self, proposal: Proposal, by: str) -> None:
        """Proposes."""
        ix = self.stage.propose(proposal, by)
        self.both("propose", ix, [by, PAYER], lambda model: model.governance.propose(proposal, by))

    # What there is to choose from --------------------------------------------------------------------------------

    def start(self, back: int) -> int:
        """Of an interval: 0 is the last that has ended, -1 the one after it."""
        return self.model.now // INTERVAL_S * INTERVAL_S - (back + 1) * INTERVAL_S

    def attested_start(self, place: int) -> int:
        """Of an interval that is attested."""
        start_s = any_of({start_s for start_s, _ in self.model.attested.export_wh}, place)
        assert start_s is not None
        return start_s

    def last_proposals(self) -> list[int]:
        """Numbers of the last three."""
        proposals = len(self.model.governance.proposals)
        return list(range(max(proposals - 3, 0), proposals))

    def terms(self, **changes: int) -> Terms:
        """Generous ones for a month, but for the changes."""
        return Terms(**({"expiry_s": self.model.now + 30 * DAY_S} | changes))


def any_of(things: Iterable[Thing], place: int) -> Thing | None:
    """One of them, by any number; None where there is none."""
    known = sorted(things)
    return known[place % len(known)] if known else None
