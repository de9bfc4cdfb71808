"""From an account to a client that is logged in.

It is the one place of the command line that connects: it knows which option becomes which
argument of `imaplus.Client.connect`, and that `demo:` means a server of our own.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from imaplus import (
    Anonymous,
    BearerToken,
    Client,
    ConnectionLost,
    External,
    Password,
    Security,
    Timeouts,
    Tls,
    TlsFailed,
)
from imaplus.cli.address import Address, parse_address
from imaplus.cli.embedded import embedded_server
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.output import Console
from imaplus.cli.secrets import Kind, Source, find_secret, terminal_prompt

if TYPE_CHECKING:
    from imaplus.testing import Server

SECURITY = {"tls": Security.TLS, "starttls": Security.STARTTLS, "plain": Security.PLAIN}
Credentials = Password | BearerToken | External | Anonymous
Trace = Callable[[str, bytes], object]
"""Told each line of the dialogue: "C" or "S", and the octets without the line's end."""
CRLF = b"\r\n"
PORTS = {"tls": 993, "starttls": 143, "plain": 143}


def address_of(args: argparse.Namespace) -> Address:
    """The account that the arguments name.

    Raises: Stop, exit code 2 or 3.
    """
    return parse_address(args.account, host=args.host, user=args.user)


@contextmanager
def connected(address: Address, args: argparse.Namespace, console: Console) -> Iterator[Client]:
    """A client that is logged in, for as long as the block runs.

    Raises: Stop for a secret that is missing; ImapError for everything else.
    """
    with ExitStack() as stack:
        trace = None if args.trace is None else stack.enter_context(traced(args.trace))
        if address.host is None:
            server = stack.enter_context(embedded_server())
            yield stack.enter_context(connect_embedded(server, trace=trace))
            return
        security = args.security or ("starttls" if address.scheme == "imap" else "tls")
        credentials, mechanisms = credentials_for(address, args.secret)
        if security == "plain":
            console.warn("--security plain: password and mail travel unprotected")
        port, wait = args.port or address.port or PORTS[security], args.timeout
        try:
            client = Client.connect(
                address.host,
                port,
                credentials=credentials,
                mechanisms=mechanisms,
                security=SECURITY[security],
                tls=Tls(ca_file=args.ca_file),
                timeouts=Timeouts(connect=wait, greeting=wait, silence=wait)
                if wait
                else Timeouts(),
                trace=trace,
            )
        except ConnectionLost as error:
            if not spoke_otherwise(error, security):
                raise
            exit = Exit.REFUSED if isinstance(error, TlsFailed) else Exit.TEMPORARY
            what = f"{address.host}, port {port}: {error}"
            raise Stop(exit, what, hint=other_way(security, port)) from error
        try:
            yield stack.enter_context(client)
        except KeyboardInterrupt:
            client.close()  # nobody waits for LOGOUT any more
            raise


def spoke_otherwise(error: ConnectionLost, security: str) -> bool:
    """Whether a server was there, and may have waited for TLS, or for the absence of it."""
    if isinstance(error, TlsFailed):
        import ssl  # where TLS has failed, it is loaded

        cause = error.__cause__
        is_about_trust = isinstance(cause, ssl.SSLCertVerificationError)
        return security == "tls" and isinstance(cause, OSError) and not is_about_trust
    if "TLS handshake" in str(error):
        return security == "tls"
    return "greeting" in str(error) and error.bye is None


def other_way(security: str, port: int) -> str:
    """What to try where a server does not say a word that makes sense."""
    if security == "tls":
        if port == PORTS["starttls"]:
            return "On port 143, TLS begins after STARTTLS: try --security starttls, or --port 993."
        return (
            f"Check --host and --port. If TLS on port {port} begins after STARTTLS, as it does "
            "on 143, try --security starttls."
        )
    if port == PORTS["tls"]:
        return "On port 993, TLS comes first: try --security tls."
    return (
        f"Check --host and --port. If TLS comes first on port {port}, as it does on 993, try "
        "--security tls. A slow server may need more --timeout."
    )


def connect_embedded(server: Server, *, trace: Trace | None = None) -> Client:
    """A client of the embedded server; it talks to itself, so nothing needs protection."""
    credentials = Password(server.user, server.password)
    return Client.connect(
        server.host, server.port, credentials=credentials, security=Security.PLAIN, trace=trace
    )


def credentials_for(
    address: Address, source: Source | None
) -> tuple[Credentials, tuple[str, ...] | None]:
    """Who to log in as with what proof, and the mechanisms that `;AUTH=` allows (RFC 5092, 3.2)."""
    mechanisms = (address.mechanism,) if address.mechanism not in (None, "*") else None
    if address.mechanism == "ANONYMOUS":
        return Anonymous(address.user or "anonymous"), mechanisms
    if address.mechanism == "EXTERNAL":
        return External(address.user or ""), mechanisms
    if address.user is None:
        raise Stop(Exit.USAGE, "say who to log in as", hint="Put ada@ into the URL, or use --user.")
    kind, secret = find_secret(
        source,
        what=f"{address.user} at {address.host}",
        environ=os.environ,
        stdin=sys.stdin.buffer,
        prompt=terminal_prompt(),
    )
    if address.mechanism in ("XOAUTH2", "OAUTHBEARER") and kind is Kind.PASSWORD:
        hint = "Give it with --token-command, --token-file, --token-env or --token-stdin."
        what = f"{address.mechanism} needs a token, not a password"
        raise Stop(Exit.AUTHENTICATION, what, hint=hint)
    if kind is Kind.TOKEN:
        return BearerToken(address.user, secret), mechanisms
    return Password(address.user, secret), mechanisms


TAG = rb"\A[0-9A-F]{4}-(?=[0-9]+ )"


@contextmanager
def traced(path: os.PathLike[str]) -> Iterator[Trace]:
    """A recorder of the dialogue into a file that only the user may read.

    The form is that of the transcripts of `imaplus.testing`: `C: a line`, or `C= b"octets"`, with
    `$7` for the tag of the seventh command. So a trace can be played again, as a test.
    """
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", buffering=1, encoding="ascii") as file:

        def record(side: str, octets: bytes) -> None:
            octets = re.sub(TAG, b"$", octets)
            if octets.isascii() and octets.decode("ascii").isprintable():
                file.write(f"{side}: {octets.decode('ascii')}\n")
            else:
                file.write(f"{side}= {octets + CRLF!r}\n")

        yield record
