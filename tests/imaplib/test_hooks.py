"""Subclasses, assigned attributes, patched globals: what programs and libraries do to imaplib."""

from __future__ import annotations

import inspect
import io
import socket
import subprocess
import sys
import warnings
from typing import Any
from unittest import mock

import pytest

from imaplus import imaplib
from imaplus.testing import Server
from imaplus.wire.frames import Limits

from .scripted import Answer, ScriptedServer

NAMES = """IMAP4 IMAP4_SSL IMAP4_stream Internaldate2tuple Int2AP ParseFlags Time2Internaldate Debug
IMAP4_PORT IMAP4_SSL_PORT CRLF AllowedVersions Commands Mon2num _MAXLINE Continuation Flags
InternalDate Literal MapCRLF Response_code Untagged_response Untagged_status _Authenticator"""
METHODS = """append authenticate capability check close copy create delete deleteacl enable expunge
fetch getacl getannotation getquota getquotaroot id idle list login login_cram_md5 login_plain
logout lsub move myrights namespace noop open partial print_log proxyauth read readline recent
rename response search select send setacl setannotation setquota shutdown socket sort starttls
status store subscribe thread uid unselect unsubscribe xatom"""
INTERNALS = """_command _command_complete _simple_command _untagged_response _get_response _get_line
_get_tagged_response _new_tag _append_untagged _quote _checkquote _match _check_bye
_get_capabilities _dump_ur _log print_log _mesg _cmd_log _cmd_log_idx _cmd_log_len _mode_ascii
_mode_utf8 _create_socket _readbuf _idle_responses _idle_capture"""
ATTRIBUTES = """PROTOCOL_VERSION debug state welcome capabilities is_readonly utf8_enabled literal
tagged_commands untagged_responses continuation_response tagnum tagpre tagre host port sock file mo
mustquote _encoding _tls_established"""


FILE_WARNS = [
    pytest.mark.filterwarnings("ignore:'IMAP4.file' is deprecated:DeprecationWarning"),  # 3.15
    pytest.mark.filterwarnings("ignore:IMAP4.file is unsupported:RuntimeWarning"),  # 3.14
]
"""Of tests that use `file` on Pythons whose own module warns of that."""


def uses_file(test: Any) -> Any:
    for mark in FILE_WARNS:
        test = mark(test)
    return test


@uses_file
def test_every_name_is_there(talk: Any) -> None:
    client, _ = talk()
    assert [name for name in NAMES.split() if not hasattr(imaplib, name)] == []
    for name in " ".join((METHODS, INTERNALS, ATTRIBUTES)).split():
        assert hasattr(client, name), name
    for name in METHODS.split():
        assert inspect.getdoc(getattr(imaplib.IMAP4, name)), name
    for name in imaplib.Commands:
        if name not in ("EXAMINE",):
            assert getattr(client, name) == getattr(client, name.lower())
    with pytest.raises(AttributeError, match="Unknown IMAP4 command"):
        client.NONSENSE  # noqa: B018
    assert callable(imaplib.IMAP4_SSL.ssl)
    assert issubclass(imaplib.IMAP4.readonly, imaplib.IMAP4.abort)
    assert issubclass(imaplib.IMAP4.abort, imaplib.IMAP4.error)
    assert repr(imaplib.IMAP4.abort) == "<class 'imaplus.imaplib.IMAP4.abort'>"


class Recording(imaplib.IMAP4):
    """All I/O goes through the hooks: here to and from a file and a list."""

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port, self.written = host, port, b""
        self.input = io.BytesIO(b"* OK hi\r\n* CAPABILITY IMAP4rev1\r\n")

    def read(self, size: int) -> bytes:
        return self.input.read(size)

    def readline(self) -> bytes:
        line = self.input.readline()
        return line or f"{self.tagpre.decode()}{self.tagnum - 1} OK done\r\n".encode()

    def send(self, data: Any) -> None:
        self.written += bytes(data)

    def shutdown(self) -> None:
        self.written += b"shut down"


def test_a_subclass_that_overrides_all_io() -> None:
    client = Recording("nowhere")
    client.state = "SELECTED"
    client.input = io.BytesIO(b"* 1 FETCH (BODY[] {5}\r\nhello)\r\n")
    assert client.fetch("1", "BODY[]") == ("OK", [(b"1 (BODY[] {5}", b"hello"), b")"])
    client.logout()
    assert client.written.count(b"\r\n") == 3
    assert client.written.endswith(b"shut down")


