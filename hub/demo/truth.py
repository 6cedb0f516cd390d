"""The third telling for the demo's report: the market's rules as the tests code them, on the registers served."""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType

from hub.clock import to_s
from hub.db import Record
from hub.demo.site import PEOPLE
from hub.settings import Settings

SECOND_TELLING = Path(__file__).resolve().parents[2] / "tests" / "support" / "ground_truth.py"

Expected = Mapping[int, Mapping[str, Mapping[str, int]]]
"""By interval start (s) and participant id: sold_wh, bought_wh, credit_micros, debit_micros, utility_wh."""


def expected_figures(settings: Settings, meters: Sequence[Record], starts: Sequence[datetime]) -> Expected | None:
    """What every participant must have sold, bought, paid and got; None outside a checkout of the repository."""
    rules = _load()
    if rules is None or settings.truth_file is None or not starts:
        return None
    site = rules.Site(
        interval_s=settings.interval_s,
        poll_period_s=settings.poll_period_s,
        grace_s=settings.attest_grace_s,
        meters={
            row["meter_id"]: rules.TruthMeter(
                str(row["participant_id"]), row["rated_power_w"], to_s(row["expected_from"])
            )
            for row in meters
        },
        traders={str(one.participant_id): rules.Trader() for one in PEOPLE if one.participates and one.trades},
    )
    seconds = [to_s(start) for start in starts]
    energies = rules.energies(rules.read_log(settings.truth_file), site, min(seconds), max(seconds))
    settled = {start: rules.settle(start, energies[start], site) for start in seconds}
    return {
        start: {participant: vars(bill) for participant, bill in interval.bills.items()}
        for start, interval in settled.items()
    }


def _load() -> ModuleType | None:
    if not SECOND_TELLING.is_file():
        return None
    spec = importlib.util.spec_from_file_location("peerwatt_ground_truth", SECOND_TELLING)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up while they are made
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
