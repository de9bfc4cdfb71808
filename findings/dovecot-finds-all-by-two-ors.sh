#!/usr/bin/env bash
# Dovecot 2.4 finds every message by (A or B) and (B or A).
#
# One would guess: SEARCH OR SEEN FLAGGED OR FLAGGED SEEN finds what OR SEEN FLAGGED finds: search
#   keys that follow each other all have to match, and the second says the same as the first.
# What happens: it finds every message, those with neither flag too, and OK says that all went
#   well.  The same with two SUBJECTs, or with another key between the two ORs.  Written twice in
#   the same order, the right messages are found.
# Versions: Dovecot 2.4.1 (Debian 13: dovecot-imapd 1:2.4.1+dfsg1-6+deb13u7).  Dovecot 2.3.19.1
#   and Cyrus 3.10.1, tried by hand, find the right ones.
# Source: RFC 9051, 6.4.4 (several search keys: the intersection of what each of them finds).
# Date: 2026-11-30
# What our users would meet: a search made by a program, out of rules that overlap, finds the whole
#   mailbox; who moves or deletes what was found does so to mail that fits none of the rules.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cd "$work"
# Debian 13 comes from where this machine takes Debian 12, with lists of our own.
targets=$(apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)')
awk '$1 == "Debian" && $2 == "main" && !n++ {print "deb", $3, "trixie main"}' \
    <<< "$targets" > trixie.list
mkdir -p lists/partial
options=(-q -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$work/trixie.list"
    -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$work/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
apt-get "${options[@]}" update > apt.log
apt-get "${options[@]}" download dovecot-core dovecot-imapd libbz2-1.0 libc6 \
    libexttextcat-2.0-0 libgcc-s1 libicu76 liblz4-1 liblzma5 libstdc++6 libstemmer0d libunwind8 \
    libxxhash0 libzstd1 zlib1g >> apt.log
for package in *.deb; do dpkg -x "$package" root; done
echo "dovecot-imapd $(dpkg-deb -f dovecot-imapd_*.deb Version)"

python3 - "$work/root" <<'END'
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
# Its libraries are not those of Debian 12: imap gets a root directory of its own.
for name in ("lib", "lib64"):
    (ROOT / name).symlink_to(f"usr/{name}")
for name in ("dev", "home", "tmp"):
    (ROOT / name).mkdir()
    (ROOT / name).chmod(0o777)
(ROOT / "dev/null").touch()
(ROOT / "dev/null").chmod(0o666)
uid, gid = os.geteuid(), os.getegid()
enter = ["unshare", "--map-current-user", f"--root={ROOT}"]
if uid == 0:  # Dovecot does not serve mail as root
    uid = gid = 65534
    enter = ["chroot", f"--userspec={uid}:{gid}", "--groups=", ROOT]
(ROOT / "conf").write_text(
    "dovecot_config_version = 2.4.1\n"
    "dovecot_storage_version = 2.4.1\n"
    "base_dir = /run\n"
    "log_path = /dev/null\n"
    "protocols = imap\n"
    "ssl = no\n"
    "mail_driver = maildir\n"
    "mail_path = /home/Maildir\n"
    f"mail_uid = {uid}\n"
    f"mail_gid = {gid}\n"
    "first_valid_uid = 1\n"
    "import_environment {\n  USER = alice\n  HOME = /home\n}\n"
)
# Started without a login program before it, imap serves stdin and greets with PREAUTH.
server = subprocess.Popen(
    [*enter, "/usr/lib/dovecot/imap", "-c", "/conf"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
)


def read():
    line = server.stdout.readline().decode().rstrip()
    if not line:
        sys.exit("imap has gone")
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


def search(keys):
    """The sequence numbers that are found."""
    lines = command("SEARCH " + keys)
    print(f"SEARCH {keys}\n    {lines[0]}; {re.sub(r' [(].*', '', lines[-1])}")
    return [int(number) for number in lines[0].split()[2:]]


print(read().partition(" [CAPABILITY ")[0])
for flags, subject in (
    ("", "neither"),
    ("\\Seen", "apple"),
    ("\\Flagged", "pear"),
    ("\\Seen \\Flagged", "apple pear"),
):
    message = f"Subject: {subject}\r\n\r\nhello\r\n"
    command(f"APPEND INBOX ({flags}) {{{len(message)}}}", message)
command("SELECT INBOX")
for message in command("FETCH 1:* (FLAGS)")[:-1]:
    print(message)

APPLE, PEAR = "SUBJECT apple", "SUBJECT pear"
right = [
    search("OR SEEN FLAGGED"),
    search("OR FLAGGED SEEN"),
    search("OR SEEN FLAGGED OR SEEN FLAGGED"),
    search(f"OR {APPLE} {PEAR}"),
]
wrong = [
    search("OR SEEN FLAGGED OR FLAGGED SEEN"),
    search("OR SEEN FLAGGED UNDRAFT OR FLAGGED SEEN"),
    search(f"OR {APPLE} {PEAR} OR {PEAR} {APPLE}"),
]
say("a LOGOUT")
server.stdin.close()
server.wait(30)

if any(found != [2, 3, 4] for found in right):
    sys.exit("The set-up is wrong: one OR must find all but the first message")
if any(found != [1, 2, 3, 4] for found in wrong):
    sys.exit("No longer so: (A or B) and (B or A) does not find every message")
END
