"""The Solana programs as the hub uses them: addresses, accounts, instructions, the RPC client, deployment."""
