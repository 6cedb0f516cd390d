"""An embedded ledger without our programs whose runtime takes new ones: `python -m support.open_ledger --state DIR`.

LiteSVM has every feature of Solana's runtime on, SIMD-0167 among them, which closes the upgradeable loader to new
programs; on Solana's clusters it is off. With it off the loader works here as there.
"""

import sys

import solders.litesvm
from solders.litesvm import FeatureSet, LiteSVM
from solders.pubkey import Pubkey

from hub.chain import programs
from hub.cli import main

CLOSES_LOADER = Pubkey.from_string("EmhbpdVtZ2hWRGFWBDjn2i3SJD8Z36z4mpMcZJEnebnP")


def _open_svm() -> LiteSVM:
    active = dict(FeatureSet.all_enabled().active)
    del active[CLOSES_LOADER]
    return LiteSVM().with_builtins(FeatureSet(active, {CLOSES_LOADER}))


if __name__ == "__main__":
    # before the ledger's own modules take them
    vars(solders.litesvm)["LiteSVM"] = _open_svm
    vars(programs)["PROGRAM_IDS"] = {}
    sys.exit(main(["ledger", *sys.argv[1:]]))
