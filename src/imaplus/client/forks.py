"""Detection of forks: compare `forks` with its value when an object was made."""

from __future__ import annotations

import os

forks: int = 0
"""The number of forks between the first process and this one."""


def _count_fork() -> None:
    global forks
    forks += 1


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_count_fork)

FORKED = "this client belongs to the process that connected it: connect again after a fork"
