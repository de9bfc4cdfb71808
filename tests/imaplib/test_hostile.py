"""Hostile servers and arguments: an error or abort, in bounded memory and time."""

from __future__ import annotations

import itertools
import pickle
import re
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from imaplus import imaplib
from imaplus.testing import Authority, Server
from imaplus.wire.frames import Limits

from .scripted import Answer, needs_certificates

CHUNK = 1 << 16
MEBIBYTE = 1 << 20


@contextmanager
def flooded(flood: Callable[[], Iterable[bytes]]) -> Iterator[imaplib.IMAP4]:
    """A client whose server answers its first command with all of this, as long as it reads."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rb") as incoming:
            theirs.sendall(b"* OK hi\r\n")
            tag = incoming.readline().split()[0]
            theirs.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            incoming.readline()
            try:
                for data in flood():
                    theirs.sendall(data)
            except OSError:
                pass  # it has had enough

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    class Client(imaplib.IMAP4):
        def _create_socket(self, timeout: float | None) -> socket.socket:
            return ours

    with ours:
        client = Client("server")
        client.state = "SELECTED"
        yield client
        ours.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@contextmanager
def limited(client: imaplib.IMAP4, limits: Limits) -> Iterator[None]:
    client.limits = limits
    yield


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No more memory than this is taken inside, at any time."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size, f"{peak / MEBIBYTE:.1f} MiB"


def repeated(data: bytes) -> Callable[[], Iterable[bytes]]:
    return lambda: itertools.repeat(data * (CHUNK // len(data) + 1))


def test_an_announced_literal_of_10_gigabytes() -> None:
    """Difference: literal-limit."""
    said = b"* 1 FETCH (BODY[] {10000000000}\r\n"
    with (
        at_most(MEBIBYTE),
        flooded(lambda: [said]) as client,
        pytest.raises(imaplib.IMAP4.abort, match="10000000000 bytes exceeds"),
    ):
        client.fetch("1", "BODY[]")


@pytest.mark.parametrize("digits", [b"9" * 25, b"9" * 10_000])
def test_a_size_of_thousands_of_digits(digits: bytes) -> None:
    with (
        flooded(lambda: [b"* LIST {%b}\r\n" % digits]) as client,
        pytest.raises(imaplib.IMAP4.abort),
    ):
        client.list()


def test_an_announced_literal_is_not_allocated() -> None:
    said = b"* 1 FETCH (BODY[] {200000000}\r\n" + b"x" * 1000
    with (
        at_most(8 * MEBIBYTE),
        flooded(lambda: [said]) as client,
        pytest.raises(imaplib.IMAP4.abort, match="EOF"),
    ):
        client.fetch("1", "BODY[]")


def test_an_endless_line() -> None:
    with (
        at_most(16 * MEBIBYTE),
        flooded(repeated(b"* SEARCH" + b" 1" * 1000)) as client,
        limited(client, Limits(text=4 * MEBIBYTE)),
        pytest.raises(imaplib.IMAP4.abort, match="got more than 4194304 bytes"),
    ):
        client.search(None, "ALL")


def test_an_endless_line_is_bounded_by_default_too() -> None:
    most = imaplib.IMAP4.limits.text
    assert most <= 64 * MEBIBYTE
    with (
        at_most(4 * most),
        flooded(repeated(b"* SEARCH" + b" 1" * 1000)) as client,
        pytest.raises(imaplib.IMAP4.abort, match="got more than"),
    ):
        client.search(None, "ALL")


@pytest.mark.parametrize(
    "line", [b"* 1 EXISTS\r\n", b"* LIST () NIL {0}\r\n\r\n", b"* OK [ALERT] x\r\n", b"+ x\r\n"]
)
def test_a_million_untagged_responses(line: bytes) -> None:
    with (
        at_most(64 * MEBIBYTE),
        flooded(repeated(line)) as client,
        limited(client, Limits(responses=100_000, held=32 * MEBIBYTE)),
        pytest.raises(imaplib.IMAP4.abort, match="more than"),
    ):
        client.noop()


def test_stored_responses_are_bounded() -> None:
    line = b"* 1 FETCH (BODY[] {5000}\r\n" + b"x" * 5000 + b")\r\n"
    with (
        at_most(24 * MEBIBYTE),
        flooded(repeated(line)) as client,
        limited(client, Limits(held=8 * MEBIBYTE)),
        pytest.raises(imaplib.IMAP4.abort, match="stored responses exceed the limit"),
    ):
        client.fetch("1", "BODY[]")


def test_what_was_taken_is_not_counted(talk: Any) -> None:
    line = b"* 1 FETCH (BODY[] {500}\r\n" + b"x" * 500 + b")"
    client, _ = talk(answers=[Answer((line,))] * 20)
    client.limits = Limits(held=2000)
    for _ in range(20):
        assert client.fetch("1", "BODY[]")[0] == "OK"


@pytest.mark.parametrize("line", [b"\r\n", b" \r\n", b"\0\r\n", b"\0 \r\n"])
def test_endless_blank_lines(line: bytes) -> None:
    with (
        flooded(repeated(line)) as client,
        pytest.raises(imaplib.IMAP4.abort, match="more than 10000 empty lines"),
    ):
        client.noop()


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "a\r\nx LOGOUT"])
def test_line_breaks_in_every_argument(talk: Any, bad: str) -> None:
    """Difference: control-characters."""
    client, server = talk()
    client.capabilities += ("ENABLE",)
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("append", (bad, None, None, b"")),
        ("append", ("a", bad, None, b"")),
        ("append", ("a", [bad], None, b"")),
        ("append", ("a", None, f'"{bad}"', b"")),
        ("authenticate", (bad, lambda given: b"")),
        ("copy", (bad, "a")),
        ("copy", ("1", bad)),
        ("create", (bad,)),
        ("delete", (bad,)),
        ("deleteacl", (bad, "a")),
        ("deleteacl", ("a", bad)),
        ("enable", (bad,)),
        ("fetch", (bad, "a")),
        ("fetch", ("1", bad)),
        ("fetch", ([1, bad], "a")),
        ("fetch", ("1", [bad])),
        ("getacl", (bad,)),
        ("getannotation", (bad, "a", "b")),
        ("getannotation", ("a", bad, "b")),
        ("getannotation", ("a", "b", bad)),
        ("getquota", (bad,)),
        ("getquotaroot", (bad,)),
        ("id", ({bad: "a"},)),
        ("id", ({"a": bad},)),
        ("list", (bad, "a")),
        ("list", ("a", bad)),
        ("login", (bad, "a")),
        ("login", ("a", bad)),
        ("lsub", (bad, "a")),
        ("lsub", ("a", bad)),
        ("move", ("1", bad)),
        ("myrights", (bad,)),
        ("partial", ("1", bad, "1", "1")),
        ("partial", ("1", "a", bad, "1")),
        ("proxyauth", (bad,)),
        ("rename", (bad, "a")),
        ("rename", ("a", bad)),
        ("search", (None, bad)),
        ("search", (bad, b"ALL")),
        ("select", (bad,)),
        ("setacl", ("a", bad, "b")),
        ("setacl", ("a", "b", bad)),
        ("setannotation", ("a", bad)),
        ("setquota", ("a", bad)),
        ("setquota", (bad, "a")),
        ("sort", (bad, "utf-8", "b")),
        ("sort", ("a", bad, b"b")),
        ("sort", ("a", "utf-8", bad)),
        ("status", (bad, "(a)")),
        ("status", ("a", bad)),
        ("store", (bad, "a", "b")),
        ("store", ("1", bad, "b")),
        ("store", ("1", "a", bad)),
        ("subscribe", (bad,)),
        ("thread", (bad, "utf-8", "b")),
        ("uid", ("FETCH", bad, "a")),
        ("uid", ("FETCH", "1", bad)),
        ("unsubscribe", (bad,)),
        ("xatom", (f"X-A{bad}",)),
        ("xatom", ("X-A", bad)),
        ("xatom", ("X-A", bad.encode())),
    ]
    commands = dict(imaplib.Commands)
    for name, args in calls:
        client.state = "NONAUTH" if name in ("login", "authenticate") else "SELECTED"
        client.state = "AUTH" if name in ("enable", "proxyauth") else client.state
        with pytest.raises(
            imaplib.IMAP4.error, match=r"NUL, CR and LF|not a flag|must be an int"
        ) as caught:
            getattr(client, name)(*args)
        assert isinstance(caught.value, ValueError | TypeError)
    assert server.heard == []
    imaplib.Commands.pop("X-A", None)
    assert commands == imaplib.Commands
    client.state = "SELECTED"
    assert client.noop()[0] == "OK"


@pytest.mark.parametrize("bad", ["x{5}", "x {5+}", b"x{5-}"])
def test_an_argument_that_announces_a_literal(talk: Any, bad: Any) -> None:
    """Difference: literal-announced."""
    client, server = talk()
    with pytest.raises(imaplib.IMAP4.error, match="announces a literal"):
        client.xatom("X-A", bad)
    imaplib.Commands.pop("X-A")
    client.search(None, 'SUBJECT "{5}"')
    assert server.heard == [b'SEARCH SUBJECT "{5}"\r\n']


def test_ok_before_the_message_was_sent() -> None:
    """Difference: early-ok."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = imaplib.IMAP4.__new__(imaplib.IMAP4)
        client._reset()
        client.sock, client.state = ours, "SELECTED"
        client.tagpre, client.tagre = (
            b"T",
            re.compile(rb"(?P<tag>T[0-9]+) (?P<type>[A-Z]+) (?P<data>.*)"),
        )
        theirs.sendall(b"T0 OK done\r\n")
        with pytest.raises(imaplib.IMAP4.abort, match="answered OK before"):
            client.append("INBOX", None, None, b"important")
        theirs.sendall(b"T1 OK done\r\nT2 OK done\r\n")
        client.noop()
        with pytest.raises(imaplib.IMAP4.abort, match="before it was sent"):
            client.noop()


