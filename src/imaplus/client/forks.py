"""Whether this process was forked from the one in which something was made."""

from __future__ import annotations

import os

forks: int = 0
"""How many forks lie between the first process and this one."""


def _forked() -> None:
    global forks
    forks += 1


if hasattr(os, "register_at_fork"):  # systems without fork have no need of it
    os.register_at_fork(after_in_child=_forked)

FORKED = "this client belongs to the process that connected it: connect anew after a fork"
