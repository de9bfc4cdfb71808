"""HTML to text: the fallback, and inscriptis where it is installed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.reading.markup import html_to_text, render, text_to_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("One<br>Two<br/><br />Three", "One\nTwo\n\nThree\n"),
        ("a &amp; b &lt;c&gt; &uuml; &#8364; &nope;", "a & b <c> ü € &nope;\n"),
        ("  much \n\t space  <b> here </b> ", "much space here\n"),
        ("<ul><li>one<li>two<ul><li>three</ul></ul>", "* one\n* two\n  * three\n"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
        ("<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\n\nd\n"),
        ("<style>p { x: '</p>' }</style><script>if (a < b) x()</script>text", "text\n"),
        ("<head><title>no</title></head>yes", "yes\n"),
        ("<!-- no --> yes <!doctype html> <?xml no?>", "yes\n"),
        ('<div style="display: none">no <p>no</p></div>yes', "yes\n"),
        ('<span hidden>no</span>yes<img hidden alt="no">', "yes\n"),
        ('<p hidden="">no</p><p class="hidden" aria-hidden="true">yes</p>', "yes\n"),
        ('<a href="https://example.org/?a=1&b=2">link</a>', "link\n"),
        ('<img src=x alt="a &gt; b"> and <img src=y>', "a > b and\n"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2\n"),
        ("<DIV>One</DIV><DIV>Two</DIV>", "One\nTwo\n"),
        ("cut <b", "cut\n"),
        ("open <!-- for ever", "open\n"),
        ("<script>for ever", ""),
        ("", ""),
        ("&nbsp;", ""),
    ],
)
def test_the_fallback(html: str, text: str) -> None:
    assert render(html) == text


@given(st.text(alphabet="<>/ab=\"'!-&; \nbrp", max_size=200))
def test_nothing_raises(html: str) -> None:
    assert render(html) == render(html)


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a '", '<a "', "<div>", "</", "<script>", "<p hidden>", "&", "<li>"]
)
def test_hostile_html_is_read_to_its_end(piece: str) -> None:
    """More than linear time would exceed the time limit of the test."""
    render(piece * 100_000)


def test_text_among_html() -> None:
    assert "&lt;script&gt;" in text_to_html("<script>")


def test_inscriptis_is_used_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaplus.reading.markup._inscriptis", lambda: lambda html: "\n it \n\n\n")
    assert html_to_text("<p>x") == " it\n"

    def fails(html: str) -> str:
        raise ValueError("no document")

    monkeypatch.setattr("imaplus.reading.markup._inscriptis", lambda: fails)
    assert html_to_text("<p>x") == "x\n"


def test_inscriptis_itself() -> None:
    pytest.importorskip("inscriptis")
    assert html_to_text("<p>One</p><p>Two &amp; three</p>") == "One\n\nTwo & three\n"