def test_a_challenge_that_is_not_base64(talk: Any) -> None:
    """Difference: bad-base64."""
    client, _ = talk(b"+ a", state="NONAUTH")
    with pytest.raises(imaplib.IMAP4.abort, match="not base64"):
        client.login_cram_md5("ann", "secret")


@pytest.mark.parametrize("together", [True, False])
def test_data_injected_before_tls(together: bool) -> None:
    """Difference: injected."""
    ours, theirs = socket.socketpair()
    injected = b"* 7 EXISTS\r\n"

    def serve() -> None:
        with suppress(OSError), theirs, theirs.makefile("rb") as incoming:
            theirs.sendall(b"* OK hi\r\n")
            for line in incoming:
                tag, _, command = line.rstrip().partition(b" ")
                if command == b"CAPABILITY":
                    theirs.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
                elif together:
                    theirs.sendall(tag + b" OK go\r\n" + injected)
                else:
                    theirs.sendall(tag + b" OK go\r\n")
                    theirs.sendall(injected)

    threading.Thread(target=serve, daemon=True).start()

    class Client(imaplib.IMAP4):
        def _create_socket(self, timeout: float | None) -> socket.socket:
            return ours

    with ours:
        client = Client("localhost")
        # Apart, it may come before the handshake begins, or into it: either way nothing counts.
        with pytest.raises((imaplib.IMAP4.abort, ssl.SSLError)) as caught:
            client.starttls()
        assert isinstance(caught.value, imaplib.IMAP4.abort) or not together
        assert client.state == "LOGOUT"
        with pytest.raises(imaplib.IMAP4.error):
            client.login("ann", "secret")


