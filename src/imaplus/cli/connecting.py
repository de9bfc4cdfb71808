"""Connect and log in, from the options of the command line.

It maps options to arguments of `imaplus.Client.connect`; `demo:` is the embedded server.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from imaplus import Client, CommandError, ConnectionLost, Security, Timeouts, Tls, TlsFailed
from imaplus.cli.address import Address, parse_address
from imaplus.cli.embedded import embedded_server
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.output import Console
from imaplus.cli.secrets import Kind, Source, find_secret, terminal_prompt
from imaplus.credentials import Anonymous, BearerToken, External, Password
from imaplus.records import replace

if TYPE_CHECKING:
    from imaplus.mirror.link import Link
    from imaplus.testing import Server

SECURITY = {"tls": Security.TLS, "starttls": Security.STARTTLS, "plain": Security.PLAIN}
Credentials = Password | BearerToken | External | Anonymous
Trace = Callable[[str, bytes], object]
"""Called with each line sent or received: "C" or "S", and the bytes without the line end."""
CRLF = b"\r\n"
LATER = "Run the same command again later: a backup continues where it stopped."
PORTS = {"tls": 993, "starttls": 143, "plain": 143}


def address_of(args: argparse.Namespace) -> Address:
    """Return the account that the arguments name.

    Raises: Stop, exit code 2 or 3.
    """
    return parse_address(args.account, host=args.host, user=args.user)


def security_of(address: Address, args: argparse.Namespace) -> str:
    """Return the key of `SECURITY` to use."""
    return args.security or ("starttls" if address.scheme == "imap" else "tls")


def port_of(address: Address, args: argparse.Namespace) -> int:
    """Return the port to connect to."""
    port: int = args.port or address.port or PORTS[security_of(address, args)]
    return port


@contextmanager
def open_client(address: Address, args: argparse.Namespace, console: Console) -> Iterator[Client]:
    """Connect and log in; log out at the end of the block.

    Raises: Stop for a missing secret; ImapError for everything else.
    """
    with (
        prepare_connect(address, args, console) as connect,
        connect_first(connect, address, args) as client,
    ):
        try:
            yield client
        except KeyboardInterrupt:
            client.close()  # LOGOUT would wait for the pending responses
            raise


@contextmanager
def open_link(address: Address, args: argparse.Namespace, console: Console) -> Iterator[Link]:
    """Connect a link, which reconnects by itself; log out at the end of the block.

    Raises: as `open_client`.
    """
    from imaplus.mirror.link import Link

    with (
        prepare_connect(address, args, console) as connect,
        Link(connect, connect_first(connect, address, args)) as link,
    ):
        try:
            yield link
        except KeyboardInterrupt:
            link.close()  # LOGOUT would wait for the pending responses
            raise
        except ConnectionLost as error:
            if not link.reconnects or error.bye is not None or isinstance(error, TlsFailed):
                raise
            what = f"the connection was lost, and imaplus could not reconnect: {error}"
            raise Stop(Exit.TEMPORARY, what, hint=LATER) from error


def connect_first(
    connect: Callable[[], Client], address: Address, args: argparse.Namespace
) -> Client:
    """Make the first connection; an error suggests what to try."""
    try:
        return connect()
    except CommandError as error:
        raise name_account(error, address) from error
    except ConnectionLost as error:
        folder = address.folder or ""
        if address.scheme == "address" and folder.isdecimal() and not args.port:
            hint = f"':{folder}' is taken as a mailbox. If it is the port, use --port {folder}."
            raise Stop(Exit.TEMPORARY, str(error), hint=hint) from error
        security = security_of(address, args)
        if address.host is None or not is_wrong_security(error, security):
            raise
        port = port_of(address, args)
        code = Exit.REFUSED if isinstance(error, TlsFailed) else Exit.TEMPORARY
        what = f"{address.host}, port {port}: {error}"
        raise Stop(code, what, hint=suggest_security(security, port)) from error


def name_account(error: CommandError, address: Address) -> Exception:
    """Return the error; a refused login gets the user and the server in its message."""
    from imaplus.cli.explain import explain  # only needed for errors

    failure = explain(error)
    if failure.exit is not Exit.AUTHENTICATION or address.user is None:
        return error
    message = f"{failure.message} of {address.user} at {address.host}"
    stop = Stop(failure.exit, message, hint=failure.hint)
    stop.failure = replace(stop.failure, server=failure.server)
    return stop


@contextmanager
def prepare_connect(
    address: Address, args: argparse.Namespace, console: Console
) -> Iterator[Callable[[], Client]]:
    """Return a function that connects and logs in; it may be called until the block ends.

    The user is asked for the secret once.

    Raises: Stop for a missing secret; the function raises ImapError for everything else.
    """
    with ExitStack() as stack:
        trace = None if args.trace is None else stack.enter_context(record_trace(args.trace))
        if address.host is None:
            server = stack.enter_context(embedded_server())
            yield lambda: connect_embedded(server, trace=trace)
            return
        security = security_of(address, args)
        credentials, mechanisms = credentials_for(address, args.secret, args.mechanism)
        if security == "plain":
            console.warn("--security plain: password and mail travel unprotected")
        wait = args.timeout
        port = port_of(address, args)
        yield partial(
            Client.connect,
            address.host,
            port,
            credentials=credentials,
            mechanisms=mechanisms,
            security=SECURITY[security],
            tls=Tls(ca_file=args.ca_file),
            timeouts=Timeouts(connect=wait, greeting=wait, silence=wait) if wait else Timeouts(),
            trace=trace,
            proxy=args.proxy or proxy_for(address.host, port, os.environ),
        )


def is_wrong_security(error: ConnectionLost, security: str) -> bool:
    """Whether the server may expect another `--security`."""
    if isinstance(error, TlsFailed):
        import ssl  # imported already

        cause = error.__cause__
        is_about_trust = isinstance(cause, ssl.SSLCertVerificationError)
        return security == "tls" and isinstance(cause, OSError) and not is_about_trust
    if "TLS handshake" in str(error):
        return security == "tls"
    return "greeting" in str(error) and error.bye is None


def suggest_security(security: str, port: int) -> str:
    """Return a hint to try another `--security` or port."""
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
    """Connect to the embedded server, without TLS."""
    credentials = Password(server.user, server.password)
    return Client.connect(
        server.host, server.port, credentials=credentials, security=Security.PLAIN, trace=trace
    )


TOKENS = frozenset({"XOAUTH2", "OAUTHBEARER"})


def credentials_for(
    address: Address, source: Source | None, wanted: Sequence[str] = ()
) -> tuple[Credentials, tuple[str, ...] | None]:
    """Return the credentials, and the mechanisms of --mechanism or `;AUTH=` (RFC 5092, 3.2)."""
    mechanisms = tuple(name.upper() for name in wanted) or None
    if mechanisms is None and address.mechanism not in (None, "*"):
        mechanisms = (address.mechanism,)
    if mechanisms == ("ANONYMOUS",):
        return Anonymous(address.user or "anonymous"), mechanisms
    if mechanisms == ("EXTERNAL",):
        return External(address.user or ""), mechanisms
    if address.user is None:
        raise Stop(
            Exit.USAGE,
            "no user name given",
            hint="Put it into the URL (imaps://ada@...), or use --user.",
        )
    kind, secret = find_secret(
        source,
        what=f"{address.user} at {address.host}",
        environ=os.environ,
        stdin=sys.stdin.buffer,
        prompt=terminal_prompt(),
    )
    if mechanisms and TOKENS.issuperset(mechanisms) and kind is Kind.PASSWORD:
        hint = "Give it with --token-command, --token-file, --token-env or --token-stdin."
        what = f"{mechanisms[0]} needs a token, not a password"
        raise Stop(Exit.AUTHENTICATION, what, hint=hint)
    if kind is Kind.TOKEN:
        return BearerToken(address.user, secret), mechanisms
    return Password(address.user, secret), mechanisms


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> str | None:
    """Return the proxy for a server from ALL_PROXY; None on this machine or if NO_PROXY matches.

    The lower-case variables take precedence, as in curl.
    """
    url = environ.get("all_proxy") or environ.get("ALL_PROXY")
    if not url or _is_loopback(host):
        return None
    but = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if any(_names(each.strip().lower(), host.lower().rstrip("."), port) for each in but.split(",")):
        return None
    return url if "://" in url else f"http://{url}"


def _names(pattern: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY matches a host: `*`, a domain, an address, a network."""
    if pattern == "*":
        return True
    name, colon, number = pattern.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
        pattern = name
    pattern = pattern.strip("[]").lstrip(".").rstrip(".")
    if not pattern:
        return False
    if host == pattern or host.endswith(f".{pattern}"):
        return True
    if "/" not in pattern:
        return False
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    name = host.lower().rstrip(".")
    return (
        name in ("localhost", "::1")
        or name.endswith(".localhost")
        or re.fullmatch(r"127\.[0-9]+\.[0-9]+\.[0-9]+", name) is not None
    )


TAG = rb"\A[0-9A-F]{4}-(?=[0-9]+ )"


@contextmanager
def record_trace(path: os.PathLike[str]) -> Iterator[Trace]:
    """Open a trace file that only the user may read; return the function that writes to it.

    The format is that of the transcripts of `imaplus.testing`, so that a trace can be used as a
    test: `C: a line`, or `C= b"bytes"`, with `$7` for the tag of the seventh command.
    """
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", buffering=1, encoding="ascii") as file:

        def record(side: str, line: bytes) -> None:
            line = re.sub(TAG, b"$", line)
            if line.isascii() and line.decode("ascii").isprintable():
                file.write(f"{side}: {line.decode('ascii')}\n")
            else:
                file.write(f"{side}= {line + CRLF!r}\n")

        yield record
