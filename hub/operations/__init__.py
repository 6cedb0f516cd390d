"""Commands that inspect a running hub: `doctor` with the state of the chain's nodes, and `trace`."""
