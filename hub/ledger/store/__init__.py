"""The ledger's file: its log of blocks, the index of addresses, snapshots, and what checks them."""
