"""The registry in plain Python: who takes part, and whose meter is whose."""

from dataclasses import dataclass, field

from support.programs.model.refusal import demand

ACTIVE, SUSPENDED, RETIRED = 1, 2, 3
REGISTRAR = "registrar"


@dataclass
class Meter:
    """Owner and status."""

    owner: str
    status: int = ACTIVE


@dataclass
class Registry:
    """Participants by name with their status, meters by id."""

    participants: dict[str, int] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)

    def is_active(self, name: str) -> bool:
        """Whether somebody takes part."""
        return self.participants.get(name) == ACTIVE

    def register(self, name: str, by: str) -> None:
        """Enters a participant, once."""
        demand(by == REGISTRAR and name not in self.participants)
        self.participants[name] = ACTIVE

    def set_status(self, name: str, status: int, by: str) -> None:
        """Suspends, takes back, retires."""
        demand(by == REGISTRAR and name in self.participants)
        demand_change(self.participants[name], status)
        self.participants[name] = status

    def register_meter(self, meter_id: str, owner: str, by: str) -> None:
        """Binds a meter to an active participant, once."""
        demand(by == REGISTRAR and self.is_active(owner) and meter_id not in self.meters)
        self.meters[meter_id] = Meter(owner)

    def set_meter_status(self, meter_id: str, status: int, by: str) -> None:
        """Suspends, takes back, retires."""
        demand(by == REGISTRAR and meter_id in self.meters)
        demand_change(self.meters[meter_id].status, status)
        self.meters[meter_id].status = status

    def transfer_meter(self, meter_id: str, owner: str, to: str) -> None:
        """Gives an active meter from one active participant to another; both sign."""
        demand(meter_id in self.meters and self.is_active(owner) and self.is_active(to))
        meter = self.meters[meter_id]
        demand(meter.status == ACTIVE and meter.owner == owner and owner != to)
        meter.owner = to


def demand_change(before: int, after: int) -> None:
    """Nothing comes back from retirement, and a change changes something."""
    demand(after in {ACTIVE, SUSPENDED, RETIRED} and before not in {RETIRED, after})
