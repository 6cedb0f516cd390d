"""Chooses the content coding of an answer from the request's Accept-Encoding (RFC 9110, section 12.5.3)."""

from collections.abc import Collection

SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""What the name of a compressed copy ends with, by content coding; the smaller coding first."""
ALIASES = {"x-gzip": "gzip"}


def choose(accept_encoding: str, available: Collection[str]) -> str | None:
    """Returns the coding of ``available`` that the client likes best, or None for the plain file.

    Of codings with the same quality the first of ``SUFFIXES`` wins. A client that refuses the plain file
    (``identity;q=0``) and every coding of ``available`` gets the plain file all the same.
    """
    qualities = _qualities(accept_encoding)
    rest = qualities.get("*", 0.0)
    offered = [(qualities.get(name, rest), name) for name in SUFFIXES if name in available]
    quality, name = max(offered, key=lambda offer: offer[0], default=(0.0, ""))
    return name if quality > 0 and quality >= qualities.get("identity", 0.0) else None


def _qualities(accept_encoding: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if name:
            qualities[ALIASES.get(name, name)] = _quality(parameters)
    return qualities


def _quality(parameters: list[str]) -> float:
    """Returns the weight from 0 to 1; one that can not be read counts as a refusal."""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
