"""Fuzz imaplus: seeds from the tests, changed at random, given to one target after another.

    python fuzz/run.py --target connection --count 100000 --seed 1

An input is made from the seed and its number alone, so `--seed S --only N` runs it again. A
failure is an exception that is not documented, an input that takes longer than 50 ms, or memory
that grows. No dependency but imaplus.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
from random import Random
from typing import Final

from parts.mutation import mutated
from parts.targets import TARGETS, Target

SLOW: Final = 0.05
"""Seconds for one input, in processor time, the best of three."""
MOST_MEMORY: Final = 64 << 20
"""Octets by which the process may grow."""
MOST_SHOWN: Final = 5


def resident() -> int:
    """The most octets that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def seconds(target: Target, data: bytes, state: Random) -> float:
    """The time that an input takes; raises what the target raises."""
    random = Random()
    random.setstate(state.getstate())
    start = time.process_time()
    target.run(data, random)
    return time.process_time() - start


def fails(target: Target, data: bytes, random: Random) -> str | None:
    """What is wrong with an input, if anything is."""
    try:
        taken = seconds(target, data, random)
        if taken > SLOW:
            taken = min(taken, *(seconds(target, data, random) for _ in range(2)))
    except Exception:
        return traceback.format_exc(limit=-6)
    return f"took {taken:.3f} s" if taken > SLOW else None


def fuzz(name: str, options: argparse.Namespace) -> int:
    """How many inputs failed."""
    target = TARGETS[name]
    numbers = range(options.count) if options.only is None else [options.only]
    failures = done = 0
    seen: set[str] = set()
    fails(target, target.seeds[0], Random(0))  # imports and caches are not the inputs' fault
    before, start = resident(), time.monotonic()
    for number in numbers:
        random = Random(f"{options.seed}/{name}/{number}")
        data = mutated(random, target.seeds)
        if (wrong := fails(target, data, random)) is not None:
            failures += 1
            kind = wrong.splitlines()[-1]
            if kind not in seen and len(seen) < MOST_SHOWN:
                seen.add(kind)
                print(f"{name}, --seed {options.seed} --only {number}:\n{data!r:.2000}\n{wrong}")
        done += 1
        if options.seconds and time.monotonic() - start > options.seconds:
            break
    grown = resident() - before
    if grown > MOST_MEMORY:
        failures += 1
        print(f"{name}: the process grew by {grown >> 20} MiB")
    print(
        f"{name:20}{done:9} inputs {time.monotonic() - start:7.1f} s {grown >> 10:7} KiB "
        f"{failures} failures",
        flush=True,
    )
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--target", choices=TARGETS, action="append", help="all, by default")
    parser.add_argument("--count", type=int, default=3000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one input")
    parser.add_argument("--seconds", type=float, help="for each target, at most")
    options = parser.parse_args()
    return min(1, sum(fuzz(name, options) for name in options.target or TARGETS))


if __name__ == "__main__":
    sys.exit(main())
