"""The progress bar: what it counts, that it fits, and that it needs no thread."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.cli import bar as bars
from imaplus.cli.bar import ASCII_BLOCKS, BLOCKS, LineBar, Tally, line
from imaplus.cli.output import Console
from imaplus.cli.progress import progress_bar
from imaplus.cli.text import escape, width
from imaplus.testing import Generated, Server

NAMES = (
    "INBOX",
    "Archive/2019/Projects/A name that somebody thought about for a very long time/Done",
    "送信済みメール/二〇二六年/とても長い名前のフォルダー/仕事/完了したもの",
    "דואר נכנס/ארכיון/שם ארוך מאוד של תיבה/2026",
    "\x1b[2J\x1b[31mred\x07" * 6,
    "e\u0301\u0301" * 80,
    "👩‍👩‍👧‍👦" * 20,
)


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """Each line as it was drawn."""
        return re.findall(r"\r\x1b\[\?7l(.*?)\x1b\[K\x1b\[\?7h", self.getvalue())


class Clock:
    """Seconds, as many as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bars, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_there_is_no_bar_in_a_pipe_nor_when_quiet(stream: io.StringIO) -> None:
    console = Console(io.StringIO(), stream, quiet=stream.isatty())
    with console.progress() as bar:
        assert bar is None
        console.warn("look")
    assert stream.getvalue() == "imaplus: warning: look\n"


def test_there_is_no_bar_where_no_cursor_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with progress_bar(Terminal(), wanted=True) as bar:
        assert bar is None


def test_there_is_no_second_thread() -> None:
    before = threading.active_count()
    with progress_bar(Terminal(), wanted=True) as bar:
        assert bar is not None
        bar.begin("INBOX")
        assert threading.active_count() == before


def test_names_are_shown_as_text_and_notes_stand_above() -> None:
    err = Terminal()
    console = Console(io.StringIO(), err)
    with console.progress() as bar:
        assert bar is not None
        bar.plan(mailboxes=2)
        bar.begin("[red]Lists\x07")
        console.note("[bold]a note\x07")
    shown = err.getvalue()
    assert "[red]Lists\\x07" in shown
    assert "\r\x1b[K[bold]a note\\x07\n" in shown
    assert "\x07" not in shown
    assert shown.endswith("\r\x1b[K")
    console.note("after")
    assert err.getvalue().endswith("after\n")


def test_all_of_the_run_is_counted(clock: Clock) -> None:
    err = Terminal()
    bar = LineBar(err)
    bar.begin("checking the mirror")  # a step, and no mailbox
    bar.plan(mailboxes=12, messages=5000, octets=5_000_000)
    bar.skip()
    bar.begin("Archive")
    bar.skip(0, messages=1000, octets=1_000_000)
    clock.now += 10
    bar.advance(1000, 1_000_000)
    drawn = err.lines()[-1]
    assert "2 of 12  1,000/4,000  1.0 MB/4.0 MB   100 kB/s  0:00:30  Archive" in drawn
    assert drawn.count(BLOCKS[0]) == drawn.count(BLOCKS[1]) / 3
    clock.now += 10
    bar.begin("INBOX")
    bar.plan(mailboxes=12, messages=3000, octets=2_000_000)  # older than what has come
    clock.now += 10
    bar.advance(1500, 1_000_000)
    assert "3 of 12  2,500/2,500  2.0 MB/2.0 MB" in err.lines()[-1]
    assert "0:00:00" in err.lines()[-1]


def test_what_is_not_known_is_not_guessed(clock: Clock) -> None:
    err = Terminal()
    bar = LineBar(err)
    bar.plan(mailboxes=4)
    bar.begin("INBOX")
    clock.now += 2
    bar.advance(10)
    assert "1 of 4  10  0 B    5 msg/s  -:--:--" in err.lines()[-1]
    clock.now += 2
    bar.plan(mailboxes=4, messages=40)
    bar.advance(10, 20)
    clock.now += 2
    bar.advance(10, 20)
    assert "30/40  40 B     20 B/s  0:00:01" in err.lines()[-1]


