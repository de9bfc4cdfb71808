"""The least that a mirror does: one FETCH, a file for each message; again, one STATUS.

drain_mirror.py HOST PORT USER PASSWORD MAILBOX FOLDER [sync]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from raw import Raw

host, port, user, password, mailbox, folder, sync = sys.argv[1:]
state = Path(folder) / "state"
with Raw(host, int(port), user, password) as raw:
    status = raw.ask(f"STATUS {mailbox} (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
    status = status.partition(b"\r\n")[0]
    if state.exists() and state.read_bytes() == status:
        sys.exit()
    raw.command(f"EXAMINE {mailbox}")
    for uid, pieces in raw.bodies("UID FETCH 1:* (UID BODY.PEEK[])"):
        fd = os.open(f"{folder}/{uid}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        for piece in pieces:
            os.write(fd, piece)
        if sync:
            os.fsync(fd)
        os.close(fd)
    state.write_bytes(status)
