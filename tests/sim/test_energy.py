"""Power times time is the registers to the Wh, and the built-in campus moves what the market needs."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.energy import Energy, Registers, thirds
from firmware_sim.meter import Meter, electrical
from firmware_sim.power import ModelPower, SeriesByYear
from firmware_sim.series import SeriesRequest, load_year
from firmware_sim.settings import Settings, load_settings
from support.servers.simulator import NOW_S, SteadyPower


@pytest.fixture(scope="module")
def campus() -> Settings:
    return load_settings()


@pytest.fixture(scope="module")
def power(campus: Settings, cache_dir: Path) -> ModelPower:
    years = SeriesByYear(lambda year: load_year(SeriesRequest.of(campus, year), cache_dir))
    return ModelPower(years, campus.meter, campus.seed)


@pytest.mark.parametrize("index", range(15))
def test_power_times_time_is_the_registers(campus: Settings, power: ModelPower, index: int) -> None:
    meter = Meter(campus.meter[index].id, power, campus.seed, Energy.of(Registers(1234, 56)), NOW_S, 0)
    import_ws, export_ws = 1234, 56
    for second in range(NOW_S, NOW_S + 1800):
        shown = meter.snapshot(second)
        assert (shown.import_wh, shown.export_wh) == (import_ws // 3600, export_ws // 3600)
        import_ws += max(shown.power_w, 0)
        export_ws += max(-shown.power_w, 0)
        if second % 600 == 0:
            meter.settle(second - 60)


def test_how_often_one_looks_does_not_change_the_registers(campus: Settings, power: ModelPower) -> None:
    often, once = (Meter("METER_008", power, 1, Energy.of(Registers(0, 0)), NOW_S, 0) for _ in range(2))
    for second in range(NOW_S, NOW_S + 4000, 7):
        often.settle(second)
    assert often.energy_at(NOW_S + 4000) == once.energy_at(NOW_S + 4000)


def test_registers_stand_still_when_the_clock_goes_back() -> None:
    meter = Meter("M", SteadyPower(3600), 1, Energy.of(Registers(0, 0)), NOW_S, 0)
    meter.settle(NOW_S + 100)
    assert meter.snapshot(NOW_S + 50).import_wh == meter.snapshot(NOW_S + 100).import_wh == 100


def test_june_has_sellers_and_buyers_and_a_minute_moves_50_to_600_wh(campus: Settings, power: ModelPower) -> None:
    exporting: dict[str, set[bool]] = {}
    for meter in campus.meter:
        sim = Meter(meter.id, power, campus.seed, Energy.of(Registers(0, 0)), NOW_S, 0)
        for minute in range(0, 361, 30):
            start, end = (sim.energy_at(NOW_S + s).shown for s in (60 * minute, 60 * minute + 60))
            moved_wh = (end.import_ws - start.import_ws + end.export_ws - start.export_ws) // 3600
            assert 50 <= moved_wh <= 600, (meter.id, minute, moved_wh)
            exporting.setdefault(meter.id, set()).add(end.export_ws > start.export_ws)
    assert {len(both) for both in exporting.values()} == {1}  # who sells at ten sells at four
    assert sum(True in both for both in exporting.values()) == 7


def test_the_sun_does_not_shine_at_night_nor_past_the_year(campus: Settings, power: ModelPower) -> None:
    night = int(datetime(2026, 12, 31, 23, 59, 55, tzinfo=ZoneInfo("UTC")).timestamp())
    for meter in campus.meter:
        assert power.segment(meter.id, night)[0] > 0


def test_a_year_of_load_is_the_year_that_was_asked_for(campus: Settings, cache_dir: Path) -> None:
    series = load_year(SeriesRequest.of(campus, 2026), cache_dir)
    for name in ("g1", "g3", "h0_dyn"):
        microwatts = series[f"load/{name}"]
        assert len(microwatts) == 365 * 96
        kwh = sum(microwatts) * 900 / 3600 / 1e9 * 1000
        assert kwh == pytest.approx(1000, rel=0.001)
    # A south roof of one kWp in Thuringia under a sky that is always clear
    pv_kwh = sum(series["pv/30/180"]) / 1e6 * 600 / 3600
    assert 1300 < pv_kwh < 2100


def test_a_damaged_cache_file_is_built_again(campus: Settings, tmp_path: Path, cache_dir: Path) -> None:
    request = SeriesRequest.of(campus, 2026)
    good = load_year(request, cache_dir)
    (file,) = cache_dir.glob("series-2026-*.bin")
    raw = bytearray(file.read_bytes())
    raw[-5] ^= 1
    (tmp_path / file.name).write_bytes(raw)
    assert load_year(request, tmp_path) == good
    assert (tmp_path / file.name).read_bytes() == file.read_bytes()


@given(st.integers(-100_000, 100_000), st.binary(min_size=8, max_size=8))
def test_the_phases_add_up_to_the_total(power_w: int, raw: bytes) -> None:
    values = electrical(thirds(power_w), raw)
    assert sum(values[f"power_l{n}_w"] for n in (1, 2, 3)) == power_w
    assert values["apparent_va"] >= abs(power_w)
