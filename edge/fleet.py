"""Makes the meters of a gateway from its settings, and checks that every bus can keep its slots."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import ConfigError
from edge.meters.dialects import dialect_hash
from edge.meters.meter import ModbusMeter
from edge.meters.meter_kind import MeterKind
from edge.meters.modbus import Bus
from edge.meters.mqtt import MqttMeter
from edge.meters.points import Rules
from edge.meters.profile import Profile, load_profile
from edge.sections import Meter
from edge.settings import Settings
from edge.wire.quantities import obis

DEFAULT_MQTT_POWER_W = 250_000
"""Rated power of an MQTT meter whose settings name none."""
MAX_LOAD_PERCENT = 80


@dataclass(frozen=True)
class BusLoad:
    """How long a bus is busy in every slot, by the plans of its meters."""

    bus: str
    meters: int
    busy_ms: int
    period_ms: int

    @property
    def percent(self) -> int:
        """The busy share of the period, rounded up."""
        return -(-100 * self.busy_ms // self.period_ms)


@dataclass(frozen=True)
class Fleet:
    """The meters of one gateway."""

    modbus: tuple[ModbusMeter, ...]
    mqtt: dict[str, MqttMeter]
    """By topic."""
    kinds: dict[str, MeterKind]

    def loads(self, period_s: int) -> list[BusLoad]:
        """Returns the load of every bus when its meters are polled at this period."""
        groups: dict[str, list[ModbusMeter]] = defaultdict(list)
        for meter in self.modbus:
            groups[meter.bus.name].append(meter)
        return [
            BusLoad(name, len(group), sum(m.wire_cost.cost_us(m.blocks) for m in group) // 1000, period_s * 1000)
            for name, group in groups.items()
        ]


def build_fleet(settings: Settings) -> Fleet:
    """Makes every meter of the settings.

    Raises:
        ConfigError: an unknown or wrong profile or OBIS code, a topic of two meters, meters of one bus with different
            line settings, or a bus that can not keep the period.
    """
    for code in settings.quantities:
        try:
            obis(code)
        except ValueError as error:
            raise ConfigError(f"quantities: {error}; write it as 16.7.0") from error
    buses: dict[str, Bus] = {}
    modbus: list[ModbusMeter] = []
    mqtt: dict[str, MqttMeter] = {}
    kinds: dict[str, MeterKind] = {}
    period_ms = settings.poll_period_s * 1000
    for meter in settings.meter:
        if meter.topic and meter.dialect:
            if meter.topic in mqtt:
                raise ConfigError(f"{meter.id} and {mqtt[meter.topic].meter_id} have the same topic {meter.topic}")
            mqtt[meter.topic] = MqttMeter(meter.id, meter.topic, meter.dialect)
            power_w = meter.rated_power_w or DEFAULT_MQTT_POWER_W
            kinds[meter.id] = MeterKind(meter.dialect, dialect_hash(meter.dialect), _rules(meter, power_w, period_ms))
        else:
            modbus_meter = _modbus_meter(meter, buses, settings.quantities)
            modbus.append(modbus_meter)
            profile = modbus_meter.profile
            kinds[meter.id] = MeterKind(
                profile.name, profile.hash, _rules(meter, modbus_meter.max_power_w, period_ms, profile)
            )
    fleet = Fleet(tuple(modbus), mqtt, kinds)
    _check_loads(fleet.loads(settings.poll_period_s))
    return fleet


def _modbus_meter(meter: Meter, buses: dict[str, Bus], quantities: tuple[str, ...]) -> ModbusMeter:
    profile, endpoint = load_profile(meter.profile or ""), meter.endpoint
    bus = buses.setdefault(endpoint.bus, Bus(endpoint))
    if bus.endpoint.line != endpoint.line:
        raise ConfigError(f"{meter.id}: all meters on {endpoint.bus} need the same baud, parity and stopbits")
    power_w = meter.rated_power_w or profile.max_power_w
    return ModbusMeter(meter.id, profile, endpoint, bus, quantities, power_w)


def _rules(meter: Meter, max_power_w: int, period_ms: int, profile: Profile | None = None) -> Rules:
    own_wh = (meter.rollover_wh,) if meter.rollover_wh else ()
    if profile is None:
        return Rules(max_power_w, period_ms, import_rollovers_wh=own_wh, export_rollovers_wh=own_wh)
    return Rules(
        max_power_w,
        period_ms,
        profile.save_period_s,
        profile.import_wh.rollovers_wh + own_wh,
        (profile.export_wh.rollovers_wh if profile.export_wh else ()) + own_wh,
    )


def _check_loads(loads: Sequence[BusLoad]) -> None:
    for load in loads:
        if load.percent > MAX_LOAD_PERCENT:
            raise ConfigError(
                f"{load.meters} meters on {load.bus} need {load.busy_ms} ms on the wire in every slot, "
                f"that is {load.percent} % of {load.period_ms} ms, at most {MAX_LOAD_PERCENT} % can be kept: "
                "raise poll_period_s or the baud rate, or use another bus (see `peerwatt-edge explain-plan`)"
            )
