"""A campus with two participants, two gateways and a meter, for tests of suspending, replacing and giving away."""

from solders.keypair import Keypair

from support.programs.campus_chain import Campus, founded_campus

ANNA, BEN = "anna", "ben"
NORTH, SOUTH = "gw-north", "gw-south"
METER_ID = "METER_001"


def registered_campus() -> Campus:
    """Anna's meter hangs at the northern gateway. A minute has passed since."""
    campus = founded_campus()
    chain, registrar = campus.chain, campus.registrar
    for name in (ANNA, BEN):
        campus.add_participant(chain.key(name))
    for gateway_id in (NORTH, SOUTH):
        campus.add_gateway(gateway_id)
    chain.ok(campus.register_meter(METER_ID, anna(campus).pubkey(), NORTH), signers=[registrar])
    chain.advance(60)
    return campus


def anna(campus: Campus) -> Keypair:
    """The meter's owner."""
    return campus.chain.key(ANNA)


def ben(campus: Campus) -> Keypair:
    """A participant without a meter."""
    return campus.chain.key(BEN)
