#!/usr/bin/env bash
# Courier-IMAP gives a mailbox a new UIDVALIDITY when it is renamed, though its UIDs stay.
#
# One would guess: RENAME changes a name.  The messages keep their UIDs and the mailbox keeps its
#   UIDVALIDITY, so that a client's copy under the old name serves under the new one.
# What happens: after RENAME the same messages have the same UIDs under another UIDVALIDITY.
#   This is allowed, as the value may only grow, but it says "forget all UIDs" needlessly.
# Versions: Courier-IMAP 5.0.13 (Debian 12: courier-imap 5.0.13+1.0.16-3+b6).
# Source: RFC 9051, 6.3.6 (RENAME changes the name of a mailbox) and 2.3.1.1 (a new UIDVALIDITY
#   is for UIDs that do not persist, or for a new mailbox under an old name).
# Date: 2026-11-30
# What our users would meet: a mirror or cache that follows a rename by UIDVALIDITY does not know
#   the mailbox again and fetches all of it once more.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cd "$work"
apt-get -q -o APT::Sandbox::User=root download courier-imap courier-base courier-authlib \
    libcourier-unicode4 libgamin0 libgdbm6 libidn12 libpcre3 > apt.log
for package in *.deb; do dpkg -x "$package" root; done
echo "courier-imap $(dpkg-deb -f courier-imap_*.deb Version)"

python3 - "$work" <<'END'
import os
import re
import subprocess
import sys
import time
from pathlib import Path

WORK = Path(sys.argv[1])
home = WORK / "home"
home.mkdir()
environment = {
    "LD_LIBRARY_PATH": ":".join(sorted({str(p.parent) for p in WORK.glob("root/**/*.so.*")})),
    "HOME": str(home),
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS",
    "IMAP_KEYWORDS": "1",
}
# Courier is not meant to serve mail as root: nobody does it, where root starts this.
options = {"cwd": home, "env": environment}
if os.geteuid() == 0:
    os.chown(home, 65534, 65534)
    options |= {"user": 65534, "group": 65534, "extra_groups": []}
subprocess.run([WORK / "root/usr/bin/maildirmake.courier", "Maildir"], check=True, **options)
# Started without a login program before it, imapd serves stdin and greets with PREAUTH.
server = subprocess.Popen(
    [WORK / "root/usr/bin/imapd", "Maildir"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    **options,
)


def read():
    line = server.stdout.readline().decode().rstrip()
    if not line:
        sys.exit("imapd has gone")
    return line


def say(text):
    server.stdin.write(text.encode() + b"\r\n")
    server.stdin.flush()


def command(text, literal=None):
    """Send a command and return the lines of its answer."""
    say("a " + text)
    lines = []
    while not lines or not lines[-1].startswith("a "):
        lines.append(read())
        if lines[-1].startswith("+"):
            say(literal)
    if not lines[-1].startswith("a OK"):
        sys.exit(f"The set-up is wrong: {text} was answered {lines[-1]}")
    return lines


def look(mailbox):
    """UIDVALIDITY, and the messages by UID and size."""
    validity = re.search(r"\[UIDVALIDITY (\d+)\]", "\n".join(command(f"SELECT {mailbox}")))[1]
    fetched = command("UID FETCH 1:* (RFC822.SIZE)")[:-1]
    command("CLOSE")
    print(f"{mailbox}: UIDVALIDITY {validity}; {'; '.join(fetched)}")
    return int(validity), fetched


print(read())
command("CREATE INBOX.one")
for message in ("Subject: first\r\n\r\nhello\r\n", "Subject: second\r\n\r\nhello\r\n"):
    command(f"APPEND INBOX.one {{{len(message)}}}", message)
before = look("INBOX.one")
again = look("INBOX.one")
time.sleep(2.1)  # UIDVALIDITY is made from the time in seconds
print(command("RENAME INBOX.one INBOX.two")[-1])
after = look("INBOX.two")
say("a LOGOUT")
server.stdin.close()
server.wait(30)

if before != again:
    sys.exit("The set-up is wrong: UIDVALIDITY changes without RENAME")
if before[1] != after[1]:
    sys.exit("No longer so: RENAME changes the UIDs too")
if before[0] == after[0]:
    sys.exit("No longer so: RENAME keeps UIDVALIDITY")
END
