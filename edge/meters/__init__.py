"""Reads meters: Modbus by profile and read plan, MQTT by dialect; and judges whether counters can be true."""
