"""Every argument of every method, in all types: the newest standard module and the facade.

The same calls on both, against a server in the same thread. What each sends, returns and raises is
the same, or it is a difference of `differences.py`, which `difference_of` names. Pythons whose
module is older differ in more, and are passed over.
"""

from __future__ import annotations

import imaplib as standard
import io
import re
from typing import Any

import pytest

from imaplus import imaplib as facade

from .differences import BY_NAME

pytestmark = pytest.mark.skipif(
    not hasattr(standard.IMAP4, "_fetch_parts"), reason="its imaplib is older than the facade's"
)
TEXTS = (
    *("", "a", "a b", '"a b"', '""', "(a)", "(a b)", "()", 'a"b', "a\\b", '"a\\"', '"a"b"', "*"),
    *("%", "ä", "a&b", "&", "Ent&APw-", "me@host", "{5}", "x{3}", '"x{3}"', '"', "(", "a)", "a\tb"),
    *("a\r\nb", "\0", "a]", "[a]", "NIL", "\\Seen", "\\Seen \\Deleted", "1", "1:*", "1,2:4", "$"),
    *("0", "4294967296", "fast", "FLAGS", "(FLAGS)", "BODY[HEADER.FIELDS (SUBJECT)]", "UTF-8"),
    *("(FLAGS) (CHANGEDSINCE 5)", '"UTF-8"', "X-NONE", "(REVERSE DATE)", 'SUBJECT "x y"', "\udcff"),
)
OTHERS = (
    *(b"\xff\xfe", None, 0, 1, -1, True, 1.5, [], ["a"], ["1"], [1, 2], [(8, "*")], range(1, 4)),
    *(bytearray(b"a b"), memoryview(b"12"), {"a": "b"}, ["\\Seen"], ["FLAGS", "UID"], object),
)
VALUES = (
    *TEXTS,
    *(text.encode() for text in TEXTS if text != "\udcff"),
    *OTHERS,
)
CALLS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "SELECTED": (
        ("append", "m", r"(\Seen)", None, b"x\n"),
        *((name, "m") for name in ("create", "delete", "select", "subscribe", "unsubscribe")),
        *((name, "m") for name in ("getacl", "getquota", "getquotaroot", "myrights")),
        ("copy", "1", "m"),
        ("deleteacl", "m", "who"),
        ("fetch", "1", "FLAGS"),
        ("getannotation", "m", "/e", "v"),
        ("list", "", "*"),
        ("lsub", "", "*"),
        ("partial", "1", "BODY", "0", "10"),
        ("rename", "m", "n"),
        ("search", None, "ALL"),
        ("setacl", "m", "who", "lrs"),
        ("setannotation", "m", "/e", '("v" NIL)'),
        ("setquota", "r", "(STORAGE 5)"),
        ("sort", "(DATE)", "UTF-8", "ALL"),
        ("status", "m", "(MESSAGES)"),
        ("store", "1", "+FLAGS", r"(\Seen)"),
        ("thread", "REFERENCES", "UTF-8", "ALL"),
        ("xatom", "X-A", "a"),
        ("uid", "FETCH", "1", "FLAGS"),
        ("uid", "STORE", "1", "+FLAGS", r"(\Seen)"),
        ("uid", "COPY", "1", "m"),
        ("uid", "MOVE", "1", "m"),
        ("uid", "SEARCH", None, "ALL"),
        ("uid", "SORT", "(DATE)", "UTF-8", "ALL"),
        ("uid", "THREAD", "REFERENCES", "UTF-8", "ALL"),
        ("uid", "EXPUNGE", "1"),
    ),
    "NONAUTH": (("login", "u", "p"), ("login_cram_md5", "u", "p")),
    "AUTH": (("enable", "X"), ("proxyauth", "u")),
}
_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n\Z")