@needs_certificates
def test_certificates_are_verified() -> None:
    """Difference: tls-verified."""
    with Server(security="tls") as server, pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(server.host, server.port)
    with Server(security="starttls") as server:
        client = imaplib.IMAP4(server.host, server.port)
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls()
        assert client.state == "LOGOUT"


@needs_certificates
def test_tls_with_a_context_and_with_a_certificate_of_our_own(tmp_path: Any) -> None:
    """Difference: certfile."""
    with Server(security="tls") as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=context) as client:
            assert client.ssl() is client.sslobj is client.sock
            assert client.login(server.user, server.password)[0] == "OK"
            with pytest.raises(imaplib.IMAP4.abort, match="already"):
                client.starttls()
    with Server(security="starttls") as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        with imaplib.IMAP4("localhost", server.port) as client:
            assert client.starttls(context) == ("OK", [None])
            assert client.login(server.user, server.password)[0] == "OK"
    authority = Authority.make()
    assert authority is not None
    with (
        pytest.warns(DeprecationWarning, match="use an ssl_context"),
        pytest.raises(FileNotFoundError),
    ):
        imaplib.IMAP4_SSL("localhost", 1, certfile=tmp_path / "missing.pem")
    with pytest.raises(ValueError, match="not both"):
        imaplib.IMAP4_SSL("localhost", 1, certfile="a", ssl_context=context)


OTHERS = (
    b"* 7 FETCH (BODY[] {5}\r\nwrong UID 70)",
    b"* 3 FETCH (BODY[] {5}\r\nright UID 30)",
    b"* 3 FETCH (FLAGS (\\Seen) UID 30)",
    b"* 7 FETCH (FLAGS ())",
)
RIGHT = [(b"3 (BODY[] {5}", b"right"), b" UID 30)", b"3 (FLAGS (\\Seen) UID 30)"]


def test_responses_for_other_messages_are_dropped(talk: Any) -> None:
    """Difference: other-messages."""
    client, _ = talk(answers=[Answer(OTHERS)] * 9)
    for number in ("3", 3, b"3", [3]):
        assert client.fetch(number, "(BODY[])") == ("OK", RIGHT)
    assert client.fetch(30, "(BODY[])", uid=True) == ("OK", RIGHT)
    assert client.uid("FETCH", "30", "(BODY[])") == ("OK", RIGHT)
    assert client.uid("fetch", "?s", "BODY[]", params=[30]) == ("OK", RIGHT)
    assert client.fetch("4", "(BODY[])") == ("OK", [None])
    assert len(client.fetch("3:4", "(BODY[])")[1]) == 6  # of a set, all comes back


