"""Parse the accounts that users write.

    ada@example.org[:FOLDER]                an address; its server is imap.example.org
    imap[s]://ada@imap.example.org/FOLDER   a URL (RFC 5092)
    demo:[FOLDER]                           the embedded server with the sample mailbox

A password in any of them is refused, because every process of the machine could see it. Error
messages do not repeat an invalid URL or address, because it may contain a password.
"""

from __future__ import annotations

import re
from typing import Literal

from imaplus.cli.errors import Exit, Stop
from imaplus.records import record, replace

_NO_PASSWORD = (
    "Leave the password out: imaplus asks for it, or takes it from IMAPLUS_PASSWORD, "
    "--password-command, --password-file or --password-stdin."
)
_FORMS = "Write ada@example.org, imaps://ada@imap.example.org/ or demo: (see imaplus --help)."

# Compiled on first use; one run needs few of them.
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST_NAME = rf"(?a)(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?"
_INTERNATIONAL = r"(?:[^\W_][\w-]*\.)*[^\W_][\w-]*\.?"
_BAD_ESCAPE = r"%(?![0-9A-Fa-f]{2})"
_MECHANISM = r"[A-Z0-9_-]{1,20}"  # RFC 4422, 3.1


@record
class Address:
    """A server and a user; `host` is None for the embedded server.

    `scheme` is the form that was written; it decides between TLS and STARTTLS, and the port.
    `mechanism` is `;AUTH=` of RFC 5092, `folder` the mailbox after the account; both may be None.
    """

    scheme: Literal["address", "imap", "imaps", "demo"]
    host: str | None = None
    port: int | None = None
    user: str | None = None
    mechanism: str | None = None
    folder: str | None = None
    uidvalidity: int | None = None

    @property
    def account(self) -> str:
        """The account for display: `ada@example.org`, `ada@imap.example.org`."""
        if self.host is None:
            return "demo"
        if self.user is None:
            return self.host
        return self.user if "@" in self.user else f"{self.user}@{self.host}"

    def url(self) -> str:
        """Return the equivalent URL (RFC 5092, 2)."""
        if self.host is None:
            return f"demo:{self.folder or ''}"
        user = "" if self.user is None else _quote(self.user, "!$'()*+,&=")
        auth = "" if self.mechanism is None else f";AUTH={_quote(self.mechanism, '*')}"
        at = f"{user}{auth}@" if user or auth else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        # After a port without a user, "@" would make the text before it look like a password.
        safe = "!$'()*+,&=:/" if port and not at else "!$'()*+,&=:@/"
        folder = "" if self.folder is None else _quote(self.folder, safe)
        validity = "" if self.uidvalidity is None else f";UIDVALIDITY={self.uidvalidity}"
        scheme = "imap" if self.scheme == "imap" else "imaps"
        return f"{scheme}://{at}{host}{port}/{folder}{validity}"


def is_address(text: str) -> bool:
    """Whether `text` is an account, not a folder on disk.

    `./ada@example.org` and `/mail/ada@example.org` are folders; `ada@example.org` never is.
    """
    if text.startswith((".", "/", "~")):
        return False
    return "://" in text or "@" in text or ":" in text


def parse_address(text: str, *, host: str | None = None, user: str | None = None) -> Address:
    """Parse an account; the options `host` and `user` override its parts.

    Raises: Stop with exit code 2, or 3 for an unknown name of an account.
    """
    if "\0" in text or "\r" in text or "\n" in text:
        raise _wrong("a line break or NUL cannot be part of an account")
    if "://" in text:
        address = _parse_url(text)
    elif text[:5].lower() == "demo:":
        return Address("demo", folder=text[5:] or None)
    else:
        address = _parse_mail_address(text)
    server = address.host if host is None else parse_host(host)
    return replace(address, host=server, user=user or address.user)


def parse_host(text: str) -> str:
    """Check and return a host name or IP address; an IPv6 address may be in brackets.

    Raises: Stop with exit code 2.
    """
    bracketed = text[:1] == "[" and text[-1:] == "]"
    literal = text[1:-1] if bracketed else text
    if ":" in literal:
        from ipaddress import IPv6Address  # slow to import

        try:
            return str(IPv6Address(literal))
        except ValueError:
            raise _wrong("the server is not a host name or IP address") from None
    pattern = _HOST_NAME if text.isascii() else _INTERNATIONAL
    if bracketed or not re.fullmatch(pattern, text):
        raise _wrong("the server is not a host name or IP address")
    return text