class Pipe(io.BytesIO):
    """A socket whose server answers within `sendall`, and remembers the commands."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[bytes] = []
        self._said = b"* OK [CAPABILITY IMAP4rev1 ENABLE] hi\r\n"
        self._heard = self._command = b""
        self._missing = 0
        self._challenged = b""

    def recv(self, size: int, flags: int = 0) -> bytes:
        data, self._said = self._said[:size], self._said[size:]
        return data

    def sendall(self, data: Any) -> None:
        self._heard += bytes(data)
        while len(self._heard) >= self._missing and b"\n" in self._heard[self._missing :]:
            end = self._heard.index(b"\n", self._missing) + 1
            line, self._heard = self._heard[:end], self._heard[end:]
            self._command += line
            self._missing = 0
            if found := _LITERAL.search(line):
                self._missing = int(found[1])
                self._said += b"+ go on\r\n"
            else:
                command, self._command = self._command, b""
                self._answer(command)

    def _answer(self, command: bytes) -> None:
        tag, _, rest = command.partition(b" ")
        if self._challenged:
            tag, rest, self._challenged = self._challenged, command, b""
        self.commands.append(rest)
        if rest.startswith(b"AUTHENTICATE"):
            self._challenged = tag
            self._said += b"+ eA==\r\n"
            return
        if rest == b"CAPABILITY\r\n":
            self._said += b"* CAPABILITY IMAP4rev1\r\n"
        if rest.startswith((b"FETCH", b"UID FETCH")):
            self._said += b"* 1 FETCH (UID 1 FLAGS ())\r\n"
        self._said += tag + b" OK done\r\n"

    def gettimeout(self) -> None:
        return None

    def settimeout(self, seconds: float | None) -> None:
        pass

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO()

    def shutdown(self, how: int) -> None:
        pass

    def fileno(self) -> int:
        return 3


Outcome = tuple[list[bytes], str, Any, str]
"""What was sent, "returned" or the kind of error, the result or the error, the state."""


def call(module: Any, state: str, name: str, args: tuple[Any, ...]) -> Outcome:
    pipe = Pipe()

    class Client(module.IMAP4):  # type: ignore[misc]
        def _create_socket(self, timeout: float | None) -> Any:
            return pipe

    client = Client("server")
    client.state = state
    pipe.commands.clear()
    commands = dict(module.Commands)
    try:
        how, what = "returned", getattr(client, name)(*args)
    except client.abort as error:
        how, what = "abort", error
    except client.error as error:
        how, what = "error", error
    except Exception as error:
        how, what = type(error).__name__, error
    module.Commands.clear()
    module.Commands.update(commands)
    return pipe.commands, how, what, client.state


def difference_of(name: str, args: tuple[Any, ...], theirs: Outcome, ours: Outcome) -> str:
    """The difference that this is, "" if it is none that is known; "3.16" for what that adds."""
    sent, how, what, _ = ours
    failed = theirs[1] not in ("returned", "abort")
    if how == "error" and isinstance(what, TypeError):
        return "types"
    if how == "error" and isinstance(what, ValueError):
        return "literal-announced" if "literal" in str(what) else "control-characters"
    if how == "LookupError" or (
        name in ("search", "sort", "thread", "uid")
        and how == "returned"
        and theirs[1] == "UnicodeEncodeError"
    ):
        return "charset"
    if how != "returned":
        return ""
    if theirs[1] == "ValueError" and "unpack" in str(theirs[2]):
        return "uid-arguments"
    if theirs[1] == "UnicodeEncodeError":
        return "mailbox-names"
    if "annotation" in name:
        return "annotations"
    if failed:  # lists, numbers and bytes where only texts were taken
        return "3.16"
    if name == "uid" and args[0] == "MOVE":
        return "quoting"
    if theirs[0] == sent:
        return "other-messages" if name in ("fetch", "uid") else ""
    if any(isinstance(arg, memoryview) for arg in args):
        return "3.16"
    return "mailbox-names" if any(b"&" in command for command in sent) else ""


@pytest.mark.parametrize(
    ("state", "base"),
    [
        pytest.param(state, base, id=" ".join(map(str, base[:2])))
        for state, calls in CALLS.items()
        for base in calls
    ],
)
def test_every_argument_in_all_types(state: str, base: tuple[Any, ...]) -> None:
    """Differences: types, control-characters, literal-announced, charset, annotations, and more."""
    name, *usual = base
    unknown = []
    for at in range(len(usual)):
        for value in VALUES:
            args = (*usual[:at], value, *usual[at + 1 :])
            theirs, ours = call(standard, state, name, args), call(facade, state, name, args)
            same = theirs[:2] == ours[:2] and theirs[3] == ours[3]
            if same and (theirs[1] != "returned" or theirs[2] == ours[2]):
                continue
            difference = difference_of(name, args, theirs, ours)
            if difference != "3.16" and difference not in BY_NAME:
                unknown.append((args, theirs, ours))
    assert unknown[:3] == []
