"""Fixtures of the program tests: a campus on a fresh chain, with the market where a test needs it."""

import pytest
from solders.keypair import Keypair

from support.programs.campus_chain import Campus, founded_campus, new_campus
from support.programs.certified import Certified
from support.programs.market_chain import Exchange, founded_exchange, new_exchange
from support.programs.roofs import Roofs, certified_roofs


@pytest.fixture
def bare() -> Campus:
    """A chain on which the programs are deployed, and none is initialised."""
    return new_campus()


@pytest.fixture
def campus() -> Campus:
    """A campus with governance, registry and oracle."""
    return founded_campus()


@pytest.fixture
def unfounded() -> Exchange:
    """A campus and a currency; energy token and market are not initialised."""
    return new_exchange()


@pytest.fixture
def exchange() -> Exchange:
    """A campus with currency, energy token and market."""
    return founded_exchange()


@pytest.fixture
def roofs(exchange: Exchange) -> Roofs:
    """Three meters whose export of one interval may be certified."""
    return certified_roofs(exchange)


@pytest.fixture
def certified(roofs: Roofs) -> Certified:
    """The certificates of the roofs' campus."""
    return roofs.certified


@pytest.fixture
def body(certified: Certified) -> list[Keypair]:
    """The issuing body, which signs what is certified."""
    return [certified.body]
