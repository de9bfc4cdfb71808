#!/usr/bin/env bash
# Cyrus announces SCRAM-SHA-256-PLUS under TLS 1.3 and refuses tls-exporter.
#
# One would guess: a server that announces AUTH=SCRAM-SHA-256-PLUS on a connection has the channel
#   binding that goes with it: under TLS 1.3 that is tls-exporter.
# What happens: under TLS 1.3 it announces -PLUS as under TLS 1.2, and a login that is rightly bound
#   by tls-exporter, or by tls-server-end-point, ends with "NO bad protocol / cancel".  It knows
#   tls-unique only, which is not defined for TLS 1.3.  SCRAM-SHA-256 without -PLUS logs in.
# Versions: Cyrus IMAP 3.6.1 with Cyrus SASL 2.1.28 (Debian 12: cyrus-imapd 3.6.1-4+deb12u5,
#   libsasl2-modules 2.1.28+dfsg-10+deb12u1), OpenSSL 3.0.  Cyrus IMAP 3.10.1 of backports, tried
#   by hand, does the same; Dovecot 2.4.1 takes tls-exporter.
# Source: RFC 9266, 3 (SCRAM under TLS 1.3: tls-exporter in place of tls-unique), RFC 5802, 6.1;
#   RFC 8446, C.5 (the older channel bindings are not defined for TLS 1.3).
# Date: 2026-11-30
# What our users would meet: a client that picks the strongest announced mechanism, and binds as TLS
#   1.3 wants it, cannot log in with the right password, and is told nothing of the reason.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cd "$work"
apt-get -q -o APT::Sandbox::User=root download cyrus-common cyrus-imapd libdb5.3 \
    libgssapi-krb5-2 libical3 libicu72 libjansson4 libk5crypto3 libkeyutils1 libkrb5-3 \
    libkrb5support0 libldap-2.5-0 libnsl2 libpcre3 libpq5 libsasl2-2 libsasl2-modules \
    libsasl2-modules-db libsqlite3-0 libssl3 libtirpc3 libwrap0 libxapian30 libxml2 openssl \
    sasl2-bin > apt.log
for package in *.deb; do dpkg -x "$package" root; done
echo "cyrus-imapd $(dpkg-deb -f cyrus-imapd_*.deb Version)," \
    "libsasl2-modules $(dpkg-deb -f libsasl2-modules_*.deb Version)"

python3 - "$work" <<'END'
import base64
import contextlib
import grp
import hashlib
import hmac
import os
import pwd
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

root, home = (Path(sys.argv[1], name) for name in ("root", "home"))
libraries = sorted({str(path.parent) for path in root.glob("usr/lib/**/*.so.*")})
options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
options["env"] = {
    "LD_LIBRARY_PATH": ":".join(libraries),
    "SASL_PATH": str(next(root.glob("usr/lib/*/sasl2"))),
    "OPENSSL_CONF": str(root / "usr/lib/ssl/openssl.cnf"),
}
uid, gid = os.geteuid(), os.getegid()
home.mkdir()
if uid == 0:  # Cyrus does not serve mail as root
    uid = gid = 65534
    options |= {"user": uid, "group": gid, "extra_groups": []}
    os.chown(home, uid, gid)


def run(*words, **more):
    subprocess.run(words, check=True, **options, **more)


run("mkdir", *(home / name for name in "db lock log proc quota socket spool user".split()))
subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
files = ("-keyout", home / "key", "-out", home / "certificate")
openssl = root / "usr/bin/openssl"
run(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files)
account = ("-c", "-p", "-f", home / "sasldb", "-u", "localhost", "alice")
run(root / "usr/sbin/saslpasswd2", *account, input=b"secret")
with socket.create_server(("127.0.0.1", 0)) as s:
    port = s.getsockname()[1]
(home / "imapd.conf").write_text(
    f"configdirectory: {home}\npartition-default: {home}/spool\ndefaultpartition: default\n"
    f"cyrus_user: {pwd.getpwuid(uid).pw_name}\ncyrus_group: {grp.getgrgid(gid).gr_name}\n"
    "servername: localhost\nsasl_mech_list: SCRAM-SHA-256\nsasl_pwcheck_method: auxprop\n"
    f"sasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {home}/sasldb\n"
    f"tls_server_cert: {home}/certificate\ntls_server_key: {home}/key\n"
)
programs = root / "usr/lib/cyrus/bin"
(home / "cyrus.conf").write_text(
    f'START {{\n recover cmd="{programs}/ctl_cyrusdb -C {home}/imapd.conf -r"\n}}\n'
    f'SERVICES {{\n imaps cmd="{programs}/imapd -C {home}/imapd.conf -s"'
    f' listen="127.0.0.1:{port}" proto="tcp4" prefork=0\n}}\n'
)
files = ["-C", home / "imapd.conf", "-M", home / "cyrus.conf", "-p", home / "master.pid"]
# It ends its whole process group when it ends: hence a session of its own.
master = subprocess.Popen([programs / "master", *files], start_new_session=True, **options)


