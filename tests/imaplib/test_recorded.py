"""What servers are known to send against the grammar: read, where the standard module gives up."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from imaplus import imaplib
from imaplus.testing import Transcript

from .scripted import Answer

CORPUS = Path(__file__).parents[1] / "corpus"
_TAG = re.compile(rb"\$(\d+)")


def transcripts() -> list[Path]:
    """The files that are dialogues; some are single responses."""
    return [p for p in sorted(CORPUS.glob("*.txt")) if re.search(rb"(?m)^S[:=]", p.read_bytes())]


def said(transcript: Transcript) -> bytes:
    """All that the server says."""
    return b"".join(step.data for step in transcript.steps if step.side == "S")


def read_all(client: imaplib.IMAP4) -> None:
    while True:
        client._get_response()


@pytest.mark.parametrize("path", transcripts(), ids=lambda path: path.stem)
def test_the_corpus_is_read(path: Path) -> None:
    """A bare LF stays an error, as the standard module's own tests insist."""
    data = said(Transcript.load(path))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(_TAG.sub(rb"T\1", data))
        theirs.shutdown(socket.SHUT_WR)
        client = imaplib.IMAP4.__new__(imaplib.IMAP4)
        client._reset()
        client.sock, client._asked = ours, {"FETCH"}
        client.tagre = re.compile(rb"(?P<tag>T[0-9]+) (?P<type>[A-Z]+)(?: (?P<data>.*))?", re.I)
        client.tagged_commands = dict.fromkeys(b"T" + tag for tag in _TAG.findall(data))
        ends = "unterminated line" if path.stem == "09-odd-literal-sizes" else "EOF"
        with pytest.raises(imaplib.IMAP4.abort, match=ends):
            read_all(client)


def test_small_letters(talk: Any) -> None:
    client, _ = talk(b"* 3 exists", b"* search 1 2", b"* ok [uidvalidity 7] x")
    assert client.search(None, "ALL") == ("OK", [b"1 2"])
    assert client.response("EXISTS") == ("EXISTS", [b"3"])
    assert client.response("UIDVALIDITY") == ("UIDVALIDITY", [b"7"])
    client, _ = talk(answers=[Answer((b"* 1 fetch (flags (\\Seen))",), b"ok")])
    typ, data = client.fetch("1", "FLAGS")
    assert (typ, data) == ("OK", [b"1 (flags (\\Seen))"])
    assert imaplib.ParseFlags(data[0]) == (b"\\Seen",)


def test_codes_without_a_status_before_them(talk: Any) -> None:
    client, _ = talk(b"[COPYUID 55 31 6]", b"* [UIDNEXT 9] .", b"*  7 EXISTS", b"* 8  RECENT")
    client.copy("31", "foo", uid=True)
    assert client.response("COPYUID") == ("COPYUID", [b"55 31 6"])
    assert client.response("UIDNEXT") == ("UIDNEXT", [b"9"])
    assert client.response("EXISTS") == ("EXISTS", [b"7"])
    assert client.response("RECENT") == ("RECENT", [b"8"])


def test_last_words(talk: Any) -> None:
    client, _ = talk(b"Server Unavailable. 15")
    with pytest.raises(imaplib.IMAP4.abort, match=r"Server Unavailable\. 15"):
        client.noop()
    client, _ = talk(answers=[Answer((), b"BYE out of memory")])
    with pytest.raises(imaplib.IMAP4.abort, match="out of memory"):
        client.noop()
    client, _ = talk(answers=[Answer((), b"BYE see you")])
    assert client.logout() == ("BYE", [b"see you"])


def test_the_rest_of_a_response_on_a_line_of_its_own(talk: Any) -> None:
    client, _ = talk(b"* 1 FETCH (UID 7 BODY[] {2}\r\nhi)", b" FLAGS (\\Seen) RFC822.SIZE 2)")
    assert client.fetch("1", "BODY[]")[1] == [
        (b"1 (UID 7 BODY[] {2}", b"hi"),
        b")",
        b" FLAGS (\\Seen) RFC822.SIZE 2)",
    ]


def test_sizes_of_literals_written_oddly(talk: Any) -> None:
    client, _ = talk(
        b"* 1 FETCH (BODY[] {2   }\r\nab)",
        b"* 2 FETCH (BODY[] {003}  \r\nabc)",
        b"* 3 FETCH (BODY[] {2}\r\nab\r\n)",
    )
    assert client.fetch("1:3", "BODY[]")[1] == [
        (b"1 (BODY[] {2   }", b"ab"),
        b")",
        (b"2 (BODY[] {003}  ", b"abc"),
        b")",
        (b"3 (BODY[] {2}", b"ab"),
        b")",
    ]


def test_a_name_that_ends_in_a_tab_or_space(talk: Any) -> None:
    client, _ = talk(b'* LIST () "/" tab\t', b'* LIST () "/" space ')
    assert client.list()[1] == [b'() "/" tab\t', b'() "/" space ']


def test_the_groups_of_the_public_patterns() -> None:
    found = {
        imaplib.Continuation.match(b"+ a"): (b" a", b"a"),
        imaplib.Response_code.match(b"[A b]"): (b"A", b" b", b"b"),
        imaplib.Untagged_response.match(b"* A b"): (b"A", b" b", b"b"),
        imaplib.Untagged_status.match(b"* 1 A b"): (b"1", b"A", b" b", b"b"),
        imaplib.Literal.match(b"a {5}"): (b"5",),
        imaplib.Flags.match(b"FLAGS (a b)"): (b"a b",),
    }
    for match, groups in found.items():
        assert match is not None
        assert match.groups() == groups
