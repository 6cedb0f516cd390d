"""The embedded ledger: Solana's virtual machine as a single-authority chain behind Solana's JSON-RPC."""
