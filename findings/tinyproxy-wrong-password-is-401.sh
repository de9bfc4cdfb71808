#!/usr/bin/env bash
# tinyproxy answers wrong proxy credentials with 401 and an origin server's challenge.
#
# One would guess: a CONNECT with credentials that the proxy does not accept is answered as one
#   without any: 407 and Proxy-Authenticate.
# What happens: without credentials, 407 and Proxy-Authenticate; with a wrong password, 401 and
#   WWW-Authenticate, which belong to an origin server, although none was asked.
# Versions: tinyproxy 1.11.1 (Debian 12: 1.11.1-2.1+deb12u1).
# Source: RFC 9110, 15.5.8 (407), 11.7.1 (Proxy-Authenticate), 15.5.2 (401).
# Date: 2026-11-30
# What our users would meet: a client that knows a refused proxy login by 407 alone reports a
#   mistyped proxy password as an unreachable mail server, or as a login that the mail server
#   refused, and may try again where it should ask for the password.
set -euo pipefail

work=$(mktemp -d)
proxy=
trap '[ -z "$proxy" ] || kill "$proxy" 2> "$work/kill" || true; rm -rf "$work"' EXIT

cd "$work"
apt-get -q -o APT::Sandbox::User=root download tinyproxy-bin > apt.log
dpkg -x tinyproxy-bin_*.deb root
echo "tinyproxy-bin $(dpkg-deb -f tinyproxy-bin_*.deb Version)"

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '%s\n' "Listen 127.0.0.1" "Port $port" "Allow 127.0.0.1" "BasicAuth alice right" > conf
root/usr/bin/tinyproxy -d -c conf > log 2>&1 &
proxy=$!

python3 - "$port" <<'END'
import base64
import socket
import sys
import time

PORT = int(sys.argv[1])


def connect():
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", PORT), timeout=10)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit("tinyproxy did not start")


def ask(target, password=None):
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if password is not None:
        kept = base64.b64encode(f"alice:{password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {kept}")
    with connect() as s, s.makefile("rb") as answer:
        s.sendall("\r\n".join([*lines, "", ""]).encode())
        head = []
        while line := answer.readline().decode().strip():
            head.append(line)
    shown = [head[0], *(line for line in head if "authenticate:" in line.lower())]
    return head[0].split()[1], " | ".join(shown)


with socket.create_server(("127.0.0.1", 0)) as target:
    address = "127.0.0.1:%d" % target.getsockname()[1]
    none, wrong, right = ask(address), ask(address, "wrong"), ask(address, "right")
print("no password:   ", none[1])
print("wrong password:", wrong[1])
print("right password:", right[1])
if right[0] != "200" or none[0] != "407":
    sys.exit("The set-up is wrong: the right password must give 200, and none 407")
if wrong[0] != "401" or "WWW-Authenticate" not in wrong[1]:
    sys.exit("No longer so: a wrong password is not answered by 401 and WWW-Authenticate")
END
