"""Bodies: streamed, stored once under their hash, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import StateError
from imaplus.mirror import ObjectWriter, Store, StoredObject, UnsafePath
from imaplus.mirror.objects import SPOOL


def files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.name != "reserve")  # room for a commit


def test_a_body_is_stored_under_its_hash(store: Store, put, root: Path) -> None:
    body = b"From: a\r\n\r\nFrom \0 here\nbare LF"
    stored = put(store, body)
    sha256 = hashlib.sha256(body).hexdigest()
    assert stored == StoredObject(sha256, len(body), new=True)
    store.commit()
    place = root / "objects" / sha256[:2] / f"{sha256[2:]}.eml"
    assert files(root / "objects") == [place]
    assert store.objects.path(sha256) == place
    assert place.read_bytes() == body
    assert place.stat().st_mode & 0o777 == 0o600
    with store.open_body(sha256) as file:
        assert file.read() == body
    assert list(store.objects.all()) == [sha256]


def test_the_same_body_is_stored_once(store: Store, put, root: Path) -> None:
    assert [put(store, b"x").new, put(store, b"x").new] == [True, False]
    store.commit()
    assert not put(store, b"x").new
    store.commit()
    assert len(files(root / "objects")) == 1
    assert files(root / "tmp") == []


@pytest.mark.parametrize("bits", [8, 1 << 23])
def test_each_body_is_known_whether_its_folder_is_new_or_not(
    root: Path, put, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many hashes meet in the sieve: it only says what need not be looked for."""
    monkeypatch.setattr("imaplus.mirror.objects._SIEVE", bits)
    for run in range(3):
        with Store.open(root, create=True, sync=False) as store:
            for number in range(60):
                assert put(store, b"%d" % number).new == (run == 0)
                assert put(store, b"%d %d" % (run, number)).new
                if number % 7 == 0:
                    store.commit()
            store.commit()
            for number in range(60):
                assert not put(store, b"%d" % number).new
                assert not put(store, b"%d %d" % (run, number)).new
    assert len(files(root / "objects")) == 60 * 4


def test_a_whole_body_is_stored_as_one_in_pieces(store: Store, put) -> None:
    bodies = [b"", b"x", bytes(SPOOL - 1), bytes(SPOOL + 1)]
    assert [store.put(body) for body in bodies[::2]] == [
        StoredObject(hashlib.sha256(body).hexdigest(), len(body), new=True) for body in bodies[::2]
    ]
    assert [put(store, body).new for body in bodies] == [False, True, False, True]
    assert not any(store.put(body).new for body in bodies)
    assert store.put(b"x", replace=True).new
    store.commit()
    for body in bodies:
        assert not store.put(body).new
        place = store.objects.path(hashlib.sha256(body).hexdigest())
        assert place.read_bytes() == body
    assert files(store.path / "tmp") == []


def test_a_body_that_was_removed_is_written_again(store: Store, put) -> None:
    stored = put(store, b"x")
    store.commit()
    store.objects.path(stored.sha256).unlink()
    assert put(store, b"x").new


@given(st.lists(st.binary(max_size=40), max_size=20), st.sampled_from([0, SPOOL - 50, 3 * SPOOL]))
def test_any_cutting_gives_the_same_body(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], filling: int
) -> None:
    with Store.open(tmp_path_factory.mktemp("mail"), create=True, sync=False) as store:
        writer = store.writer()
        reused = bytearray(64)
        for piece in [b"\r\n" * (filling // 2), *pieces]:
            reused[: len(piece)] = piece
            writer.write(memoryview(reused)[: len(piece)])
        stored = writer.close()
        store.commit()
        body = b"\r\n" * (filling // 2) + b"".join(pieces)
        assert store.objects.path(stored.sha256).read_bytes() == body
        assert stored.size == len(body)


def test_a_large_body_takes_no_memory(store: Store) -> None:
    piece = bytes(64 * 1024)
    writer = store.writer()
    tracemalloc.start()
    try:
        for _ in range(64 * 16):  # 64 MiB
            writer.write(piece)
        stored = writer.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stored.size == 64 * 1024 * 1024
    assert peak < 4 * SPOOL


@pytest.mark.parametrize("size", [0, 10, 3 * SPOOL])
def test_an_aborted_body_leaves_nothing(store: Store, root: Path, size: int) -> None:
    descriptors = len(list(Path("/dev/fd").iterdir()))
    writer = store.writer()
    writer.write(bytes(size))
    writer.abort()
    writer.abort()
    store.commit()
    assert files(root / "tmp") == files(root / "objects") == []
    assert len(list(Path("/dev/fd").iterdir())) == descriptors
    with pytest.raises(StateError):
        writer.write(b"more")
    with pytest.raises(StateError):
        writer.close()


def test_uncommitted_bodies_are_discarded(root: Path, put) -> None:
    with Store.open(root, create=True, sync=False) as store:
        put(store, b"x")
        assert len(files(root / "tmp")) == 1
    assert files(root / "tmp") == files(root / "objects") == []


def test_a_body_cut_short_by_a_power_cut_is_written_again(store: Store, put) -> None:
    stored = put(store, b"whole")
    store.commit()
    store.objects.path(stored.sha256).write_bytes(b"")
    assert put(store, b"whole").new
    store.commit()
    assert store.objects.path(stored.sha256).read_bytes() == b"whole"


def test_replace_heals_a_body_of_the_right_size(store: Store, put) -> None:
    stored = put(store, b"whole")
    store.commit()
    store.objects.path(stored.sha256).write_bytes(b"wrong")
    assert not put(store, b"whole").new
    writer = store.writer(replace=True)
    writer.write(b"whole")
    assert writer.close().new
    store.commit()
    assert store.objects.path(stored.sha256).read_bytes() == b"whole"


def test_a_planted_link_is_replaced_not_followed(store: Store, put, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"whole")
    sha256 = hashlib.sha256(b"whole").hexdigest()
    place = store.objects.path(sha256)
    place.parent.mkdir()
    place.symlink_to(victim)
    with pytest.raises(UnsafePath):
        store.open_body(sha256)
    assert put(store, b"whole").new
    store.commit()
    assert not place.is_symlink()
    victim.write_bytes(b"other")
    assert place.read_bytes() == b"whole"


def test_a_planted_link_for_a_folder_is_refused(store: Store, put, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    sha256 = hashlib.sha256(b"x").hexdigest()
    store.objects.path(sha256).parent.symlink_to(elsewhere)
    with pytest.raises(UnsafePath):
        put(store, b"x")
    assert files(elsewhere) == []


def test_a_planted_pipe_is_not_waited_for(store: Store) -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    store.objects.path(sha256).parent.mkdir()
    os.mkfifo(store.objects.path(sha256))
    with pytest.raises(UnsafePath):
        store.open_body(sha256)


@pytest.mark.parametrize("size", [10, 3 * SPOOL])
def test_after_a_full_disk_the_store_goes_on(
    store: Store, put, root: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    real = os.write

    def fill(writer: ObjectWriter, size: int) -> None:
        writer.write(bytes(size))
        writer.close()

    def full(fd: int, data: bytes) -> int:
        real(fd, bytes(data)[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    kept = put(store, b"kept")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        writer = store.writer()
        with pytest.raises(OSError, match="space") as caught:
            fill(writer, size)
        writer.abort()
    assert str(caught.value.filename).startswith(str(root / "tmp"))
    assert len(files(root / "tmp")) == 1
    later = put(store, bytes(size))
    store.commit()
    assert list(store.objects.all()) == sorted([kept.sha256, later.sha256])
    assert store.inspect().clean
