"""Measure imaplus and its peers, and write one table.

    run.py [--quick] [--rounds N] [--client NAME]... [WORKLOAD]...

A WORKLOAD is a name or a prefix: W1, W3-digest, growth. Each sample of a client is taken between
two samples of the drain: the same command, its response read into one buffer and discarded. The
result is the ratio to these two. A run of all workloads and clients writes docs/benchmarks.md;
others print their table, or write it to --output. The JSON of each run is in bench/data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from cases import CLIENTS, Case
from prepare import ROOT, facts, prepare, say
from sampling import MOST, Sampler
from table import markdown
from workloads import CASES

DATA = ROOT / "bench" / "data"
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> int:
    args = arguments().parse_args()
    cases = [case for case in CASES if is_chosen(case, args.workloads)]
    if args.quick:
        cases = [quick(case) for case in cases if case.quick != 0]
    if not cases:
        sys.exit("none of these has a quick mode")
    began = time.monotonic()
    with prepare(args.dir.resolve()) as machine:
        say(f"prepared in {time.monotonic() - began:.0f} s")
        sampler = Sampler(
            machine,
            clients=tuple(args.client or CLIENTS),
            rounds=args.rounds or (2 if args.quick else 5),
            peer_rounds=args.rounds or (1 if args.quick else 5),
            budget=1.0 if args.quick else 3.5,
            limit=5.0 if args.quick else 30.0,
        )
        results = []
        with sampler:
            for case in cases:
                started = time.monotonic()
                results.append(sampler.measure(case))
                say(f"{case.key}: {time.monotonic() - started:.0f} s")
        report = {
            "date": time.strftime("%Y-%m-%d"),
            "quick": args.quick,
            "rounds": sampler.rounds,
            "limit": sampler.limit,
            "budget": sampler.budget,
            "enough": sampler.enough,
            "most": MOST,
            "machine": facts(),
            "versions": machine.versions,
            "missing": machine.missing,
            "seconds": round(time.monotonic() - began),
            "cases": results,
        }
    text = markdown(report)
    (args.dir / "results.json").write_text(json.dumps(report, indent=1))
    everything = len(cases) == len(CASES) and not args.client and not args.quick
    if output := args.output or (PAGE if everything else None):
        output.write_text(text)
        say(f"written to {output}")
    else:
        print(text)
    return 0


def quick(case: Case) -> Case:
    """Return the case with the smaller numbers of quick mode."""
    return replace(
        case,
        total=case.total if case.quick is None else case.quick,
        count=case.count if case.quick_count is None else case.quick_count,
    )


def is_chosen(case: Case, names: list[str]) -> bool:
    """Return whether a name selects the case: W1 does not select W10, `growth` selects all."""
    return not names or any((case.key + "-").startswith(name + "-") for name in names)


def arguments() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    add = parser.add_argument
    add("workloads", nargs="*", metavar="WORKLOAD", help="only these: " + keys())
    add("--client", action="append", choices=CLIENTS, help="only this one; can be repeated")
    add("--quick", action="store_true", help="two rounds, one of peers, and less to do")
    add("--rounds", type=int, help="samples of each client (5; 2 with --quick)")
    add("--dir", type=Path, default=DATA, help="server, mail, environments (bench/data)")
    add("--output", type=Path, help="write the table there")
    return parser


def keys() -> str:
    return ", ".join(dict.fromkeys(case.key.partition("-")[0] for case in CASES))


if __name__ == "__main__":
    sys.exit(main())
