"""Every Prometheus metric of the hub's worker, declared here and nowhere else, so that dashboards can be checked."""

from prometheus_client import Counter, Gauge, Histogram

FRAMES = Counter("peerwatt_ingest_frames_total", "Frames taken from the stream", ["outcome"])
"""outcome: stored, duplicate, refused"""

READINGS = Counter("peerwatt_ingest_readings_total", "Readings stored")

QUARANTINED = Counter("peerwatt_ingest_quarantined_total", "Messages and records refused", ["code"])

WAITING = Gauge("peerwatt_ingest_waiting_frames", "Frames with readings whose meter is not declared and assigned yet")

RELEASED = Counter("peerwatt_ingest_released_readings_total", "Readings that waited for their meter and were stored")

BATCH_SECONDS = Histogram(
    "peerwatt_ingest_batch_seconds",
    "Time from a batch in memory to its commit",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

PUBLISH_TO_STORED_SECONDS = Histogram(
    "peerwatt_ingest_publish_to_stored_seconds",
    "Time from JetStream's acknowledgement to the commit, of each batch's oldest frame",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30),
)

RETRIES = Counter("peerwatt_ingest_retries_total", "Batches tried again after a database or network error")

BEATS = Counter("peerwatt_ingest_beats_total", "Heartbeats of gateways", ["outcome"])
"""outcome: kept, refused"""

RECEIPTS = Counter("peerwatt_ingest_receipts_total", "Signed receipts sent", ["occasion"])
"""occasion: stored, beat"""
