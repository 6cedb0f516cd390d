"""What a reader gets of a sound meter without waiting is what it shows, kind by kind, and what follows from that."""

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.energy import thirds
from firmware_sim.meter import electrical, serial_number
from firmware_sim.offline import OfflinePlay
from firmware_sim.quantities import DERIVED, Quantities
from firmware_sim.register_maps import MAPS
from firmware_sim.registers import Field, nearest
from firmware_sim.scenario.file import LoadedScenario, Scenario
from firmware_sim.settings import Dialect, ModbusProfile, load_settings
from support.servers.simulator import SteadyPower

RESOLUTION_WH = {"em340": 100, "abb-b23": 10}
NO_SERIAL = {"umg96rm", "tasmota-energy", "shelly-gen2"}
ALL = [*get_args(ModbusProfile), *get_args(Dialect)]
FIELDS = [field for each in MAPS.values() for table in each.tables for field in table.fields]


@pytest.mark.parametrize("profile", ALL)
def test_a_reading_is_what_was_counted(profile: str) -> None:
    transport = "mqtt" if profile in get_args(Dialect) else "tcp"
    settings = load_settings(meter=[{"id": "M", "profile": profile, "transport": transport}])
    scenario = Scenario.model_validate({"start": datetime(2026, 6, 17, 8, tzinfo=UTC), "duration_s": 600})
    slots = list(OfflinePlay(LoadedScenario(Path("x.toml"), "", scenario), settings, SteadyPower(-3600)).slots())
    resolution = RESOLUTION_WH.get(profile, 1)
    serial = str(serial_number(settings.seed, "M"))[: 7 if profile == "em340" else 8]
    for slot in slots:
        (reading,) = slot.readings
        assert reading["answer"] == "ok"
        assert reading["import_wh"] == slot.truth["counted_import_wh"] // resolution * resolution
        exported = slot.truth["counted_export_wh"] // resolution * resolution
        assert reading["export_wh"] == (None if profile == "tasmota-energy" else exported)
        assert reading["active_power_w"] == -3600
        assert reading["serial"] == ("" if profile in NO_SERIAL else serial)
        assert reading["read_ms"] == slot.slot_s * 1000
    grown = [slots[at].truth["counted_export_wh"] for at in (0, -1)]
    assert grown[1] - grown[0] == 600


@given(st.sampled_from(FIELDS), st.integers(-(10**7), 2**63))
def test_the_short_way_from_a_value_to_its_reading_is_the_long_one(field: Field, value: int) -> None:
    """``coded`` is what packing and unpacking give, without fractions, also of a number that is too large."""
    assert field.coded(value) == nearest(field.exact(field.pack(value)))


@given(st.integers(-60_000, 60_000), st.binary(min_size=8, max_size=8), st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_is_derived_fits_what_was_measured(power_w: int, raw: bytes, import_wh: int, export_wh: int) -> None:
    values = Quantities(electrical(thirds(power_w), raw))
    values |= {"import_wh": import_wh, "export_wh": export_wh, "total_wh": import_wh + export_wh}
    for name in (
        "import_{}wh",
        "export_{}wh",
        "total_{}wh",
        "net_{}wh",
        "import_{}varh",
        "export_{}varh",
        "total_{}varh",
    ):
        assert sum(values[name.format(f"l{phase}_")] for phase in (1, 2, 3)) == values[name.format("")], name
    assert values["net_wh"] == import_wh - export_wh
    assert values["total_varh"] == values["import_varh"] + values["export_varh"]
    assert 0 <= values["import_varh"] <= import_wh
    assert values["partial_import_wh"] == import_wh
    currents = sorted(values[f"current_l{phase}_ma"] for phase in (1, 2, 3))
    assert values["current_sum_ma"] == sum(currents)
    assert values["current_neutral_ma"] == currents[2] - currents[0]
    assert currents[0] <= values["current_mean_ma"] <= currents[2]
    voltages = sorted(values[f"voltage_l{phase}_mv"] for phase in (1, 2, 3))
    assert voltages[0] <= values["voltage_mean_mv"] <= voltages[2]
    for line in ("l12", "l23", "l31", "line_mean"):
        assert 1.73 * voltages[0] < values[f"voltage_{line}_mv"] < 1.74 * voltages[2]
    assert sum(values[f"apparent_l{phase}_va"] for phase in (1, 2, 3)) == pytest.approx(values["apparent_va"], abs=3)
    assert sum(values[f"reactive_l{phase}_var"] for phase in (1, 2, 3)) == pytest.approx(values["reactive_var"], abs=3)
    assert 0 <= values["phase_angle_millidegrees"] <= 180_000
    assert all(isinstance(values[name], int) for name in DERIVED)


def test_every_field_of_every_map_has_its_quantity() -> None:
    values = {*electrical((0, 0, 0), bytes(8)), "import_wh", "export_wh", "total_wh", "serial", *DERIVED}
    values |= {f"serial_character_{i}" for i in range(7)}
    assert {field.quantity for field in FIELDS} - values == set()
