"""Safe names of attachments: any input gives one safe path component."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.encoded_words import decode_parameter
from imaplus.reading.names import LONGEST, add_number, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Übersicht 2026.pdf", "Übersicht 2026.pdf"),
        ("日本語.txt", "日本語.txt"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\..\\boot.ini", "_.._boot.ini"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\autoexec.bat", "C__autoexec.bat"),
        (".bashrc", "bashrc"),
        ("..", "attachment"),
        ("", "attachment"),
        (None, "attachment"),
        ("   ", "attachment"),
        ("a\0b\r\nc\x1bd", "ab cd"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("LPT1 .pdf", "_LPT1 .pdf"),
        ("COM¹", "_COM¹"),
        ("console.log", "console.log"),
        ("name. . ", "name"),
        ("-rf", "_rf"),
        ("~root", "root"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("zero\u200bwidth", "zerowidth"),
        ("\ud800x", "x"),
        ("x" * 300 + ".pdf", "x" * (LONGEST - 4) + ".pdf"),
        ("ü" * 300, "ü" * (LONGEST // 2)),
        ("a\u0308.txt", "ä.txt"),
        ("a\u200e\u0308  b.txt", "ä b.txt"),
    ],
)
def test_safe_names(name: str | None, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_any_name_is_safe(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not set(safe) & set('/\\:*?"<>|\0\r\n')
    assert not safe.startswith((".", "-", " "))
    assert not safe.endswith((".", " "))
    assert len(safe.encode()) <= LONGEST
    assert safe.isprintable() or " " in safe
    assert safe_name(safe) == safe


def test_numbers() -> None:
    assert [add_number("a.tar.gz", n) for n in (1, 2, 3)] == [
        "a.tar.gz",
        "a.tar (2).gz",
        "a.tar (3).gz",
    ]
    assert add_number("README", 2) == "README (2)"


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"filename*": "utf-8''%C3%9Cber.pdf"}, "Über.pdf"),
        ({"filename*0": "=?utf-8?B?w5xi", "filename*1": "ZXIucGRm?="}, "Über.pdf"),
        ({"filename*": "utf-8''%3D%3Futf-8%3FQ%3FAnn%3F%3D"}, "Ann"),
        ({"filename": "utf-8''%C3%9Cber.pdf"}, "Über.pdf"),
        ({"filename": "=?utf-8?Q?=C3=9Cber.pdf?="}, "Über.pdf"),
        ({"filename": "it's 100%25 'good'.pdf"}, "it's 100%25 'good'.pdf"),
        ({"filename*": "no-charset%20here.pdf"}, "no-charset here.pdf"),
        ({"filename*": "x-nonsense''%C3%9C.pdf"}, "Ü.pdf"),
    ],
)
def test_names_as_they_travel(params: dict[str, str], name: str) -> None:
    assert decode_parameter(params, "filename") == name
