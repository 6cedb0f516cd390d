"""The chain as the hub sees it: programs, addresses, instructions, one client, and the embedded ledger."""
