#!/usr/bin/env bash
# Dovecot 2.4 with UTF8=ACCEPT keeps mailbox names in modified UTF-7 and refuses UTF-8.
#
# One would guess: once ENABLE UTF8=ACCEPT is granted, mailbox names are UTF-8: LIST tells them so,
#   and CREATE, SELECT and STATUS take them so.
# What happens: LIST and STATUS still tell modified UTF-7, as without ENABLE.  A name in UTF-8 is
#   refused, "Mailbox name is not valid mUTF-7"; so is "Q&A" as plain text.  Only LIST takes UTF-8,
#   as its pattern, and tells modified UTF-7 of what it finds.  Names in modified UTF-7 work still.
# Versions: Dovecot 2.4.1 (Debian 13: dovecot-imapd 1:2.4.1+dfsg1-6+deb13u7) with
#   mail_utf8_extensions = yes, without which it does not offer UTF8=ACCEPT.
# Source: RFC 9755, 3, as RFC 6855, 3: servers should accept UTF-8 in mailbox names, those that know
#   modified UTF-7 must.  How LIST tells names, it does not say in so many words.  Dovecot's NEWS
#   for 2.4.0 calls its UTF8=ACCEPT experimental.
# Date: 2026-11-30
# What our users would meet: a client that goes by ENABLED cannot open Entwürfe, shows it as
#   Entw&APw-rfe, and cannot create a mailbox whose name has an umlaut or an ampersand.
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
    "mail_utf8_extensions = yes\n"
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


def command(text):
    """Send a command, show and return the lines of its answer."""
    say("a " + text)
    print(f"C: {text}")
    lines = []
    while not lines or not lines[-1].startswith("a "):
        lines.append(re.sub(r" [(][\d.+ ]+ secs[)]", "", read()))
        print(f"S: {lines[-1]}")
    return lines


def refused(text):
    """Whether the name is refused for its encoding."""
    return command(text)[-1].startswith("a NO Mailbox name is not valid mUTF-7")


OLD = "Entw&APw-rfe"  # Entwürfe in modified UTF-7
greeting = read()
print(greeting.partition(" [CAPABILITY ")[0])
if "UTF8=ACCEPT" not in greeting:
    sys.exit("The set-up is wrong: UTF8=ACCEPT is not offered")
command(f'CREATE "{OLD}"')
before = command('LIST "" "*"')
if "* ENABLED UTF8=ACCEPT" not in command("ENABLE UTF8=ACCEPT"):
    sys.exit("The set-up is wrong: UTF8=ACCEPT is not granted")
after = command('LIST "" "*"')
pattern = command('LIST "" "Entwürfe"')
opened = [refused('STATUS "Entwürfe" (MESSAGES)'), refused('SELECT "Entwürfe"')]
created = [refused('CREATE "Müll"'), refused('CREATE "Q&A"')]
old = [command(f'STATUS "{OLD}" (MESSAGES)'), command('CREATE "M&APw-ll"')]
say("a LOGOUT")
server.stdin.close()
server.wait(30)

if not any(line.endswith(f" {OLD}") for line in before):
    sys.exit("The set-up is wrong: without UTF8=ACCEPT names are modified UTF-7")
if before != after:
    sys.exit("No longer so: UTF8=ACCEPT changes how LIST tells names")
if not any(line.endswith(f" {OLD}") for line in pattern):
    sys.exit("No longer so: LIST does not answer a pattern in UTF-8 by modified UTF-7")
if not all(opened):
    sys.exit("No longer so: STATUS or SELECT takes a name in UTF-8")
if not all(created):
    sys.exit("No longer so: CREATE takes a name in UTF-8")
if not all(lines[-1].startswith("a OK") for lines in old):
    sys.exit("No longer so: names in modified UTF-7 are refused")
END
