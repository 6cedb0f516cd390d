"""`make validator`: the programs, the conformance and the settlement tests on Agave's own test validator."""


class StageError(Exception):
    """A stage did not do what it is for; the message says which, what was found and what to do."""