def test_a_subclass_that_quotes_in_its_own_way(talk: Any) -> None:
    """What the standard module asks its methods for quoting, this one asks them too."""
    client, server = talk(answers=[])
    client._quote = lambda arg: b"<%b>" % (arg.encode() if isinstance(arg, str) else arg)
    client.create("a b")
    client.list("x y", "z %")
    client.setacl("m", "w w", "")
    client.getannotation("m", "/a b", "v")
    del client._quote
    client._astring = lambda arg: b"<a>"
    client.select("plain")
    client.copy("1", "Entwürfe")
    client._list_mailbox = lambda arg: b"<l>"
    client.list("", "z")
    client._set_quote = lambda arg: f"<{arg}>"
    client.append("m", r"\Seen", None, b"")
    client.fetch("1", "FLAGS")
    client.fetch("1", "FLAGS (CHANGEDSINCE 5)")
    client.fetch("1", "ALL")
    client.store("1", "+FLAGS", ["a", "b"])
    client.uid("STORE", "1", "+FLAGS", "a")
    assert b"".join(server.heard).split(b"\r\n") == [
        b"CREATE <a b>",
        b"LIST <x y> <z %>",
        b"SETACL m <w w> <>",
        b"GETANNOTATION m </a b> v",
        b"SELECT <a>",
        b"COPY 1 <a>",
        b"LIST <a> <l>",
        rb"APPEND <a> <\Seen> {0}",
        b"",
        b"FETCH 1 <FLAGS>",
        b"FETCH 1 <FLAGS> (CHANGEDSINCE 5)",
        b"FETCH 1 ALL",
        b"STORE 1 +FLAGS <(a b)>",
        b"UID STORE 1 +FLAGS <a>",
        b"",
    ]


def test_a_subclass_that_makes_the_socket() -> None:
    server = ScriptedServer()
    with server.connected() as sock:
        client = server.client(imaplib.IMAP4, sock)
        assert client.sock is sock
        assert client.socket() is sock
        assert client.noop() == ("OK", [b"done"])


@uses_file
def test_a_subclass_with_a_file_of_its_own() -> None:
    """As libraries do that made their own TLS: `open` sets `sock` and `file`."""

    class Client(imaplib.IMAP4):
        def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
            self.host, self.port = host, port
            self.sock = connection
            self.file = self.sock.makefile("rb")

        def read(self, size: int) -> bytes:
            return self.file.read(size)

        def readline(self) -> bytes:
            line: bytes = self.file.readline()
            return line

        def send(self, data: Any) -> None:
            self.sock.sendall(data)

    server = ScriptedServer([Answer((b"* LIST () NIL {3}\r\nabc",))])
    with server.connected() as connection:
        client = Client("somewhere")
        client.state = "AUTH"
        assert client.list() == ("OK", [(b"() NIL {3}", b"abc"), b""])
        client.shutdown()


@uses_file
def test_another_socket_or_file_is_used_once_assigned(talk: Any) -> None:
    """Difference: file."""
    client, _ = talk()
    other = ScriptedServer([Answer((b"* SEARCH 9",))])
    with other.connected() as sock:
        client.sock = sock
        client.file = made = sock.makefile("rb")
        assert client.readline() == b"* OK ready\r\n"
        assert client.search(None, "ALL") == ("OK", [b"9"])
        client.file = io.BytesIO(b"* 5 EXISTS\r\n")
        assert client._get_response() == b"* 5 EXISTS"
        assert client.response("EXISTS") == ("EXISTS", [b"5"])
        with pytest.raises(imaplib.IMAP4.abort, match="EOF"):
            client._get_response()
        made.close()


@uses_file
def test_only_the_socket_assigned(talk: Any) -> None:
    client, _ = talk()
    other = ScriptedServer()
    with other.connected() as sock:
        client.sock = sock
        assert client.file.readline() == b"* OK ready\r\n"
        client.sock.sendall(b"x NOOP\r\n")
        assert client.file.read(5) == b"x OK "
        assert client._readbuf == [b"done\r\n"]
        client._readbuf.clear()
        client._readbuf = [b"a\r", b"\nb"]
        assert client.readline() == b"a\r\n"
        assert client._readbuf == [b"b"]


