"""URLs of Modbus meters."""

import pytest

from edge.meters.endpoints import parse_endpoint


def test_a_url_says_bus_line_and_device() -> None:
    serial = parse_endpoint("rtu:///dev/ttyUSB0?baud=19200&parity=e&device=3")
    assert (serial.bus, serial.line, serial.device, serial.is_rtu) == ("rtu:///dev/ttyUSB0", (19200, "E", 1), 3, True)
    tcp = parse_endpoint("tcp://10.0.0.5")
    assert (tcp.bus, tcp.device, tcp.is_rtu) == ("tcp://10.0.0.5:502", 1, False)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://x", "must begin with tcp://"),
        ("rtu://dev/ttyUSB0", "three slashes"),
        ("tcp:///x", "needs a host"),
        ("tcp://h?device=248", "device must be a number from 1 to 247"),
        ("tcp://h?device=one", "device must be a number"),
        ("rtu:///d?parity=X", "parity must be N, E or O"),
        ("tcp://h?baud=9600", "unknown baud"),
    ],
)
def test_a_wrong_url_says_what_is_right(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_endpoint(url)
