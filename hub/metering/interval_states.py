"""The states of an interval in their order, and the package that moves it into each.

| state | reached when | moved by |
|---|---|---|
| attested | the oracle has signed its energy | `metering` (it adds the row) |
| cleared | its auction is stored | `market.auction` |
| planned | its settlement is planned | `settlement.planner` |
| settling | its first transaction is signed | `settlement.steps` |
| closed | every step is final on the chain | `settlement.submitter` |
| reconciled | database and chain agree | `settlement.reconcile` |
"""

from collections.abc import Mapping
from typing import Literal

State = Literal["attested", "cleared", "planned", "settling", "closed", "reconciled"]
Advanced = Literal["cleared", "planned", "settling", "closed", "reconciled"]

BEFORE: Mapping[Advanced, tuple[State, ...]] = {
    "cleared": ("attested",),
    "planned": ("cleared",),
    "settling": ("planned",),
    # an interval without lines has no transaction, and is never settling
    "closed": ("planned", "settling"),
    "reconciled": ("closed",),
}
"""The states from which an interval may be moved into each."""

TIME_COLUMN: Mapping[Advanced, str] = {
    "cleared": "cleared_at",
    "planned": "planned_at",
    "closed": "closed_at",
    "reconciled": "reconciled_at",
}
"""The column of `intervals` with the time at which the state was reached; `settling` has none."""