def test_the_file_warns_where_that_of_the_standard_module_does(talk: Any) -> None:
    client, _ = talk()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert isinstance(client.file.raw, socket.SocketIO)
        client.file = None
        assert client.file is None
        client.file = other = io.BytesIO(b"* 5 EXISTS\r\n")
        assert client.file is other
    assert client._get_response() == b"* 5 EXISTS"
    kinds = [warning.category for warning in caught]
    if sys.version_info >= (3, 15):
        assert kinds == [DeprecationWarning] * 5
    elif sys.version_info >= (3, 14):
        assert kinds == [RuntimeWarning] * 3
    else:
        assert kinds == []
    assert all(warning.filename == __file__ for warning in caught)


def test_the_version_of_the_module_that_this_stands_for() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert imaplib.__version__ == "2.60"
    assert len(caught) == (sys.version_info >= (3, 15))
    with pytest.raises(AttributeError):
        imaplib.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_assigned_state_and_responses(talk: Any) -> None:
    client, server = talk(state="AUTH")
    with pytest.raises(imaplib.IMAP4.error, match="illegal in state AUTH"):
        client.fetch("1", "FLAGS")
    client.state = "SELECTED"
    client.fetch("1", "FLAGS")
    client.untagged_responses = {"EXISTS": [b"3"], "READ-ONLY": [b""]}
    assert client.response("exists") == ("exists", [b"3"])
    with pytest.raises(imaplib.IMAP4.readonly):
        client.noop()
    client.is_readonly = True
    client.noop()
    client.literal = b"literally"
    client.xatom("X-PUT", "box")
    assert server.heard[-1] == b"X-PUT box {9}\r\nliterally\r\n"
    tag = client._command("NOOP")
    assert client.tagged_commands[tag] is None
    assert client._command_complete("NOOP", tag) == ("OK", [b"done"])


def test_a_literal_is_not_left_for_the_next_command(talk: Any) -> None:
    """Difference: literal-left."""
    client, server = talk()
    client.untagged_responses = {"READ-ONLY": [b""]}
    with pytest.raises(imaplib.IMAP4.readonly):
        client.append("INBOX", None, None, b"text")
    client.untagged_responses = {}
    client.noop()
    assert server.heard == [b"NOOP\r\n"]


def test_patched_globals(talk: Any) -> None:
    """Difference: maxline."""
    client, _ = talk(*[b"* 1 FETCH (X %b)" % (b"x" * 2000)] * 2)
    with (
        mock.patch("imaplus.imaplib._MAXLINE", 1000),
        pytest.raises(imaplib.IMAP4.error, match="got more than 1000 bytes") as caught,
    ):
        client.fetch("1", "X")
    assert not isinstance(caught.value, imaplib.IMAP4.abort)
    with mock.patch.dict(imaplib.Commands):
        imaplib.Commands["X-NEW"] = ("SELECTED",)
        client, server = talk()
        assert client._simple_command("X-NEW") == ("OK", [b"done"])
        client.uid("X-NEW", "1")
        assert server.heard == [b"X-NEW\r\n", b"UID X-NEW 1\r\n"]
    with mock.patch("imaplus.imaplib.Debug", 4), mock.patch("imaplus.imaplib.sys.stderr"):
        assert talk()[0].debug == 4
    with (
        mock.patch("imaplus.imaplib.AllowedVersions", ("IMAP9",)),
        pytest.raises(imaplib.IMAP4.error, match="not IMAP4 compliant"),
    ):
        talk()
    with mock.patch("imaplus.imaplib.time") as time:
        time.time.return_value = 0.0
        client._log("remembered")
    assert ("remembered", 0.0) in client._cmd_log.values()
    refused = mock.Mock(side_effect=OSError("patched"))
    with (
        mock.patch("imaplus.imaplib.socket.create_connection", refused),
        pytest.raises(OSError, match="patched"),
    ):
        imaplib.IMAP4("host")
    with mock.patch("imaplus.imaplib.IMAP4_SSL") as ssl_class:
        assert imaplib.IMAP4_SSL("host") is ssl_class.return_value
    with mock.patch("imaplus.imaplib.Time2Internaldate", return_value='"now"'):
        client, server = talk()
        client.append("INBOX", None, 1, b"")
        assert server.heard == [b'APPEND INBOX "now" {0}\r\n\r\n']