def _parse_mail_address(text: str) -> Address:
    local, at, rest = text.partition("@")
    if ":" in local:
        # "work:@inbox" is the name of an account; "ada:secret@example.org" contains a password,
        # so the error does not repeat the text after the colon.
        name, _, folder = local.partition(":")
        if at and folder:
            raise Stop(Exit.USAGE, "a password cannot be part of an address", hint=_NO_PASSWORD)
        raise Stop(Exit.NOT_FOUND, f"there is no account {name!r}", hint=_FORMS)
    if not at or not local:
        raise _wrong("the account is neither an address nor a URL")
    end = rest.find("]") + 1 if rest.startswith("[") else 0
    colon = rest.find(":", end)
    domain, folder = (rest, "") if colon < 0 else (rest[:colon], rest[colon + 1 :])
    if "@" in domain:
        raise _wrong("an address has one '@'")
    host = parse_host(domain)
    # The most common name of a server; TLS verifies it.
    itself = domain.startswith("[") or "." not in domain.rstrip(".") or _is_ipv4(domain)
    user = f"{local}@{domain}"
    return Address("address", host if itself else f"imap.{host}", user=user, folder=folder or None)


def _parse_url(text: str) -> Address:
    # imapurl = "imap://" iserver ipath-query; "imaps" is its sibling for TLS from the first octet
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme not in ("imap", "imaps"):
        raise _wrong("a URL starts with imap:// or imaps://")
    server, _, path = rest.partition("/")
    info, at, where = server.rpartition("@")
    # imap://ada:se/cret@host/ has its '@' in the path: that is no host "ada" with a port
    outside = where.rpartition("]")[2]  # an IPv6 address has colons of its own
    if ":" in info or (not at and ":" in outside and "@" in path):
        raise Stop(Exit.USAGE, "a password cannot be part of a URL", hint=_NO_PASSWORD)
    user, auth, mechanism = info.partition(";")
    if auth and mechanism[:5].upper() != "AUTH=":
        raise _wrong("only ;AUTH= can follow the user of a URL")
    named = _decode(mechanism[5:]).upper() if auth else None
    if named is not None and named != "*" and not re.fullmatch(_MECHANISM, named):
        raise _wrong("what follows ;AUTH= is not the name of a mechanism")
    if at and not user and not auth:
        raise _wrong("there is no user before the '@' of the URL")
    host, port = _host_and_port(where)
    folder, uidvalidity = _mailbox(path)
    return Address(
        "imap" if scheme == "imap" else "imaps",
        parse_host(host),
        port,
        _decode(user) or None,
        named,
        folder,
        uidvalidity,
    )


def _host_and_port(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text, None
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise _wrong("the port of the URL is not a number from 1 to 65535")
    return host, int(port)


def _mailbox(path: str) -> tuple[str | None, int | None]:
    # imailbox-ref = enc-mailbox [uidvalidity]; enc-mailbox holds no ";" and no "?"
    if "?" in path:
        raise _wrong("a URL with a search does not name a mailbox")
    name, *parameters = path.split(";")
    uidvalidity = None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.upper() != "UIDVALIDITY":
            raise _wrong("the URL names a message or a part; this needs an account or a mailbox")
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) > 0):
            raise _wrong("UIDVALIDITY of the URL is not a number")
        uidvalidity = int(value)
    return _decode(name) or None, uidvalidity


def _decode(text: str) -> str:
    if re.search(_BAD_ESCAPE, text):
        raise _wrong("a '%' of the URL is not followed by two hexadecimal digits")
    decoded = text
    if "%" in text or not text.isascii():
        from urllib.parse import unquote_to_bytes  # slow to import

        try:
            decoded = unquote_to_bytes(text).decode()
        except UnicodeError:
            raise _wrong("the percent-encoded bytes of the URL are not UTF-8") from None
    if "\0" in decoded or "\r" in decoded or "\n" in decoded:
        raise _wrong("a line break or NUL cannot be part of a URL")
    return decoded


def _quote(text: str, safe: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._-]*", text):
        return text
    from urllib.parse import quote

    return quote(text, safe=safe)


def _is_ipv4(text: str) -> bool:
    return re.fullmatch(r"\d+\.\d+\.\d+\.\d+", text, re.ASCII) is not None


def _wrong(message: str) -> Stop:
    return Stop(Exit.USAGE, message, hint=_FORMS)
