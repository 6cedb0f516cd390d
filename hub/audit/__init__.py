"""Audits a hub from outside: named checks over public data, without the hub's database and without a key."""
