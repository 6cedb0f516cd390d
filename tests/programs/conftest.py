"""Fixtures of the program tests: a campus on a fresh chain, with the market where a test needs it."""

import pytest

from support.programs.campus_chain import Campus, founded_campus, new_campus
from support.programs.market_chain import Exchange, founded_exchange, new_exchange


@pytest.fixture
def bare() -> Campus:
    """Programs deployed, nothing founded."""
    return new_campus()


@pytest.fixture
def campus() -> Campus:
    """Governance, registry and oracle founded."""
    return founded_campus()


@pytest.fixture
def unfounded() -> Exchange:
    """A campus and a currency, without energy token and market."""
    return new_exchange()


@pytest.fixture
def exchange() -> Exchange:
    """Everything founded."""
    return founded_exchange()
