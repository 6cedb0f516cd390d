"""From settings to meters: profiles, buses and plans, and the arithmetic whether a bus can keep its slots."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import ConfigError
from edge.meters.dialects import dialect_hash
from edge.meters.meter import ModbusMeter
from edge.meters.meter_kind import MeterKind
from edge.meters.modbus import Bus
from edge.meters.mqtt import MqttMeter
from edge.meters.profile import load_profile
from edge.settings import Meter, Settings
from edge.wire.quantities import obis

DEFAULT_MQTT_POWER_W = 250_000
MOST_LOAD_PERCENT = 80


@dataclass(frozen=True)
class BusLoad:
    """How busy a bus is in every slot."""

    bus: str
    meters: int
    busy_ms: int
    period_ms: int

    @property
    def percent(self) -> int:
        """Share of the period, rounded up."""
        return -(-100 * self.busy_ms // self.period_ms)


@dataclass(frozen=True)
class Fleet:
    """The meters of one gateway."""

    modbus: tuple[ModbusMeter, ...]
    mqtt: dict[str, MqttMeter]
    """By topic."""
    kinds: dict[str, MeterKind]

    def loads(self, period_s: int) -> list[BusLoad]:
        """The load of every bus, as planned."""
        groups: dict[str, list[ModbusMeter]] = defaultdict(list)
        for meter in self.modbus:
            groups[meter.bus.name].append(meter)
        return [
            BusLoad(name, len(group), sum(m.wire.cost_us(m.blocks) for m in group) // 1000, period_s * 1000)
            for name, group in groups.items()
        ]


def build_fleet(settings: Settings) -> Fleet:
    """Makes every meter; refuses what can not work.

    Raises:
        ConfigError: an unknown profile, two topics alike, or a bus that can not keep the period.
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
    for meter in settings.meter:
        if meter.topic and meter.dialect:
            if meter.topic in mqtt:
                raise ConfigError(f"{meter.id} and {mqtt[meter.topic].meter_id} have the same topic {meter.topic}")
            mqtt[meter.topic] = MqttMeter(meter.id, meter.topic, meter.dialect)
            kinds[meter.id] = MeterKind(
                meter.dialect, dialect_hash(meter.dialect), meter.rated_power_w or DEFAULT_MQTT_POWER_W
            )
        else:
            made = _modbus(meter, buses, settings.quantities)
            modbus.append(made)
            kinds[meter.id] = MeterKind(made.profile.name, made.profile.hash, made.max_power_w)
    fleet = Fleet(tuple(modbus), mqtt, kinds)
    _refuse_impossible(fleet.loads(settings.poll_period_s))
    return fleet


def _modbus(meter: Meter, buses: dict[str, Bus], quantities: tuple[str, ...]) -> ModbusMeter:
    profile, endpoint = load_profile(meter.profile or ""), meter.endpoint
    bus = buses.setdefault(endpoint.bus, Bus(endpoint))
    if bus.endpoint.line != endpoint.line:
        raise ConfigError(f"{meter.id}: all meters on {endpoint.bus} need the same baud, parity and stopbits")
    power_w = meter.rated_power_w or profile.max_power_w
    return ModbusMeter(meter.id, profile, endpoint, bus, quantities, power_w)


def _refuse_impossible(loads: Sequence[BusLoad]) -> None:
    for load in loads:
        if load.percent > MOST_LOAD_PERCENT:
            raise ConfigError(
                f"{load.meters} meters on {load.bus} need {load.busy_ms} ms on the wire in every slot, "
                f"that is {load.percent} % of {load.period_ms} ms, at most {MOST_LOAD_PERCENT} % can be kept: "
                "raise poll_period_s or the baud rate, or use another bus (see `peerwatt-edge explain-plan`)"
            )
