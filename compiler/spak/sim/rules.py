"""The rules whose breach the simulator finds, and the error code of each. Knows nothing of how a breach is found.

The keys are what `Finding.rule` holds (csrc/sim/engine/finding.h); each code's title and explanation stand in
errors/codes/sim.toml.
"""

from __future__ import annotations

CLASSES: dict[str, dict[str, str]] = {
    "memory": {
        "out-of-bounds": "SPK530",
        "misaligned": "SPK531",
        "use-after-free": "SPK532",
        "uninitialised-read": "SPK533",
        "const-write": "SPK534",
        "shared-overflow": "SPK535",
        "index-overflow": "SPK536",
        "local-out-of-bounds": "SPK537",
        "invalid-address": "SPK538",
        "stack-overflow": "SPK539",
    },
    "races": {
        "race-shared": "SPK540",
        "race-warp": "SPK541",
        "race-global": "SPK542",
        "missing-proxy-fence": "SPK543",
        "in-flight-read": "SPK544",
        "in-flight-overwrite": "SPK545",
        "accumulator-in-flight": "SPK546",
    },
    "synchronisation": {
        "divergent-barrier": "SPK550",
        "divergent-warp": "SPK551",
        "deadlock": "SPK552",
        "mbarrier-misuse": "SPK553",
        "exited-peer": "SPK554",
        "barrier-count": "SPK555",
        "inactive-lane": "SPK556",
        "no-progress": "SPK557",
        "missing-wait": "SPK558",
    },
    "hardware": {
        "bad-descriptor": "SPK560",
        "bad-tensor-map": "SPK561",
        "bad-launch": "SPK562",
        "register-budget": "SPK563",
        "bad-warpgroup": "SPK564",
        "bad-argument": "SPK565",
        "unsupported": "SPK566",
    },
    "other": {
        "arithmetic": "SPK570",
        "assertion": "SPK571",
        "exception": "SPK572",
        "forbidden-call": "SPK573",
        "non-deterministic": "SPK574",
        "bad-api-call": "SPK575",
    },
}
CODES: dict[str, str] = {rule: code for rules in CLASSES.values() for rule, code in rules.items()}
UNKNOWN = "SPK566"  # a rule that is not in the table: said as it is, never dropped


def code_of(rule: str) -> str:
    """The code of a rule."""
    return CODES.get(rule, UNKNOWN)


def class_of(rule: str) -> str:
    """The class of a rule: memory, races, synchronisation, hardware or other."""
    return next((name for name, rules in CLASSES.items() if rule in rules), "other")
