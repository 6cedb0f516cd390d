"""Scenes of the energy token and of certificates."""

from collections.abc import Callable

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import certificates
from support.programs.account_fields import put_field
from support.programs.attacks.scene import Call, founding, scene
from support.programs.attacks.world import (
    ANOTHERS,
    BEFORE,
    BENS_METER,
    EXPORT_WH,
    HOME,
    METER,
    METERS,
    SECOND_METER,
    World,
)
from support.programs.campus_chain import interval_address
from support.programs.certified import OBJECTION_S, SETTLED_S, MeterEnergy
from support.programs.market_chain import ENERGY_MINT, ENERGY_POOL, ENERGY_STATE, minted_address


@founding("energy_token")
def initialize(world: World) -> Call:
    """The deployer makes the mint and the pool."""
    return Call(world.exchange.found_energy(), [world.payer, world.chain.upgrade_authority])


@scene("energy_token", "mint_interval")
def mint_interval(world: World) -> Call:
    """Anybody has an attested interval minted, its correction notwithstanding."""
    for revision in (1, 2):
        world.certified.attest(HOME, world.meter_energy(), revision=revision)
    return Call(world.exchange.mint_interval(HOME), [world.payer], start_s=HOME)


@scene("energy_token", "burn_interval")
def burn_interval(world: World) -> Call:
    """What trading calls when it closes an interval. Only that program signs for its market: a key takes its place."""
    puppet = world.chain.key("market's puppet")
    world.attested()
    _close_all_but_the_energy(world)
    put_field(world.chain, "energy_token", "State", ENERGY_STATE, "trading_authority", puppet.pubkey())
    return Call(world.exchange.burn_interval(HOME, puppet.pubkey()), [puppet])


def _close_all_but_the_energy(world: World) -> None:
    """The state in the middle of a close: trading has booked it, and burns next."""
    for start_s in (BEFORE, HOME):
        energy = [minted_address(start_s), ENERGY_STATE, ENERGY_MINT, ENERGY_POOL]
        before = [world.svm.stored(address) for address in energy]
        world.chain.ok(world.exchange.close_empty(start_s), signers=[world.settler])
        for address, account in zip(energy, before, strict=True):
            world.svm.set_account(address, account)


@scene("energy_token", "open_producer")
def open_producer(world: World) -> Call:
    """Somebody pays for Cid's account, so that certificates can be issued to him; Ann's and Ben's are there."""
    return Call(certificates.open_producer(world.payer.pubkey(), world.cid.pubkey()), [world.payer])


def _certified(world: World, *meters: str) -> list[Pubkey]:
    """Certificates of these meters, when it is time."""
    if not world.chain.exists(interval_address(HOME)):
        world.attested()
    return [world.certified.issued(meter, HOME) for meter in meters]


@scene("energy_token", "issue_certificate")
def issue_certificate(world: World) -> Call:
    """The REC validator certifies the export of Ann's meter; her second meter and Ben's are certified already."""
    _certified(world, SECOND_METER, BENS_METER)
    issued = world.certified.issue(METER, HOME)
    return Call(issued, [world.payer, world.certified.body], start_s=HOME)


@scene("energy_token", "issue_certificate", "corrected")
def issue_after_a_correction(world: World) -> Call:
    """The interval was corrected within 73 hours: certificates follow the revision that was in force then."""
    world.attested()
    world.certified.attest(HOME, world.meter_energy(), revision=2)
    world.chain.set_time(HOME + 2 * SETTLED_S)
    issued = world.certified.issue(METER, HOME, revision=2)
    overtaken = {"interval": interval_address(HOME), "next_revision": interval_address(HOME, 2)}
    by = [world.payer, world.certified.body]
    return Call(issued, by, start_s=HOME, together={"overtaken": overtaken})


