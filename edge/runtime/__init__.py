"""What the process gets from the machine it runs on: clocks, the lock of its folder, logs, metrics, systemd, status."""
