"""A mailbox's folder: readable for ordinary names, harmless for all, and never shared by two."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.mirror import Store
from imaplus.mirror.names import MAX_BYTES, MAX_NAME, folder_name, kept_name, shown_name


@pytest.mark.parametrize(
    ("mailbox", "folder"),
    [
        ("INBOX", "INBOX"),
        ("INBOX.Sent", "INBOX.Sent"),
        ("Sent Items", "Sent Items"),
        ("Archive/2024", "Archive%2F2024"),
        ("[Gmail]/All Mail", "[Gmail]%2FAll Mail"),
        ("100%", "100%25"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("Dot.", "Dot%2E"),
    ],
)
def test_ordinary_names_stay_readable(mailbox: str, folder: str) -> None:
    assert folder_name(mailbox) == folder


@pytest.mark.parametrize(
    ("mailbox", "start"),
    [
        ("inbox", "inbox~"),
        ("Entwürfe", "Entwürfe~"),
        ("Отправленные", "Отправленные~"),
        ("lists/python-dev", "lists%2Fpython-dev~"),
        ("/etc/passwd", "%2Fetc%2Fpasswd~"),
        ("../../x", "%2E.%2F..%2Fx~"),
        ("C:\\Windows", "C%3A%5CWindows"),
        ("a\0b\x1b[2J\n", "a%00b%1B[2J%0A~"),
        ("con", "%63on~"),
        ("Com1.Txt", "%43om1.Txt"),
        ("bad\udcff", "bad%ED%B3%BF~"),
        ("x" * 300, "x" * 100),
    ],
)
def test_other_names_are_escaped_and_told_apart(mailbox: str, start: str) -> None:
    assert folder_name(mailbox).startswith(start)


def test_length_is_bounded_and_absurd_names_are_refused() -> None:
    assert len(folder_name("ü" * 500).encode()) <= MAX_BYTES
    assert "%" not in folder_name("x" * (MAX_BYTES - 18) + "/" * 5).rpartition("~")[0][-2:]
    for absurd in ("", "x" * (MAX_NAME + 1)):
        with pytest.raises(InvalidArgument):
            folder_name(absurd)


def folded(name: str) -> str:
    """What the most forgetful file system makes of a name."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold()).casefold()


characters = st.characters() | st.sampled_from("aAbBiIıİſsKkÅ/\\.:% ~\0\x1b\udc80é")
mailboxes = st.text(characters, min_size=1, max_size=12) | st.text(min_size=100, max_size=400)
spellings = st.sampled_from(
    [str.lower, str.upper, str.title, str.swapcase, str.casefold]
    + [lambda name, form=form: unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC")]
)


@given(mailboxes, mailboxes)
def test_two_mailboxes_never_share_a_folder(one: str, two: str) -> None:
    if one != two:
        assert folded(folder_name(one)) != folded(folder_name(two))


@given(mailboxes, spellings)
def test_two_spellings_never_share_a_folder(one: str, spelling: object) -> None:
    assert callable(spelling)
    two = spelling(one)
    if one != two:
        assert folded(folder_name(one)) != folded(folder_name(two))


@given(mailboxes)
def test_a_folder_is_one_harmless_component(mailbox: str) -> None:
    folder = folder_name(mailbox)
    assert 0 < len(folder.encode("utf-8")) <= MAX_BYTES
    assert folder == folder_name(mailbox)
    assert not set(folder) & set('/\\:*?"<>|\x7f')
    assert folder.isprintable()
    assert folder[0] not in ". "
    assert folder[-1] not in ". "
    assert folder.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert unicodedata.is_normalized("NFC", folder)


@given(st.lists(mailboxes, min_size=1, max_size=5, unique=True))
def test_true_names_come_back_from_the_disk(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    root = outside / "a" / "b" / "mail"
    with Store.open(root, create=True, sync=False) as store:
        for name in names:
            store.mailbox(name, 1).mark(exists=0)
        store.commit()
        assert [info.name for info in store.mailboxes()] == sorted(map(shown_name, names))
    inside = [path for path in outside.rglob("*") if path.is_file() and root not in path.parents]
    assert inside == []
    found = {
        json.loads(path.read_bytes())["name"] for path in root.glob("mailboxes/*/mailbox.json")
    }
    assert found == set(map(kept_name, names))


def test_an_undecodable_byte_is_stored_as_in_older_stores(root: Path) -> None:
    shown, kept = "bad\ufffdFF", "bad\udcff"
    assert (kept_name(shown), shown_name(kept)) == (kept, shown)
    with Store.open(root, create=True, sync=False) as store:
        store.mailbox(kept, 1).mark(exists=0)
        store.commit()
    (path,) = root.glob("mailboxes/*")
    assert path.name == folder_name(kept) == folder_name(shown)
    assert json.loads((path / "mailbox.json").read_bytes())["name"] == kept
    with Store.open(root, sync=False) as store:
        assert [info.name for info in store.mailboxes()] == [shown]
        assert store.mailbox(shown, 1).checkpoint is not None
        assert store.mailbox(shown, 1) is store.mailbox(kept, 1)
    assert list(root.glob("mailboxes/*")) == [path]


def test_a_folder_of_another_mailbox_is_not_taken(root: Path) -> None:
    with Store.open(root, create=True, sync=False) as store:
        store.mailbox("Sent", 1)
        described = root / "mailboxes" / "Sent" / "mailbox.json"
        described.write_text(json.dumps({"name": "Other"}))
        with pytest.raises(Exception, match="belongs to 'Other'"):
            store.mailbox("Sent", 2)
