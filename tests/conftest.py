"""What holds for all tests: Hypothesis has no deadlines, since a busy machine is no fault of ours.

`--hypothesis-profile=coverage` is for `make coverage`: a few examples of each property run the same
lines as a hundred do.
"""

from __future__ import annotations

import importlib.util
import signal
import sys
import types

from hypothesis import HealthCheck, settings

_PATIENT = [HealthCheck.too_slow]

settings.register_profile("patient", deadline=None, suppress_health_check=_PATIENT)
settings.register_profile("coverage", settings.get_profile("patient"), max_examples=10)
settings.load_profile("patient")

# PyPy cannot tell how much memory is in use: there its tests run, and find nothing too large.
if importlib.util.find_spec("_tracemalloc") is None:
    sys.modules["tracemalloc"] = types.ModuleType("tracemalloc")
    vars(sys.modules["tracemalloc"]).update(
        start=lambda: None,
        stop=lambda: None,
        reset_peak=lambda: None,
        get_traced_memory=lambda: (0, 0),
    )

# A shell in the background leaves its children deaf to Ctrl-C; these tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
