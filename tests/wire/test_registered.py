"""Names of flags, keywords and special uses: as the registries write them, whatever comes."""

from __future__ import annotations

import pickle

import pytest

from imaplus import Flag, Keyword, SpecialUse
from imaplus.core.listing import SPECIAL_USES
from imaplus.wire.cursor import Cursor
from imaplus.wire.flags import flags_of
from imaplus.wire.frames import Frame
from imaplus.wire.tokens import SPELLING


def test_constants_are_texts() -> None:
    assert Flag.SEEN == "\\Seen"
    assert f"{Flag.SEEN} {Keyword.JUNK}" == "\\Seen $Junk"
    assert {Flag.SEEN, "\\Seen"} == {"\\Seen"}
    assert pickle.loads(pickle.dumps(SpecialUse.SENT)) is SpecialUse.SENT


def test_what_is_read_is_spelled_as_the_constants() -> None:
    known = [*(each for each in Flag if each is not Flag.WILDCARD), *Keyword]
    assert sorted(SPELLING.values()) == sorted(known)
    assert set(SpecialUse) == SPECIAL_USES


@pytest.mark.parametrize("written", [rb"(\SEEN $junk work)", rb'("\\seen" $JUNK work)'])
def test_registered_names_have_no_case(written: bytes) -> None:
    found = Cursor(Frame(written)).flag_list()
    assert found == {Flag.SEEN, Keyword.JUNK, "work"}
    assert {type(each) for each in found} == {str}


def test_other_names_stay_as_they_are() -> None:
    assert Cursor(Frame(b"(Work WORK $Work)")).flag_list() == {"Work", "WORK", "$Work"}


def test_constants_become_texts() -> None:
    for flags in (Flag.SEEN, [Flag.SEEN], frozenset({Flag.SEEN})):
        assert [type(each) for each in flags_of(flags)] == [str]
