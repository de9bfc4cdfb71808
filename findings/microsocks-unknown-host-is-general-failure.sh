#!/usr/bin/env bash
# microsocks answers a host name that does not exist with "general failure".
#
# One would guess: when the proxy resolves the name (address type 3) and there is no such host,
#   the reply is 4, host unreachable; microsocks does tell causes apart, for a refused connection is
#   reply 5.
# What happens: reply 1, general SOCKS server failure, as if the proxy itself were out of order.
# Versions: microsocks 1.0.3 (Debian 12: 1.0.3-2).
# Source: RFC 1928, 6 (Replies).
# Date: 2026-11-30
# What our users would meet: a mistyped server name behind this proxy looks like a broken proxy;
#   a client cannot say "no such host" by the reply, nor decide by it whether to try again.
set -euo pipefail

work=$(mktemp -d)
proxy=
trap '[ -z "$proxy" ] || kill "$proxy" 2> "$work/kill" || true; rm -rf "$work"' EXIT

cd "$work"
apt-get -q -o APT::Sandbox::User=root download microsocks > apt.log
dpkg -x microsocks_*.deb root
echo "microsocks $(dpkg-deb -f microsocks_*.deb Version)"

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
root/usr/bin/microsocks -i 127.0.0.1 -p "$port" > log 2>&1 &
proxy=$!

python3 - "$port" <<'END'
import socket
import sys
import time

PORT = int(sys.argv[1])
WORDS = {0: "succeeded", 1: "general SOCKS server failure", 4: "host unreachable", 5: "refused"}


def connect():
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", PORT), timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit("microsocks did not start")


def ask(host, port):
    """Ask for host, by name, and return the reply's code."""
    with connect() as s, s.makefile("rb") as answer:
        s.sendall(b"\x05\x01\x00")
        if answer.read(2) != b"\x05\x00":
            sys.exit("microsocks wants a login, which was not configured")
        name = host.encode()
        s.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
        reply = answer.read(4)[1]
    print(f"CONNECT to {host}: reply {reply}, {WORDS.get(reply, 'other')}")
    return reply


with socket.create_server(("127.0.0.1", 0)) as target:
    if ask("127.0.0.1", target.getsockname()[1]) != 0:
        sys.exit("The set-up is wrong: a listening port must be reached")
# Bound but not listening: nobody else can take the port, and a connection to it is refused.
with socket.socket() as closed:
    closed.bind(("127.0.0.1", 0))
    if ask("127.0.0.1", closed.getsockname()[1]) != 5:
        sys.exit("The set-up is wrong: a closed port must be reply 5")
try:
    socket.getaddrinfo("no-such-host.invalid", 143)
except socket.gaierror as error:
    print("getaddrinfo:", error)
    if error.errno != socket.EAI_NONAME:
        sys.exit("The set-up is wrong: this machine's resolver does not say that there is no such host")
if ask("no-such-host.invalid", 143) != 1:
    sys.exit("No longer so: an unknown host is not answered by reply 1")
END
