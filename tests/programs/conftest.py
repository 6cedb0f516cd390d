"""Fixtures of the program tests: a campus on a fresh chain."""

import pytest

from support.campus_chain import Campus, founded_campus, new_campus


@pytest.fixture
def bare() -> Campus:
    """Programs deployed, nothing founded."""
    return new_campus()


@pytest.fixture
def campus() -> Campus:
    """Governance, registry and oracle founded."""
    return founded_campus()
