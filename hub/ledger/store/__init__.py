"""The ledger's file: the log of blocks, the index of addresses, snapshots, and the checks of all three."""
