"""Proves that a meter is what the configuration says, before anything of it is signed.

A profile's ``probe`` names registers and what must be in them; registers of another kind of meter do not fit, because
its addresses, types or word order differ.
"""

from collections.abc import Sequence
from fractions import Fraction

from edge.errors import ImplausibleError, MeterError, MeterRefusedError, ProbeError
from edge.meters.decode import decode
from edge.meters.modbus import ExclusiveDevice
from edge.meters.plan import Block
from edge.meters.profile import Check, Profile, load_profile, profile_names

_VOWEL_NAMES = "AEFHILMNORSX"
"""Letters whose names begin with a vowel: an SDM630, a UMG96RM."""


async def prove(device: ExclusiveDevice, profile: Profile) -> None:
    """Reads what the profile's probe names.

    Raises:
        ProbeError: something else is there; the message says what it looks like.
        MeterError: it did not answer.
    """
    wrong = await _misfit(device, profile)
    if not wrong:
        return
    for name in profile_names():
        other = load_profile(name)
        if name != profile.name and other.probe and await _looks_like(device, other):
            raise ProbeError(f"this answers like {_named(other)}, the configuration says {profile.name.upper()}")
    raise ProbeError(f"this does not answer like {_named(profile)}: {wrong}")


async def _looks_like(device: ExclusiveDevice, profile: Profile) -> bool:
    try:
        return not await _misfit(device, profile)
    except MeterError:
        return False


async def _misfit(device: ExclusiveDevice, profile: Profile) -> str:
    """Returns the first check that does not fit, in words; empty when all do."""
    for check in profile.probe:
        told: list[Fraction | str] = []
        for address in check.addresses:
            value = await _value(device, profile, check, address)
            if value is not None:
                told.append(value)
            if value is not None and fits(check, value):
                break
        else:
            if told or not check.optional:
                return f"{check.name} is {', '.join(map(_shown, told)) or 'not available'}"
    return ""


async def _value(device: ExclusiveDevice, profile: Profile, check: Check, address: int) -> Fraction | str | None:
    """Reads one value of a check; None when the meter does not have it, or says that it is not available."""
    start, count = address, check.count
    if profile.pairs_only:
        start, count = start - start % 2, count + count % 2
    block = Block(check.function or profile.function, start, count)
    try:
        words = (await device.read([block]))[block]
    except MeterRefusedError as error:
        if not error.lasting:
            raise
        return None
    return value_of(check, words[address - start : address - start + check.count], profile)


def value_of(check: Check, words: Sequence[int], profile: Profile) -> Fraction | str | None:
    """Decodes what a check's registers hold: a text, or a number times its factor; None when that is no number."""
    if check.type == "text":
        raw = b"".join(word.to_bytes(2, "big") for word in words)
        return "".join(chr(byte) for byte in raw if 0x20 <= byte < 0x7F)
    try:
        number = decode(words, check.type, low_word_first=profile.low_word_first)
    except ImplausibleError:
        return None
    return None if number is None else number * check.factor


def fits(check: Check, value: Fraction | str) -> bool:
    """Returns whether a value is what the check wants."""
    if isinstance(value, str):
        return value.startswith(check.begins)
    if check.one_of and value not in check.one_of:
        return False
    return (
        value not in check.none_of
        and (check.lowest is None or check.lowest <= value)
        and (check.highest is None or value <= check.highest)
    )


def _shown(value: Fraction | str) -> str:
    return repr(value[:12]) if isinstance(value, str) else f"{float(value):.4g}"


def _named(profile: Profile) -> str:
    name = profile.name.upper()
    return f"{'an' if name[0] in _VOWEL_NAMES else 'a'} {name}"