def connect(version):
    context = ssl.create_default_context(cafile=str(home / "certificate"))
    context.minimum_version = context.maximum_version = version
    for pause in (0.1,) * 100:
        with contextlib.suppress(ConnectionRefusedError):
            plain = socket.create_connection(("127.0.0.1", port), timeout=60)
            return context.wrap_socket(plain, server_hostname="localhost")
        time.sleep(pause)
    sys.exit("The set-up is wrong: Cyrus did not start")


def exported():
    """A connection by openssl, as Python has no tls-exporter; and the binding (RFC 9266, 2)."""
    words = f"s_client -connect 127.0.0.1:{port} -tls1_3 -ign_eof -keymatexportlen 32"
    words += " -keymatexport EXPORTER-Channel-Binding"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    s = subprocess.Popen([openssl, *words.split()], bufsize=0, **options | pipes)
    for line in s.stdout:
        if b"Keying material: " in line:
            return s, bytes.fromhex(line.split()[-1].decode())
    sys.exit("The set-up is wrong: openssl did not connect")


def log_in(title, lines, write, mechanism, binding=None, data=b""):
    """Log in by SCRAM (RFC 5802), bound by this type and data; whether that is granted."""
    greeting = next(line for line in lines if line.startswith(b"* OK"))
    if f"AUTH={mechanism} " not in greeting.decode():
        sys.exit(f"No longer so: {mechanism} is not announced under {title}")

    def ask(text):
        write(text + b"\r\n")
        return next(line.strip() for line in lines if line.startswith((b"+", b"a ")))

    ask(b"a AUTHENTICATE " + mechanism.encode())
    head = f"p={binding},,".encode() if binding else b"n,,"
    first = b"n=alice,r=" + base64.b64encode(os.urandom(18))
    answer = ask(base64.b64encode(head + first))
    if answer.startswith(b"+ "):
        told = base64.b64decode(answer[2:])
        got = dict(part.split(b"=", 1) for part in told.split(b","))
        last = b"c=" + base64.b64encode(head + data) + b",r=" + got[b"r"]
        key = hashlib.pbkdf2_hmac("sha256", b"secret", base64.b64decode(got[b"s"]), int(got[b"i"]))
        key = hmac.digest(key, b"Client Key", "sha256")
        signed = b",".join((first, told, last))
        mask = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, mask)))
        answer = ask(base64.b64encode(last + b",p=" + proof))
        if answer.startswith(b"+"):
            answer = ask(b"")
    print(f"{title}, {mechanism}, {binding}: {answer.decode().partition(' [CAPABILITY ')[0]}")
    return answer.startswith(b"a OK")


try:
    PLUS = "SCRAM-SHA-256-PLUS"
    with connect(ssl.TLSVersion.TLSv1_2) as s, s.makefile("rb") as lines:
        data = s.get_channel_binding("tls-unique")
        right = log_in("TLS 1.2", lines, s.sendall, PLUS, "tls-unique", data)
    with connect(ssl.TLSVersion.TLSv1_3) as s, s.makefile("rb") as lines:
        right &= log_in("TLS 1.3", lines, s.sendall, "SCRAM-SHA-256")
    with connect(ssl.TLSVersion.TLSv1_3) as s, s.makefile("rb") as lines:
        data = hashlib.sha256(s.getpeercert(binary_form=True)).digest()
        point = log_in("TLS 1.3", lines, s.sendall, PLUS, "tls-server-end-point", data)
    client, data = exported()
    with client:
        exporter = log_in("TLS 1.3", client.stdout, client.stdin.write, PLUS, "tls-exporter", data)
        client.terminate()
finally:
    master.terminate()
    master.wait(30)
if not right:
    sys.exit("The set-up is wrong: the right password must be accepted")
if exporter or point:
    sys.exit("No longer so: under TLS 1.3 more than tls-unique is known")
END
