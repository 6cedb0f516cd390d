"""What works without the hub and without a running agent: reading the ledger, exporting and verifying its chain."""
