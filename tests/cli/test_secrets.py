"""Where secrets come from, and that no error repeats one."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.cli.errors import Exit, Stop
from imaplus.cli.secrets import LONGEST, Kind, Source, find_secret

SECRET = "correct horse, bättery"


def find(
    source: Source | None = None,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    prompt: Callable[[str], str] | None = None,
) -> tuple[Kind, str]:
    kind, secret = find_secret(
        source, what="ada", environ=environ or {}, stdin=io.BytesIO(stdin), prompt=prompt
    )
    assert repr(secret) == str(secret) == "***"
    return kind, secret.reveal()


def refused(exit: Exit, source: Source | None, **kwargs: object) -> str:
    with pytest.raises(Stop) as caught:
        find(source, **kwargs)  # type: ignore[arg-type]
    failure = caught.value.failure
    assert failure.exit is exit
    assert SECRET not in failure.message + failure.hint
    return failure.message


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\nlogin: ada\n"])
def test_standard_input_gives_its_first_line(ending: bytes) -> None:
    source = Source(Kind.PASSWORD, "stdin")
    assert find(source, stdin=SECRET.encode() + ending) == (Kind.PASSWORD, SECRET)


@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1))
def test_any_text_can_be_a_password(text: str) -> None:
    assert find(Source(Kind.PASSWORD, "stdin"), stdin=text.encode() + b"\n")[1] == text


def test_standard_input_is_read_no_further_than_the_line() -> None:
    stream = io.BytesIO(b"one\ntwo\n")
    Source(Kind.TOKEN, "stdin").read({}, stream)
    assert stream.read() == b"two\n"


def test_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n", encoding="utf-8")
    file.chmod(0o600)
    assert find(Source(Kind.TOKEN, "file", str(file))) == (Kind.TOKEN, SECRET)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    file.chmod(mode)
    assert f"{mode:04o}" in refused(Exit.USAGE, Source(Kind.PASSWORD, "file", str(file)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find(Source(Kind.PASSWORD, "file", str(tmp_path / "none")))


def command(code: str) -> Source:
    return Source(Kind.PASSWORD, "command", f'{sys.executable} -c "{code}"')


def test_a_command_gives_its_first_line_and_may_print_more() -> None:
    assert find(command("print('first'); print('x' * 300000)"))[1] == "first"


def test_a_command_is_given_to_no_shell(tmp_path: Path) -> None:
    source = Source(Kind.PASSWORD, "command", f"echo $HOME; touch {tmp_path}/made")
    assert find(source)[1].startswith("$HOME; touch")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "exit"),
    [
        (command(f"print({SECRET!r}); raise SystemExit(3)"), Exit.AUTHENTICATION),
        (command("pass"), Exit.AUTHENTICATION),
        (Source(Kind.PASSWORD, "command", "no-such-program-anywhere"), Exit.AUTHENTICATION),
        (Source(Kind.PASSWORD, "command", "'unbalanced"), Exit.USAGE),
        (Source(Kind.PASSWORD, "command", "  "), Exit.USAGE),
    ],
)
def test_commands_that_give_nothing(source: Source, exit: Exit) -> None:
    refused(exit, source)


def test_a_variable() -> None:
    assert find(Source(Kind.TOKEN, "env", "MAIL"), {"MAIL": SECRET}) == (Kind.TOKEN, SECRET)
    assert "MAIL" in refused(Exit.AUTHENTICATION, Source(Kind.PASSWORD, "env", "MAIL"))


def test_imaplus_password_comes_before_the_question_and_after_the_options() -> None:
    environ = {"IMAPLUS_PASSWORD": "from the environment"}
    assert find(None, environ, prompt=lambda _: "asked")[1] == "from the environment"
    assert find(Source(Kind.PASSWORD, "stdin"), environ, b"piped")[1] == "piped"


def test_somebody_is_asked_for_whom_it_is() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return SECRET

    assert find(prompt=ask)[1] == SECRET
    assert asked == ["Password for ada: "]


def test_there_is_no_terminal_to_ask_on() -> None:
    assert "no terminal" in refused(Exit.AUTHENTICATION, None)


@pytest.mark.parametrize(
    ("octets", "exit"),
    [
        (b"", Exit.AUTHENTICATION),
        (b"\n", Exit.AUTHENTICATION),
        (b"\r\n", Exit.AUTHENTICATION),
        (SECRET.encode() + b"\xff\n", Exit.USAGE),
        (SECRET.encode() * LONGEST, Exit.USAGE),
    ],
)
def test_what_cannot_be_a_secret(octets: bytes, exit: Exit) -> None:
    refused(exit, Source(Kind.PASSWORD, "stdin"), stdin=octets)