def _revised(world: World, export_wh: int) -> None:
    """A later revision attests this of Ann's meter, and has stood."""
    revised = world.meter_energy() | {METER: MeterEnergy(export_wh=export_wh)}
    world.certified.attest(HOME, revised, revision=2)
    world.chain.advance(OBJECTION_S)


@scene("energy_token", "issue_certificate", "difference")
def issue_the_difference(world: World) -> Call:
    """All meters are certified, and a later revision attests more of Ann's first."""
    _certified(world, *METERS)
    _revised(world, EXPORT_WH + 50)
    issued = world.certified.issue(METER, HOME, revision=2, number=1)
    return Call(issued, [world.payer, world.certified.body], start_s=HOME)


@scene("energy_token", "issue_certificate", "in debt")
def issue_in_debt(world: World) -> Call:
    """What was taken back from Ann is as much as her second meter has exported: it gets no holding."""
    _certified(world, METER, BENS_METER)
    _revised(world, 0)
    world.chain.ok(world.certified.take_back(METER, HOME, 2))
    issued = world.certified.issue(SECOND_METER, HOME, revision=2, all_withheld=True)
    return Call(issued, [world.payer, world.certified.body], start_s=HOME)


@scene("energy_token", "take_back_export")
def take_back_export(world: World) -> Call:
    """All meters are certified, and a later revision attests less of Ann's first. Nobody signs."""
    _certified(world, *METERS)
    _revised(world, EXPORT_WH // 2)
    return Call(world.certified.take_back(METER, HOME, 2), start_s=HOME)


def _held(world: World) -> tuple[Pubkey, Keypair]:
    """A certificate of Ann's that she holds in two parts; her second meter's and Ben's are there too."""
    made, *_ = _certified(world, *METERS)
    ann = world.ann.key
    world.chain.ok(world.certified.cut(ann, made, 0, EXPORT_WH // 4), signers=[ann])
    return made, ann


def _bens(*, new: str, address: Callable[[Pubkey], Pubkey]) -> dict[str, dict[str, Pubkey]]:
    """Ben's certificate and holding, and where the account that the call creates would be."""
    made = pdas.certificate(BENS_METER, HOME)
    return {ANOTHERS: {"certificate": made, "holding": pdas.certificate_holding(made, 0), new: address(made)}}


def _part(made: Pubkey) -> dict[str, dict[str, Pubkey]]:
    return {"holding": {"other part": pdas.certificate_holding(made, 1)}}


@scene("energy_token", "slice_certificate")
def slice_certificate(world: World) -> Call:
    """Ann cuts a part of her certificate off."""
    made, ann = _held(world)
    bens = _bens(new="part", address=lambda certificate: pdas.certificate_holding(certificate, 1))
    cut = world.certified.cut(ann, made, 0, EXPORT_WH // 2)
    return Call(cut, [world.payer, ann], others=_part(made), together=bens)


@scene("energy_token", "transfer_certificate")
def transfer_certificate(world: World) -> Call:
    """Ann gives a part of her certificate to Cid."""
    made, ann = _held(world)
    given = world.certified.transfer(ann, made, 0, world.cid.pubkey(), EXPORT_WH - EXPORT_WH // 4)
    return Call(given, [ann], others=_part(made))


@scene("energy_token", "cancel_certificate")
def cancel_certificate(world: World) -> Call:
    """Ann uses a part of her certificate up; her other part and her second certificate are cancelled."""
    made, ann = _held(world)
    for certificate, number in ((made, 1), (pdas.certificate(SECOND_METER, HOME), 0)):
        world.chain.ok(world.certified.cancel(ann, certificate, number), signers=[ann])
    cancelled = {"holding": pdas.certificate_holding(made, 1)}
    cancelled["cancellation"] = pdas.cancellation(cancelled["holding"])
    bens = _bens(new="cancellation", address=lambda made: pdas.cancellation(pdas.certificate_holding(made, 0)))
    by = [world.payer, ann]
    return Call(world.certified.cancel(ann, made, 0), by, together=bens | {"cancelled": cancelled})
