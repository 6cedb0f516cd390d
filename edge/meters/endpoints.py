"""Parses the URL of a Modbus meter: ``tcp://``, ``rtu://`` (serial) or ``rtutcp://`` (RTU frames over TCP)."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

PARAMETERS = {"tcp": {"device"}, "rtutcp": {"device", "baud"}, "rtu": {"device", "baud", "parity", "stopbits"}}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One device on one bus. Meters with the same ``bus`` share its connection and lock.

    ``host`` is the path of the serial line for ``rtu``, ``device`` the Modbus unit id, ``baud`` in bit/s.
    """

    transport: str
    host: str
    port: int
    device: int
    baud: int = 9600
    parity: str = "N"
    stopbits: int = 1

    @property
    def bus(self) -> str:
        """The physical bus: a serial line, or one TCP endpoint."""
        return f"{self.transport}://{self.host}" + (f":{self.port}" if self.port else "")

    @property
    def line(self) -> tuple[int, str, int]:
        """Baud rate, parity and stop bits, which all devices of a bus share."""
        return self.baud, self.parity, self.stopbits

    @property
    def is_rtu(self) -> bool:
        """Whether frames are RTU's, which carry no transaction id."""
        return self.transport != "tcp"


def parse_endpoint(url: str) -> Endpoint:
    """Parses ``tcp://host:502?device=1``, ``rtu:///dev/ttyUSB0?baud=9600&parity=N&device=3`` or ``rtutcp://host:4001``.

    Raises:
        ValueError: the URL is of no such form; the message shows one that is.
    """
    parts = urlsplit(url)
    if parts.scheme not in PARAMETERS:
        raise ValueError(f"{url!r} must begin with tcp://, rtu:/// or rtutcp://, such as tcp://10.0.0.5:502?device=1")
    parameters = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(set(parameters) - PARAMETERS[parts.scheme]):
        raise ValueError(f"{url!r}: unknown {', '.join(unknown)}; known are {', '.join(PARAMETERS[parts.scheme])}")
    serial = parts.scheme == "rtu"
    if serial and (parts.netloc or not parts.path):
        raise ValueError(f"{url!r} needs three slashes and a path, such as rtu:///dev/ttyUSB0?baud=9600&device=3")
    if not serial and (not parts.hostname or parts.path not in ("", "/")):
        raise ValueError(f"{url!r} needs a host and no path, such as tcp://10.0.0.5:502?device=1")
    parity = parameters.get("parity", "N").upper()
    if parity not in "NEO" or len(parity) != 1:
        raise ValueError(f"{url!r}: parity must be N, E or O")
    return Endpoint(
        parts.scheme,
        parts.path if serial else (parts.hostname or ""),
        0 if serial else (parts.port or 502),
        _number(url, parameters, "device", 1, 247),
        _number(url, parameters, "baud", 9600, 921_600),
        parity,
        _number(url, parameters, "stopbits", 1, 2),
    )


def _number(url: str, parameters: dict[str, str], name: str, default: int, most: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ValueError(f"{url!r}: {name} must be a number from 1 to {most}")
    return int(text)
