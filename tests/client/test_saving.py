"""Saving messages and attachments: files are complete, inside the folder, and never overwritten."""

from __future__ import annotations

import base64
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from imaplus import AsyncMessage, Client, ConnectionLost, NoSuchMessage, Security
from imaplus.endpoints import Tcp
from imaplus.testing import Fault, Server
from imaplus.testing.personality import named

from ..reading.weird import TEXT, multipart, part
from .harness import Connector, letter

DATA = os.urandom(3 << 20)


def attached(name: str, data: bytes = b"PDF", encoding: str = "base64") -> bytes:
    coded = base64.encodebytes(data).replace(b"\n", b"\r\n") if encoding == "base64" else data
    head = f"Content-Type: application/pdf\nContent-Transfer-Encoding: {encoding}"
    quoted = name.replace("\\", "\\\\")
    return multipart(
        "mixed", TEXT, part(f'{head}\nContent-Disposition: attachment; filename="{quoted}"', coded)
    )


async def message(connect: Connector, server: Server, uid: int = 1) -> AsyncMessage:
    return await (await (await connect(server)).select("INBOX")).message(uid)


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["BINARY", "no BINARY"])
def anyone(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    who = named("rev1")
    return start(personality=who if request.param == "BINARY" else who.but(minus="BINARY"))


async def test_an_attachment_is_saved(connect: Connector, anyone: Server, tmp_path: Path) -> None:
    anyone.add_message("INBOX", attached("a.pdf", DATA))
    (found,) = (await message(connect, anyone)).attachments
    told: list[tuple[int, int]] = []
    path = await found.save(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert path == tmp_path / "a.pdf"
    assert path.read_bytes() == DATA
    assert told[-1][0] == told[-1][1] >= len(DATA)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert inside(tmp_path) == ["a.pdf"]


async def test_nothing_is_overwritten(connect: Connector, anyone: Server, tmp_path: Path) -> None:
    anyone.add_message("INBOX", attached("a.pdf"))
    each = await message(connect, anyone)
    (found,) = each.attachments
    (tmp_path / "a (2).pdf").symlink_to(tmp_path / "elsewhere")
    saved = [await found.save(tmp_path) for _ in range(3)]
    assert [path.name for path in saved] == ["a.pdf", "a (3).pdf", "a (4).pdf"]
    assert not (tmp_path / "elsewhere").exists()
    assert (await found.save(tmp_path / "mine.pdf")).name == "mine.pdf"
    assert (await found.save(str(tmp_path / "mine.pdf"))).name == "mine (2).pdf"
    assert (await each.save(tmp_path)).name == "weird.eml"
    assert (await each.save(tmp_path)).name == "weird (2).eml"
    assert (tmp_path / "weird.eml").read_bytes() == anyone.mailbox().messages[1].data
    assert not [name for name in inside(tmp_path) if "part" in name]


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..\\x",
        "/etc/x",
        ".x",
        "",
        "CON",
        "x" * 300,
        "\u202ex",
        "a/../../x",
        "x\x00y",
        "~/x",
    ],
)
async def test_nothing_is_written_elsewhere(
    connect: Connector, server: Server, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    server.add_message("INBOX", attached(name.replace("\x00", "%00")))
    (found,) = (await message(connect, server)).attachments
    path = await found.save(folder)
    assert path.parent == folder
    assert path.read_bytes() == b"PDF"
    assert inside(folder) == [path.name]
    assert inside(tmp_path) == ["a"]
    assert inside(tmp_path / "a") == ["b"]


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-unknown", "8bit"])
async def test_broken_encodings_are_saved_as_far_as_possible(
    connect: Connector, anyone: Server, tmp_path: Path, encoding: str
) -> None:
    data = {"base64": b"UE\x01RG=!\r\n", "quoted-printable": b"PD=46=ZZ"}.get(encoding, b"PDF")
    whole = attached("a.pdf", b"@@", "x-y").replace(b"@@", data).replace(b"x-y", encoding.encode())
    anyone.add_message("INBOX", whole)
    each = await message(connect, anyone)
    (found,) = each.attachments
    saved = (await found.save(tmp_path)).read_bytes()
    assert saved.startswith(b"PDF")
    assert saved == await found.read()
    assert bool(each.problems) == (encoding != "8bit")


async def test_a_missing_folder(connect: Connector, anyone: Server, tmp_path: Path) -> None:
    anyone.add_message("INBOX", attached("a.pdf"))
    (found,) = (await message(connect, anyone)).attachments
    with pytest.raises(FileNotFoundError):
        await found.save(tmp_path / "none" / "a.pdf")


@pytest.mark.parametrize("cut", [1_000_000, 2_000_000, 4_000_000])
async def test_a_download_goes_on_where_it_was_cut(
    connect: Connector, anyone: Server, tmp_path: Path, cut: int
) -> None:
    anyone.add_message("INBOX", attached("a.pdf", DATA))
    anyone.fail_next(Fault.cut_after_sent(cut))
    (found,) = (await message(connect, anyone)).attachments
    if cut < len(DATA):
        with pytest.raises(ConnectionLost):
            await found.save(tmp_path)
        (part_,) = inside(tmp_path)
        assert part_.endswith(".imaplus-part")
        assert (tmp_path / part_).stat().st_size > cut - 100_000
    (found,) = (await message(connect, anyone)).attachments
    before = anyone.sessions[-1].stream.sent
    path = await found.save(tmp_path)
    assert path.read_bytes() == DATA
    assert inside(tmp_path) == ["a.pdf"]
    if cut < len(DATA):
        rest = len(anyone.mailbox().messages[1].data) - cut
        assert anyone.sessions[-1].stream.sent - before < rest + 200_000


async def test_what_is_there_is_not_trusted_if_it_differs(
    connect: Connector, server: Server, tmp_path: Path
) -> None:
    server.add_message("INBOX", letter(body="x" * 500_000))
    server.fail_next(Fault.cut_after_sent(200_000))
    inbox = await (await connect(server)).select("INBOX")
    path = tmp_path / "message.eml"
    path.write_bytes(b"an older one")
    with pytest.raises(ConnectionLost):
        await inbox.download(1, path)
    assert path.read_bytes() == b"an older one"
    (left,) = [each for each in tmp_path.iterdir() if each != path]
    with left.open("r+b") as file:
        file.seek(-10, 2)
        file.write(b"0123456789")
    inbox = await (await connect(server)).select("INBOX")
    assert await inbox.download(1, path) == path.stat().st_size
    assert path.read_bytes() == server.mailbox().messages[1].data
    assert inside(tmp_path) == ["message.eml"]


async def test_a_message_to_bytes_a_file_and_a_path(
    connect: Connector, anyone: Server, tmp_path: Path
) -> None:
    anyone.add_message("INBOX", attached("a.pdf"))
    inbox = await (await connect(anyone)).select("INBOX")
    data = anyone.mailbox().messages[1].data
    assert await inbox.download(1) == data
    assert await inbox.download(1, section="2", binary=True) == b"PDF"
    assert await inbox.download(1, str(tmp_path / "x.eml")) == len(data)
    assert await inbox.download(1, tmp_path / "x.eml", section="2") == len(b"UERG\r\n")
    assert await inbox.download(1, tmp_path / "x.pdf", section="2", binary=True) == 3
    assert (tmp_path / "x.eml").read_bytes() == b"UERG\r\n"
    assert (tmp_path / "x.pdf").read_bytes() == b"PDF"


async def test_what_the_server_lacks_leaves_nothing(
    connect: Connector, server: Server, tmp_path: Path
) -> None:
    server.add_message("INBOX", letter())
    inbox = await (await connect(server)).select("INBOX")
    for uid, section in ((2, ""), (1, "7")):
        with pytest.raises(NoSuchMessage):
            await inbox.download(uid, tmp_path / "x", section=section)
    assert inside(tmp_path) == []


async def test_two_at_once_do_not_share_a_file(
    connect: Connector, server: Server, tmp_path: Path
) -> None:
    from imaplus.client.saving import Landing, Target

    target = Target(tmp_path, "a.pdf")
    one, other = Landing(target, ("same",)), Landing(target, ("same",))
    one.file.write(b"one")
    other.file.write(b"other")
    assert [one.publish().read_bytes(), other.publish().read_bytes()] == [b"one", b"other"]
    assert inside(tmp_path) == ["a (2).pdf", "a.pdf"]


def test_without_hard_links(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from imaplus.client.saving import Landing, Target

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    for name in ("a.pdf", "a (2).pdf"):
        landing = Landing(Target(tmp_path, "a.pdf"), None)
        landing.file.write(b"x")
        assert landing.publish().name == name
    assert inside(tmp_path) == ["a (2).pdf", "a.pdf"]


def test_any_size_in_constant_memory(server: Server, tmp_path: Path) -> None:
    """24 MiB of base64, decoded locally."""
    whole = attached("a.pdf", os.urandom(24 << 20))
    server.add_message("INBOX", whole)
    endpoint = Tcp(server.host, server.port, Security.PLAIN)
    with Client.connect(
        endpoint, user=server.user, password=server.password, security=Security.PLAIN
    ) as client:
        inbox = client.select("INBOX")
        client.connection.refuse("BINARY")
        (found,) = inbox.message(1).attachments
        tracemalloc.start()
        try:
            path = found.save(tmp_path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert path.stat().st_size == 24 << 20
    # The server lives in this process, too: what it sends in pieces is counted.
    assert peak < 12 << 20