def test_audit_events() -> None:
    heard: list[tuple[str, Any]] = []

    def hear(name: str, *args: Any) -> None:
        if name.startswith("imaplib."):  # imports are audited too
            heard.append((name, args))

    audit = mock.patch("imaplus.imaplib.sys.audit", hear)
    with audit, Server() as server, imaplib.IMAP4(server.host, server.port) as client:
        client.noop()
    assert heard[0] == ("imaplib.open", (client, server.host, server.port))
    assert heard[1][0] == "imaplib.send"
    assert heard[1][1][1].endswith(b" NOOP\r\n")


def test_imap4_servers_are_accepted() -> None:
    server = ScriptedServer(capabilities=b"IMAP4")
    with server.connected() as sock:
        assert server.client(imaplib.IMAP4, sock).PROTOCOL_VERSION == "IMAP4"


def test_logging_out_and_closing_twice(talk: Any) -> None:
    """Difference: shutdown-twice."""
    with Server() as server:
        with imaplib.IMAP4(server.host, server.port) as client:
            assert client.logout()[0] == "BYE"
        client.shutdown()
        client.shutdown()


def test_a_timeout_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout=0"):
        imaplib.IMAP4("127.0.0.1", 9, timeout=0)


def test_no_more_is_loaded_than_wire_until_typed_is_used() -> None:
    code = (
        "import sys; import imaplus.imaplib;"
        "print(sorted({m.split('.')[1] for m in sys.modules if m.startswith('imaplus.')}));"
        "print('imaplib' in sys.modules, 'asyncio' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, others = found.stdout.splitlines()
    assert set(eval(loaded)) <= {"errors", "imaplib", "logs", "records", "version", "wire"}
    assert others == "False False"


def test_debug_output_has_no_secrets(talk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Difference: secrets."""
    replies = [Answer((), b"OK hello hunter2hunter2"), Answer(), Answer()]
    for level in (0, 3, 4, 5):
        client, _ = talk(state="NONAUTH", answers=replies)
        client.debug = level
        client.login("ann", "hunter2hunter2")
        client.state = "NONAUTH"
        client.authenticate("X", lambda challenge: b"hunter2hunter2")
        client.state = "NONAUTH"
        client.login_cram_md5("ann", "hunter2hunter2")
        client.print_log()
    shown = capsys.readouterr().err
    assert "LOGIN ***" in shown
    assert "AUTHENTICATE X" in shown
    assert "NONAUTH" not in shown
    for secret in ("hunter2", "aHVudGVyMmh1bnRlcjI", "Y2hhbGxlbmdl", "challenge"):
        assert secret not in shown


def test_limits_can_be_assigned(talk: Any) -> None:
    client, _ = talk(b"* LIST () NIL {100}\r\n" + b"x" * 100)
    client.limits = Limits(literal=99)
    with pytest.raises(imaplib.IMAP4.abort, match="a literal of 100 bytes"):
        client.list()


def test_a_blank_line_after_a_literal(talk: Any) -> None:
    """Difference: blank-lines."""
    lines = (
        b"* 1 FETCH (BODY[] {2}\r\nab",
        b"",
        b" UID 7)",
        b"* LIST () NIL {3}\r\nabc",
        b"",
        b"* LIST () NIL d",
    )
    client, _ = talk(*lines)
    assert client.fetch("1", "BODY[]") == ("OK", [(b"1 (BODY[] {2}", b"ab"), b" UID 7)"])
    assert client.response("LIST")[1] == [(b"() NIL {3}", b"abc"), b"", b"() NIL d"]


def test_a_socket_that_times_out_loses_nothing() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = imaplib.IMAP4.__new__(imaplib.IMAP4)
        client.sock = ours
        ours.settimeout(0.01)
        theirs.sendall(b"* 1 EX")
        with pytest.raises(TimeoutError):
            client.readline()
        theirs.sendall(b"ISTS\r\nabc")
        assert client.readline() == b"* 1 EXISTS\r\n"
        with pytest.raises(TimeoutError):
            client.read(5)
        theirs.sendall(b"defg")
        assert client.read(5) == b"abcde"
        theirs.close()
        assert client.read(5) == b"fg"
        assert client.readline() == b""
