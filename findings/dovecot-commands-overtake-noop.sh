#!/usr/bin/env bash
# Dovecot runs a UID SEARCH sent behind a NOOP before the NOOP makes a new message known.
#
# One would guess: commands sent together take effect in their order, at least where one bears on
#   the other: once NOOP has told of a new message, the UID SEARCH behind it finds that message.
# What happens: Dovecot puts off what NOOP has to tell until the commands behind it have run.  UID
#   SEARCH ALL does not find the new message, and its untagged SEARCH comes before EXISTS and
#   NOOP's OK; STATUS is answered wholly before NOOP, with the old count.  Sent each after the
#   other's answer, they know of the message.
# Versions: Dovecot 2.3.19.1 (Debian 12: dovecot-imapd 1:2.3.19.1+dfsg1-2.1+deb12u7).  Seen by
#   hand in Dovecot 2.4 too; Courier-IMAP 5.0.13 and Cyrus 3.10.1 answer in order.
# Source: RFC 9051, 5.5: several commands may be in progress, but those that affect each other's
#   results are executed in order; UID SEARCH without sequence numbers may be sent behind NOOP.
#   6.1.2: NOOP is a way to learn of new messages.
# Date: 2026-11-30
# What our users would meet: who sends NOOP and UID SEARCH together, to save a round trip, misses
#   the newest messages, although the answer to that very NOOP counts them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cd "$work"
apt-get -q -o APT::Sandbox::User=root download dovecot-core dovecot-imapd libapparmor1 libcap2 \
    libexttextcat-2.0-0 libicu72 liblua5.4-0 libsodium23 libstemmer0d libtirpc3 libunwind8 \
    libwrap0 > apt.log
for package in *.deb; do dpkg -x "$package" root; done
echo "dovecot-imapd $(dpkg-deb -f dovecot-imapd_*.deb Version)"

python3 - "$work" <<'END'
import os
import re
import subprocess
import sys
from pathlib import Path

WORK = Path(sys.argv[1])
root, home = WORK / "root", WORK / "home"
uid, gid = os.geteuid(), os.getegid()
options = {}
if uid == 0:  # Dovecot does not serve mail as root
    uid = gid = 65534
    options = {"user": uid, "group": gid, "extra_groups": []}
incoming = home / "Maildir/new"
incoming.mkdir(parents=True)
(home / "Maildir/cur").mkdir()
(home / "Maildir/tmp").mkdir()
for path in (home, home / "Maildir", *(home / "Maildir").iterdir()):
    os.chown(path, uid, gid)
(WORK / "conf").write_text(
    f"base_dir = {WORK}/run\n"
    "log_path = /dev/null\n"
    "protocols = imap\n"
    "ssl = no\n"
    f"mail_location = maildir:{home}/Maildir\n"
    f"mail_uid = {uid}\n"
    f"mail_gid = {gid}\n"
    "first_valid_uid = 1\n"
)
# doveconf reads the configuration and starts imap, which serves stdin and greets with PREAUTH.
server = subprocess.Popen(
    [root / "usr/bin/doveconf", "-f", "service=imap", "-c", WORK / "conf", "-m", "imap"]
    + ["-e", root / "usr/lib/dovecot/imap"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    env={
        "LD_LIBRARY_PATH": f"{root}/usr/lib/dovecot:{root}/usr/lib/x86_64-linux-gnu",
        "USER": "alice",
        "HOME": str(home),
    },
    **options,
)


def read():
    line = server.stdout.readline().decode().rstrip()
    if not line:
        sys.exit("imap has gone")
    return line


def send(*commands):
    """Send commands in one write; return the lines until each has its tagged response."""
    server.stdin.write("".join(f"{command}\r\n" for command in commands).encode())
    server.stdin.flush()
    waiting, lines = {command.split()[0] for command in commands}, []
    while waiting:
        lines.append(read())
        waiting.discard(lines[-1].split()[0])
    return lines


def deliver(name):
    path = incoming / name
    path.write_text("Subject: x\n\nhello\n")
    os.chown(path, uid, gid)


def show(title, lines):
    print(f"-- {title}")
    print("\n".join(re.sub(r" \([\d.+ ]+ secs\)", "", line) for line in lines))


def place(lines, start):
    """The number of the first line that starts so."""
    return next(number for number, line in enumerate(lines) if line.startswith(start))


SEARCH = "s UID SEARCH ALL"
print(read().partition(" [CAPABILITY ")[0])
send("a SELECT INBOX")

deliver("1.one.example")
apart = send("n NOOP") + send(SEARCH)
show("NOOP, and after its answer UID SEARCH", apart)
deliver("2.two.example")
search = send("n NOOP", SEARCH)
show("NOOP and UID SEARCH sent together", search)
later = send(SEARCH)
show("UID SEARCH again", later)
deliver("3.three.example")
status = send("n NOOP", 's LIST "" INBOX RETURN (STATUS (MESSAGES))')
show("NOOP and LIST with STATUS sent together", status)
send("z LOGOUT")
server.stdin.close()
server.wait(30)

if "* 1 EXISTS" not in apart or "* SEARCH 1" not in apart or "* SEARCH 1 2" not in later:
    sys.exit("The set-up is wrong: a message that NOOP has told of must be found")
if "* 2 EXISTS" not in search or "* 3 EXISTS" not in status:
    sys.exit("The set-up is wrong: NOOP must tell of the new messages")
if "* SEARCH 1" not in search or place(search, "* SEARCH") > place(search, "n OK"):
    sys.exit("No longer so: UID SEARCH finds the message that the NOOP before it tells of")
if "* STATUS INBOX (MESSAGES 2)" not in status or place(status, "s OK") > place(status, "n OK"):
    sys.exit("No longer so: STATUS counts the message that the NOOP before it tells of")
END
