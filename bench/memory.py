"""How much memory a backup takes: a mailbox of many messages, and one of one huge message.

    memory.py [--messages 100000] [--size 1073741824] [--limit 80]

The server is the embedded one, in a process of its own; so is each backup. What counts is the peak
of the resident memory above what the interpreter has once it has imported imaplus. The exit status
is 1 if that exceeds the limit, in MiB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaplus.testing import Generated

MESSAGE = 700  # bytes of each of the many messages: their number is what matters
MIB = 1 << 20


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1 << 30, help="bytes of the huge message")
    parser.add_argument("--limit", type=float, default=80, help="MiB that each run may take")
    parser.add_argument("--serve", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--backup", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(*args.serve)
    if args.backup:
        return back_up(int(args.backup[0]), Path(args.backup[1]))
    print(f"{'backup of':34} {'first run':>18} {'second run':>18}")
    many = measure(f"{args.messages:,} messages of {MESSAGE} bytes", args.messages, MESSAGE)
    huge = measure(f"1 message of {args.size:,} bytes", 1, args.size)
    return int(max(*many, *huge) > args.limit)


def measure(title: str, number: int, size: int) -> list[float]:
    """Back up twice; print and return the MiB that each run took."""
    argv = [sys.executable, __file__]
    serving = [*argv, "--serve", str(number), str(size)]
    grown: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            serving, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        print(f"{title:34}", end="", flush=True)
        for _ in range(2):
            run = [*argv, "--backup", port, str(Path(folder) / "mail")]
            told = subprocess.run(run, stdout=subprocess.PIPE, text=True, check=True).stdout
            mib, seconds = map(float, told.split())
            grown.append(mib)
            print(f"{mib:8.1f} MiB {seconds:4.1f} s", end="", flush=True)
        print()
        server.stdin.close()
    return grown


def serve(number: int, size: int) -> int:
    """Run the server until its standard input is closed."""
    from imaplus.testing import Server

    with Server() as server:
        server.mailbox().add_many(message(n, size) for n in range(number))
        print(server.port, flush=True)
        sys.stdin.read()
    return 0


def message(number: int, size: int) -> bytes | Generated:
    """Make a message of this size; a large one is generated as it is sent."""
    from imaplus.testing import Generated

    if size > MIB:
        return Generated(size, seed=number)
    return (b"Subject: message %d\r\n\r\n" % number).ljust(size - 2, b"x") + b"\r\n"


def back_up(port: int, folder: Path) -> int:
    """Run one backup and print the MiB and the seconds that it took."""
    import imaplus

    client = imaplus.Client  # names are loaded when they are touched
    before = peak()
    began = time.perf_counter()
    from imaplus.mirror import Store, backup

    with (
        client.connect(
            "127.0.0.1",
            port,
            user="ada",
            password="correct horse",
            security=imaplus.Security.PLAIN,
        ) as connected,
        Store.open(folder, create=True, sync=False) as store,
    ):
        report = backup(connected, store)
    assert not report.failures, report.failures[:3]
    print((peak() - before) / MIB, time.perf_counter() - began)
    return 0


def peak() -> int:
    """Return the peak resident memory of this process, in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    # getrusage is unsuitable: a child inherits the peak of its parent.
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if "VmHWM" in line)


if __name__ == "__main__":
    sys.exit(main())
