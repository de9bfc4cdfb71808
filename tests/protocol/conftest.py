"""Modules that ask for `lane` are run twice: without a bulk reader, and with one for every read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from imaplus.core.bulk.reader import Reader
from imaplus.protocol.bulk import Bulk

from .talking import Talk

LANES: dict[str, Bulk | None] = {"general": None, "bulk": partial(Reader, least=0)}


@pytest.fixture(scope="module", params=LANES)
def lane(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the lane that connections of `Talk` use unless told otherwise."""
    Talk.lanes.append(LANES[request.param])
    yield request.param
    Talk.lanes.pop()
