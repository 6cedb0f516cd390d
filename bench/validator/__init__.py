"""`make validator`: the programs, the conformance and the settlement tests on Agave's own test validator."""


class StageError(Exception):
    """A stage failed; the message says which stage, what happened and what to do."""
