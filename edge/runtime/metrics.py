"""The agent's Prometheus metrics, served on loopback only."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

READINGS = Counter("peerwatt_edge_readings_total", "Readings that were accepted", ["source"])
READ_FAILURES = Counter("peerwatt_edge_read_failures_total", "Reads that failed, by reason", ["reason"])
READ_SECONDS = Histogram("peerwatt_edge_read_seconds", "Time to read one Modbus meter")
SLOTS_MISSED = Counter("peerwatt_edge_slots_missed_total", "Slots that a bus was too busy for")
METERS_LOST = Gauge("peerwatt_edge_meters_lost", "Meters that do not answer")
FRAMES_SEALED = Counter("peerwatt_edge_frames_sealed_total", "Frames that were signed")
FRAMES_PUBLISHED = Counter("peerwatt_edge_frames_published_total", "Frames that the broker took", ["lane"])
RECEIPTS = Counter("peerwatt_edge_receipts_total", "Signed receipts that were taken", ["verdict"])
OUTBOX_FRAMES = Gauge("peerwatt_edge_outbox_frames", "Frames without the hub's receipt")
OUTBOX_AGE_SECONDS = Gauge("peerwatt_edge_outbox_age_seconds", "Age of the oldest frame without a receipt")
CONNECTED = Gauge("peerwatt_edge_hub_connected", "1 while connected to the hub's NATS")
COMMITS = Gauge("peerwatt_edge_ledger_commits", "Commits since the start")
MEMORY_QUEUE = Gauge("peerwatt_edge_memory_queue_records", "Records that the disk has not taken yet")
MQTT_DROPPED = Counter("peerwatt_edge_mqtt_dropped_total", "MQTT messages that were not recorded", ["reason"])


def serve(port: int) -> None:
    """Serves the metrics over HTTP on 127.0.0.1, in a thread of its own.

    Raises:
        OSError: the port is taken.
    """
    start_http_server(port, addr="127.0.0.1", registry=REGISTRY)
