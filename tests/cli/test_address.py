"""Accounts as users write them; and that a password in one is refused and never repeated."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from imaplus.cli.address import Address, is_address, parse_address
from imaplus.cli.errors import Exit, Failure, Stop

HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9-]{0,6}[a-z0-9]){1,3}", fullmatch=True)
# Anything that IMAP can carry; a lone surrogate has no UTF-8 and therefore no URL.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), min_size=1, max_size=30
)
# The last letter is in none of our own sentences.
SECRETS = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20).map("{}Ж".format)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@example.org", Address("address", "imap.example.org", user="ada@example.org")),
        (
            "ada@example.org:Lists/a:b",
            Address("address", "imap.example.org", user="ada@example.org", folder="Lists/a:b"),
        ),
        (
            "ada@example.org:@sent",
            Address("address", "imap.example.org", user="ada@example.org", folder="@sent"),
        ),
        ("ada@example.org:", Address("address", "imap.example.org", user="ada@example.org")),
        ("ada@localhost", Address("address", "localhost", user="ada@localhost")),
        ("ada@127.0.0.1", Address("address", "127.0.0.1", user="ada@127.0.0.1")),
        ("ada@[::1]:INBOX", Address("address", "::1", user="ada@[::1]", folder="INBOX")),
        ("ada@münchen.de", Address("address", "imap.münchen.de", user="ada@münchen.de")),
        ("demo:", Address("demo")),
        ("demo:@inbox", Address("demo", folder="@inbox")),
        ("DEMO:Sent", Address("demo", folder="Sent")),
        ("imap://h.example", Address("imap", "h.example")),
        ("IMAPS://h.example/", Address("imaps", "h.example")),
        ("imaps://ada@h.example:9933/", Address("imaps", "h.example", 9933, "ada")),
        ("imaps://ada@h.example:/", Address("imaps", "h.example", None, "ada")),
        ("imaps://ada@[::1]/", Address("imaps", "::1", None, "ada")),
        ("imaps://ada@[2001:db8::7]:143/x", Address("imaps", "2001:db8::7", 143, "ada", None, "x")),
        (
            "imap://ada%40example.org;auth=*@h.example/Gel%C3%B6scht",
            Address("imap", "h.example", None, "ada@example.org", "*", "Gelöscht"),
        ),
        (
            "imap://;AUTH=anonymous@h.example/",
            Address("imap", "h.example", None, None, "ANONYMOUS"),
        ),
        # not RFC 5092's, but what everybody writes
        (
            "imaps://ada@example.org@h.example/",
            Address("imaps", "h.example", user="ada@example.org"),
        ),
        (
            "imap://ada@h.example/a/b%2F%25;UIDVALIDITY=385759045",
            Address("imap", "h.example", None, "ada", None, "a/b/%", 385759045),
        ),
        ("imap://h.example/a@b:c", Address("imap", "h.example", folder="a@b:c")),
    ],
)
def test_forms(text: str, expected: Address) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "@example.org",
        "ada@",
        "ada@exa mple.org",
        "ada@-x.org",
        "ada@a@b.org",
        "ada@[::1",
        "ada@[localhost]",
        "ada@" + "a" * 64 + ".org",
        "a\nb@example.org",
        "http://example.org/",
        "imap://",
        "imap:///INBOX",
        "imap://@h.example/",
        "imap://h.example:0/",
        "imap://h.example:65536/",
        "imap://h.example:14e/",
        "imap://ada;PASS=x@h.example/",
        "imap://ada;AUTH=a b@h.example/",
        "imap://h.example/%zz",
        "imap://h.example/%ff",
        "imap://h.example/%0d%0aA1%20LOGOUT",
        "imap://h.example/x;UIDVALIDITY=0",
        "imap://h.example/x/;UID=5",
        "imap://h.example/x?SUBJECT%20y",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(Stop) as caught:
        parse_address(text)
    assert caught.value.failure.exit is Exit.USAGE


@pytest.mark.parametrize("text", ["work:", "work:INBOX", "work:@inbox"])
def test_an_unknown_name_of_an_account(text: str) -> None:
    with pytest.raises(Stop) as caught:
        parse_address(text)
    if "@" in text:
        # It may be a password, so it is treated as one.
        assert "INBOX" not in str(caught.value)
    else:
        assert caught.value.failure.exit is Exit.NOT_FOUND


def test_options_go_first() -> None:
    address = parse_address("ada@example.org:x", host="mail.example.net", user="countess")
    assert address == Address("address", "mail.example.net", user="countess", folder="x")
    assert address.account == "countess@mail.example.net"


@pytest.mark.parametrize(
    "text", ["ada@example.org", "imaps://ada%40example.org@imap.example.org/", "demo:x"]
)
def test_the_account_does_not_depend_on_how_it_is_written(text: str) -> None:
    expected = "demo" if text.startswith("demo") else "ada@example.org"
    assert parse_address(text).account == expected


@given(
    scheme=st.sampled_from(["imap", "imaps"]),
    host=HOSTS | st.just("2001:db8::1"),
    port=st.none() | st.integers(1, 65535),
    user=st.none() | TEXTS,
    mechanism=st.none() | st.sampled_from(["*", "PLAIN", "SCRAM-SHA-256"]),
    folder=st.none() | TEXTS,
    uidvalidity=st.none() | st.integers(1, 2**32 - 1),
)
def test_an_address_survives_its_url(
    scheme: str,
    host: str,
    port: int | None,
    user: str | None,
    mechanism: str | None,
    folder: str | None,
    uidvalidity: int | None,
) -> None:
    made = Address(scheme, host, port, user, mechanism, folder, uidvalidity)  # type: ignore[arg-type]
    assert parse_address(made.url()) == made


def test_an_at_sign_in_a_folder_behind_a_port_is_no_password() -> None:
    made = Address("imap", "localhost", 143, None, None, "a@b", None)
    assert made.url() == "imap://localhost:143/a%40b"
    assert parse_address(made.url()) == made


@given(text=st.text(max_size=60))
@example("imap://a:b@c/d")
@example("://")
@example("a@[")
@example("imap://[@]:1/")
def test_anything_is_parsed_or_refused(text: str) -> None:
    with suppress(Stop):
        assert parse_address(text).account


@given(secret=SECRETS, form=st.sampled_from(["imaps://ada:{}@imap.test/", "imap://ada:{}@h/INBOX"]))
@example(secret="12/34Ж", form="imap://ada:{}@h/INBOX")
@example(secret="1@34;Ж", form="imap://ada:{}@h/INBOX")
@example(secret="/#?Ж", form="imap://ada:{}@h/INBOX")
def test_a_password_in_a_url_is_refused_and_not_repeated(secret: str, form: str) -> None:
    failure = refusal(form.format(secret))
    assert secret not in failure.message + failure.hint


@given(secret=SECRETS)
def test_a_password_in_an_address_is_refused_and_not_repeated(secret: str) -> None:
    assume("@" not in secret and "://" not in secret)
    failure = refusal(f"ada:{secret}@example.org")
    assert "password" in failure.message
    assert secret not in failure.message + failure.hint


def refusal(text: str) -> Failure:
    with pytest.raises(Stop) as caught:
        parse_address(text)
    assert caught.value.failure.exit is Exit.USAGE
    return caught.value.failure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@example.org", True),
        ("demo:", True),
        ("imap://h/", True),
        ("mail", False),
        ("./ada@example.org", False),
        ("../x:y", False),
        ("/mail/ada@example.org", False),
        ("~/mail@home", False),
        (".", False),
    ],
)
def test_accounts_and_folders_of_this_disk_are_told_apart(text: str, expected: bool) -> None:
    assert is_address(text) is expected