def test_old_progress_says_nothing_of_the_pace(clock: Clock) -> None:
    err = Terminal()
    bar = LineBar(err)
    bar.plan(mailboxes=1, octets=10_000_000)
    bar.begin("INBOX")
    bar.advance(0, 1_000_000)
    clock.now += 1000
    bar.advance(0, 1)
    for _ in range(20):
        clock.now += 1
        bar.advance(0, 1000)
    assert " 1.0 kB/s" in err.lines()[-1]


def test_it_is_drawn_a_few_times_a_second(clock: Clock) -> None:
    err = Terminal()
    bar = LineBar(err)
    bar.begin("INBOX")
    for _ in range(1000):
        clock.now += 0.01
        bar.advance(1, 1)
    assert 90 <= len(err.lines()) <= 110


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("name", NAMES)
def test_bar_rate_and_time_stay_however_long_a_name_is(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    err = Terminal()
    bar = LineBar(err)
    bar.plan(mailboxes=1234, messages=1_990_000, octets=123_400_000_000)
    bar.begin(name)
    clock.now += 2
    bar.advance(990_000, 12_300_000_000)
    drawn = err.lines()[-1]
    assert width(drawn) < columns
    assert re.match(
        r"[━─]{8,40}  1 of 1,234  990,000/1,990,000  12\.3 GB(/123 GB)?   6\.2 GB/s  0:00:1\d  \S",
        drawn,
    )
    if columns == 200:
        assert escape(name)[:20] in drawn
        assert "/123 GB" in drawn


@given(
    st.text(), st.integers(0, 10**6), st.integers(0, 10**9), st.integers(0, 10**15),
    st.integers(30, 300),
)  # fmt: skip
def test_any_line_fits(
    title: str, mailboxes: int, messages: int, octets: int, columns: int
) -> None:
    tally = Tally(mailboxes=mailboxes, planned_messages=messages, planned_octets=octets, seen=7)
    for known in (tally, Tally(messages=messages, octets=octets)):
        drawn = line(known, escape(title), rate="12.3 MB/s", left="0:00:30", columns=columns)
        assert width(drawn) <= columns
        assert "12.3 MB/s  0:00:30" in drawn
        assert drawn[:8].strip("".join(BLOCKS)) == ""


def test_a_terminal_of_ascii_gets_ascii(clock: Clock) -> None:
    err = Terminal()
    err.encoding = "ascii"  # type: ignore[misc]
    bar = LineBar(err)
    bar.plan(mailboxes=2)
    bar.begin("Entwürfe")
    bar.begin("")
    assert err.lines()[0].isascii()
    assert "Entw\\xfcrfe" in err.lines()[0]
    assert set(err.lines()[0][:8]) <= set(ASCII_BLOCKS)


def test_the_bar_of_a_terminal_that_has_gone_ends_nothing() -> None:
    class Gone(Terminal):
        def write(self, text: str, /) -> int:
            raise OSError(errno.EIO, "Input/output error")

    with progress_bar(Gone(), wanted=True) as bar:
        assert bar is not None
        bar.begin("INBOX")
        bar.say("nobody reads this")


HELPED = """\
import os, sys
from imaplus.mirror import helper
start, os.cpu_count = helper.start, lambda: 2

def starting(*args):
    found = start(*args)
    print("helped" if found else "alone", flush=True)
    return found

helper.start = starting
from imaplus.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_on_a_terminal_the_mirror_has_its_helper(tmp_path: Path) -> None:
    """It is forked only where no other thread runs; the bar is drawn all the same."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environ = os.environ | {"IMAPLUS_PASSWORD": "correct horse", "TERM": "xterm"}
    del environ["COLUMNS"]
    with Server(password="correct horse") as server:
        server.mailbox().add_many(Generated(3000, seed=n) for n in range(30))
        words = ["backup", "--no-sync", "--security", "plain", server.url, str(tmp_path / "mail")]
        with subprocess.Popen(
            [sys.executable, "-c", HELPED, *words],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environ,
        ) as process:
            os.close(theirs)
            shown = b""
            with contextlib.suppress(OSError):  # the end, as Linux says it
                while more := os.read(ours, 4096):
                    shown += more
            assert process.stdout is not None
            assert process.stdout.read() == b"helped\n"
    os.close(ours)
    assert process.returncode == 0
    text = shown.decode()
    assert "1 of 1" in text
    assert " B/s  -:--:--  INBOX" in text
    assert "30 new messages" in text.rpartition("\x1b[K")[2]
