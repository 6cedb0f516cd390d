"""Governance in plain Python: two of three members decide on the pause and on rates."""

from dataclasses import dataclass, field

from support.programs.model.refusal import demand

DAY_S = 86_400
MEMBERS = ("rec validator", "cosigner 1", "cosigner 2")
NEEDED = 2
LIFETIME_S = 14 * DAY_S
TIME_LOCK_S = 2 * DAY_S
AHEAD_S = 366 * DAY_S
KEPT_S = 3 * DAY_S
MOST_RATE_SETS = 8


@dataclass
class Proposal:
    """A pause, or rates: the charges on a kWh in mills, and from when."""

    created_s: int
    approvals: set[str]
    paused: bool | None = None
    charges_mills: int = 0
    from_s: int = 0
    executed: bool = False


@dataclass
class Governance:
    """What was proposed and decided."""

    rates: list[tuple[int, int]]
    """From when, and the charges on a kWh in mills; ascending."""
    proposals: list[Proposal] = field(default_factory=list)
    paused: bool = False
    next_pause: int = 0
    """Proposals with a lower number come too late for the pause."""

    def propose(self, proposal: Proposal, by: str) -> None:
        """A member's, who approves it thereby."""
        demand(by in MEMBERS)
        proposal.approvals.add(by)
        self.proposals.append(proposal)

    def approve(self, number: int, by: str, now: int) -> None:
        """Once each, while it lives."""
        proposal = self._open(number)
        demand(by in MEMBERS and by not in proposal.approvals and now <= proposal.created_s + LIFETIME_S)
        proposal.approvals.add(by)

    def revoke(self, number: int, by: str) -> None:
        """Takes an approval back."""
        proposal = self._open(number)
        demand(by in proposal.approvals)
        proposal.approvals.remove(by)

    def execute(self, number: int, now: int) -> None:
        """By anybody, once it has its approvals."""
        proposal = self._open(number)
        demand(len(proposal.approvals) >= NEEDED and now <= proposal.created_s + LIFETIME_S)
        if proposal.paused is None:
            self._schedule(proposal, now)
        else:
            demand(number >= self.next_pause)
            self.paused, self.next_pause = proposal.paused, number + 1
        proposal.executed = True

    def charges_mills(self, at_s: int) -> int:
        """On a kWh, in force then."""
        return [charges for from_s, charges in self.rates if from_s <= at_s][-1]

    def _schedule(self, proposal: Proposal, now: int) -> None:
        demand(now + TIME_LOCK_S <= proposal.from_s <= now + TIME_LOCK_S + AHEAD_S)
        rates = [known for known in self.rates if known[0] < proposal.from_s]
        while len(rates) > 1 and rates[1][0] <= now - KEPT_S:
            del rates[0]
        demand(len(rates) < MOST_RATE_SETS)
        self.rates = [*rates, (proposal.from_s, proposal.charges_mills)]

    def _open(self, number: int) -> Proposal:
        demand(number < len(self.proposals) and not self.proposals[number].executed)
        return self.proposals[number]
