"""Where there is no POSIX: what needs it says so, and all else works.

What Windows lacks is taken away from Python before imaplus is loaded, in a process of its own. That
does not make it Windows, but shows what imaplus would miss there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
WITHOUT_POSIX = """
import asyncio, os, select, selectors, signal, socket, sys
pair, unix = socket.socketpair, socket.AF_UNIX
socket.socketpair = lambda: pair(unix)
for module in ("fcntl", "pwd", "grp", "resource", "termios", "tty"):
    sys.modules[module] = None
for where, names in {
    select: ["poll", "epoll"],
    selectors: ["PollSelector", "EpollSelector"],
    socket: ["AF_UNIX"],
    os: ["fork", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "geteuid", "getuid"],
    signal: ["SIGKILL", "SIGHUP", "SIGALRM"],
    asyncio: ["start_unix_server"],
}.items():
    for name in names:
        if hasattr(where, name):
            delattr(where, name)
selectors.DefaultSelector = selectors.SelectSelector
import imaplus
from imaplus.testing import Server, sample_mailbox
"""
CONNECTED = """
with Server() as server:
    sample_mailbox(server)
    plain = imaplus.Security.PLAIN
    where = imaplus.endpoints.Tcp(server.host, server.port, plain)
    who = {"user": server.user, "password": server.password, "security": plain}
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX + code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )


def indented(code: str) -> str:
    return "".join(f"    {line}\n" for line in code.strip().splitlines())


CLIENT = """
with imaplus.Client.connect(where, **who) as client:
    inbox = client.select("INBOX")
    assert len(list(inbox.fetch("1:*", "ENVELOPE"))) == inbox.exists > 0
    inbox.append(b"x" * 5_000_000)
    assert list(inbox.idle(timeout=0.01)) is not None
"""
ASYNC_CLIENT = """
async def main():
    async with await imaplus.AsyncClient.connect(where, **who) as client:
        inbox = await client.select("INBOX")
        assert len([each async for each in inbox.fetch("1:*", "FLAGS")]) == inbox.exists > 0
asyncio.run(main())
"""
FACADE = """
from imaplus import imaplib
with imaplib.IMAP4(server.host, server.port) as imap:
    imap.login(server.user, server.password)
    imap.select("INBOX")
    assert imap.search(None, "ALL")[0] == "OK"
    with imap.idle(duration=0.01) as idler:
        list(idler)
    assert imap.typed.status("INBOX").messages
"""


@pytest.mark.parametrize(
    "code", [CLIENT, ASYNC_CLIENT, FACADE], ids=["client", "async client", "facade"]
)
def test_sessions_work(code: str) -> None:
    done = run(CONNECTED + indented(code))
    assert done.returncode == 0, done.stderr


def test_endpoints_that_need_unix_sockets_say_so() -> None:
    done = run(
        "from imaplus.endpoints import Process, UnixSocket\n"
        "for where in (UnixSocket('/run/imap'), Process(['imapd'])):\n"
        "    for connect in (imaplus.Client.connect, lambda w: asyncio.run(one(w))):\n"
        "        async def one(w): return await imaplus.AsyncClient.connect(w)\n"
        "        try: connect(where)\n"
        "        except imaplus.InvalidArgument as error: print(error)\n"
        "try: Server(unix='/tmp/nowhere').start()\n"
        "except ValueError as error: print(error)\n"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    unix, child = (
        f"cannot connect to {what} on this system" for what in ("a UNIX socket", "a child process")
    )
    assert [line.split(":")[0] for line in lines[:4]] == [unix, unix, child, child]
    assert "does not have" in lines[4]


@pytest.mark.parametrize("words", [["backup", "demo:", "x"], ["verify", "x"], ["demo"]])
def test_what_keeps_a_store_says_so(words: list[str]) -> None:
    done = run(f"from imaplus.cli.main import main\nraise SystemExit(main({words!r}))")
    assert done.returncode == 2
    assert "POSIX systems only" in done.stderr
    assert "WSL" in done.stderr


def test_the_library_of_the_mirror_says_so() -> None:
    done = run("from imaplus.mirror import Store")
    assert done.returncode == 1
    assert "ImportError: imaplus.mirror needs a POSIX system" in done.stderr


def test_the_other_verbs_work() -> None:
    done = run("from imaplus.cli.main import main\nraise SystemExit(main(['ls', 'demo:']))")
    assert done.returncode == 0, done.stderr
    assert "INBOX" in done.stdout