def test_a_uid_in_a_string_is_ignored(talk: Any) -> None:
    ours = b'* 1 FETCH (ENVELOPE (NIL "UID 5 \\" UID 5" NIL) BODY[HEADER.FIELDS (UID 5)] {2}'
    ours += b"\r\n\r\n UID 9)"
    said = (
        ours,
        b"* 2 FETCH (UID 5 FLAGS ())",
    )
    client, _ = talk(*said)
    assert client.uid("FETCH", "5", "ALL") == ("OK", [b"2 (UID 5 FLAGS ())"])


def test_a_server_that_sends_no_uid(talk: Any) -> None:
    client, _ = talk(b"* 1 FETCH (FLAGS ())")
    assert client.uid("FETCH", "5", "FLAGS") == ("OK", [b"1 (FLAGS ())"])


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 EXISTS",
        b"* OK [ALERT] look out",
        b"* 1 FETCH (BODY[] {5000}\r\n" + b"x" * 5000 + b")",
        b"* LIST () NIL a",
        b"* X-NOISE",
    ],
)
def test_unrequested_responses_are_bounded(line: bytes) -> None:
    """Difference: literal-limit."""
    assert imaplib.IMAP4.limits.unasked == 64 * MEBIBYTE
    with (
        at_most(16 * MEBIBYTE),
        flooded(repeated(line + b"\r\n")) as client,
        limited(client, Limits(unasked=MEBIBYTE)),
        pytest.raises(imaplib.IMAP4.abort, match="unrequested"),
    ):
        client.search(None, "ALL")


def test_an_unrequested_literal_is_bounded() -> None:
    with (
        flooded(lambda: [b"* 1 FETCH (BODY[] {67108865}\r\n"]) as client,
        pytest.raises(imaplib.IMAP4.abort, match="exceeds the limit of 67108864"),
    ):
        client.noop()


def test_changes_of_a_large_mailbox_are_accepted(talk: Any) -> None:
    client, _ = talk(*[b"* 1 EXPUNGE"] * 100_000)
    client.limits = Limits(unasked=8 * MEBIBYTE)
    assert client.noop()[0] == "OK"
    assert len(client.response("EXPUNGE")[1]) == 100_000


def test_responses_before_idle_begins_are_given_in_linear_time(talk: Any) -> None:
    client, _ = talk(answers=[])
    client._idle_responses = [("EXISTS", [b"%d" % number]) for number in range(300_000)]
    client._idle_capture, client.state = True, "IDLING"
    client.tagged_commands[b"X"] = ("OK", [b""])
    idler = imaplib.Idler(client)
    idler._tag = b"X"
    assert sum(1 for _ in idler) == 300_000


LONG = 4 * MEBIBYTE


@pytest.mark.parametrize(
    "text", [b'"' * (LONG + 1), b'"' + b'\\"' * (LONG // 2), b"(" * LONG, b'"\\']
)
def test_counting_parentheses_takes_linear_time(text: bytes) -> None:
    depth = imaplib._paren_depth(text)
    assert depth == (LONG if text[:1] == b"(" else 0)


def test_parsing_flags_takes_linear_time() -> None:
    assert imaplib.ParseFlags(b"FLAGS (" * (LONG // 7)) == ()


def test_capabilities_that_are_not_ascii(talk: Any) -> None:
    client, _ = talk(b"* CAPABILITY IMAP4rev1 \xff\xfe", state="NONAUTH")
    client.login("ann", "secret")
    assert "IMAP4REV1" in client.capabilities


def test_long_lines_are_not_kept_for_the_log_or_in_errors(talk: Any) -> None:
    client, _ = talk(b"* SEARCH" + b" 1" * MEBIBYTE)
    client.search(None, "ALL")
    kept = [line for line, _ in client._cmd_log.values()]
    assert max(map(len, kept)) < 10_000
    assert any("more bytes" in line for line in kept)
    client, _ = talk(b"?" * MEBIBYTE)
    with pytest.raises(imaplib.IMAP4.abort, match="unexpected response") as caught:
        client.noop()
    assert len(str(caught.value)) < 10_000


def test_errors_survive_pickling() -> None:
    kinds = [imaplib.IMAP4.error, imaplib.IMAP4.abort, imaplib.IMAP4.readonly]
    for kind in (*kinds, imaplib.IMAP4._invalid, imaplib.IMAP4._mistyped):
        again = pickle.loads(pickle.dumps(kind("why")))
        assert type(again) is kind
        assert again.args == ("why",)
