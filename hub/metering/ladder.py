"""The ladder of a reading's proof: record in frame, frame signed, meter in interval, line in settlement, chain.

Takes the stored bytes as they are; every hash is computed again here, and the reader computes it once more.
"""

from hub.db import Connection
from hub.metering import queries
from hub.metering.schemas import Reading, ReadingProof
from hub.problems import NotFoundError


async def build(connection: Connection, reading: Reading, place: queries.Row, interval_s: int) -> ReadingProof:
    """The whole ladder as far as it has been climbed."""
    raise NotFoundError("soon")
