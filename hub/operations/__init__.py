"""Commands that look at a running hub: `doctor`, `trace`, and how the chain's nodes do."""
