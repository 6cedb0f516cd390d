"""The hub's units: every energy, price and amount is an integer of one of these types.

``micros = wh * price_mills`` is exact, without rounding: a mill is a thousandth of the currency per kWh,
a micro a millionth of the currency.
"""

from typing import NewType

Wh = NewType("Wh", int)
"""Energy in watt-hours."""

PriceMills = NewType("PriceMills", int)
"""Price in thousandths of the currency per kWh."""

Micros = NewType("Micros", int)
"""Money in millionths of the currency."""


def micros(energy: Wh, price: PriceMills) -> Micros:
    """Returns the exact amount that this energy costs at this price."""
    return Micros(energy * price)
