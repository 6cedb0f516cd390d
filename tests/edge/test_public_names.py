"""Names that others rely on: error codes and exit codes (scripts), metrics (dashboards)."""

from prometheus_client import Counter, Gauge, Histogram

from edge import errors
from edge.runtime import metrics

CODES = {
    "EdgeError": ("error", 1), "PermanentError": ("error", 1), "RetryableError": ("error", 1),
    "ConfigError": ("config", 78), "InternalError": ("internal", 1), "NotEnrolledError": ("not_enrolled", 78),
    "KeyFileError": ("key_unreadable", 77), "RefusedError": ("error", 1), "VerificationError": ("verification", 1),
    "HubUnreachableError": ("hub_unreachable", 69), "TryAgainError": ("try_again", 75), "MeterError": ("meter", 1),
    "MeterTimeoutError": ("meter_timeout", 1), "MeterRefusedError": ("meter_exception", 1),
    "ImplausibleError": ("implausible", 1), "ProbeError": ("probe", 1), "NettingError": ("netting", 1),
    "StorageError": ("storage", 1),
}  # fmt: skip
METRICS = {
    "readings": ("Readings that were accepted", ["source"]),
    "read_failures": ("Reads that failed, by reason", ["reason"]),
    "read_seconds": ("Time to read one Modbus meter", []),
    "slots_missed": ("Slots that a bus was too busy for", []),
    "meters_lost": ("Meters that do not answer", []),
    "frames_sealed": ("Frames that were signed", []),
    "frames_published": ("Frames that the broker took", ["lane"]),
    "receipts": ("Signed receipts that were taken", ["verdict"]),
    "outbox_frames": ("Frames without the hub's receipt", []),
    "outbox_age_seconds": ("Age of the oldest frame without a receipt", []),
    "hub_connected": ("1 while connected to the hub's NATS", []),
    "ledger_commits": ("Commits since the start", []),
    "memory_queue_records": ("Records that the disk has not taken yet", []),
    "mqtt_dropped": ("MQTT messages that were not recorded", ["reason"]),
}


def test_every_error_has_its_code_and_its_exit_code() -> None:
    found = {
        name: (error.code, error.exit_code) for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, errors.EdgeError)
    }  # fmt: skip
    assert found == CODES


def test_every_metric_has_its_name_its_text_and_its_labels() -> None:
    found = [metric for metric in vars(metrics).values() if isinstance(metric, Counter | Gauge | Histogram)]
    described = {one.name: (one.documentation, list(m._labelnames)) for m in found for one in m.describe()}
    assert described == {f"peerwatt_edge_{name}": value for name, value in METRICS.items()}
