"""Fixtures for the tests of the store: a fresh one, and a short way to put a message into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imaplus.mirror import Store, StoredObject

Put = Callable[[Store, bytes], StoredObject]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with Store.open(root, create=True, sync=False) as store:
        yield store


@pytest.fixture
def put() -> Put:
    def put(store: Store, body: bytes) -> StoredObject:
        writer = store.writer()
        writer.write(body)
        return writer.close()

    return put
