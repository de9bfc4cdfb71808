"""Arguments, and the environment behind them."""

from __future__ import annotations

import argparse

import pytest

from imaplus.cli.errors import Exit, Stop
from imaplus.cli.main import VERBS, parse
from imaplus.cli.secrets import Kind, Source

ARGUMENTS = {
    "backup": ["demo:", "mail"],
    "verify": ["mail", "demo:"],
    "ls": ["demo:"],
    "search": ["demo:", "lunch"],
    "demo": ["mail"],
    "testserver": [],
}
"""What each verb takes beside options."""


def stopped(words: list[str], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(Stop) as caught:
        parse(words, environ or {})
    assert caught.value.failure.exit is Exit.USAGE
    return f"{caught.value.failure.message} {caught.value.failure.hint}"


def backup(*words: str, **environ: str) -> argparse.Namespace:
    return parse(["backup", *words, "demo:"], environ)


def test_what_is_so_without_options() -> None:
    args = backup()
    assert args.verb.__name__ == "imaplus.cli.verbs.backup"
    assert (args.account, args.directory) == ("demo:", None)
    assert (args.mailbox, args.exclude) == ([], [])
    assert (args.host, args.port, args.security, args.secret) == (None, None, None, None)
    assert not any((args.quiet, args.debug, args.dry_run, args.no_sync))
    assert args.json is args.jsonl is None


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("IMAPLUS_CA_FILE", "ca.pem", "ca_file", "ca.pem"),
        ("IMAPLUS_TIMEOUT", "2.5", "timeout", 2.5),
        ("IMAPLUS_SECURITY", "plain", "security", "plain"),
        ("IMAPLUS_SECURITY", "", "security", None),
        ("IMAPLUS_PORT", "1143", "port", 1143),
        ("IMAPLUS_QUIET", "yes", "quiet", True),
        ("IMAPLUS_QUIET", "0", "quiet", False),
        ("IMAPLUS_DRY_RUN", "1", "dry_run", True),
        ("IMAPLUS_MAILBOX", "INBOX\nLists/a, b\n", "mailbox", ["INBOX", "Lists/a, b"]),
        ("IMAPLUS_JSON", "1", "json", ()),
        ("IMAPLUS_JSON", "0", "json", None),
        ("IMAPLUS_JSON", "messages,octets", "json", ("messages", "octets")),
        ("IMAPLUS_PASSWORD_STDIN", "1", "secret", Source(Kind.PASSWORD, "stdin")),
        ("IMAPLUS_PASSWORD_STDIN", "0", "secret", None),
        ("IMAPLUS_PROXY", "http://ada:secret@proxy", "proxy", "http://ada:secret@proxy"),
        ("IMAPLUS_MECHANISM", "PLAIN\nLOGIN", "mechanism", ["PLAIN", "LOGIN"]),
        ("IMAPLUS_TOKEN_FILE", "t", "secret", Source(Kind.TOKEN, "file", "t")),
    ],
)
def test_every_option_can_come_from_the_environment(
    variable: str, text: str, name: str, value: object
) -> None:
    assert getattr(backup(**{variable: text}), name) == value


def test_the_command_line_goes_first() -> None:
    environ = {"IMAPLUS_SECURITY": "plain", "IMAPLUS_PASSWORD_FILE": "a", "IMAPLUS_EXCLUDE": "x"}
    args = backup(
        "--security", "tls", "--password-env", "B", "--exclude", "y", "--exclude", "z", **environ
    )
    assert args.security == "tls"
    assert args.secret == Source(Kind.PASSWORD, "env", "B")
    assert args.exclude == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("IMAPLUS_PORT", "many"),
        ("IMAPLUS_SECURITY", "none"),
        ("IMAPLUS_QUIET", "maybe"),
        ("IMAPLUS_TIMEOUT", "nan"),
    ],
)
def test_a_wrong_value_in_the_environment_names_the_variable(variable: str, text: str) -> None:
    assert variable in stopped(["backup", "demo:"], {variable: text})


def test_one_source_of_the_secret() -> None:
    assert "given already" in stopped(["ls", "demo:", "--password-stdin", "--token-file", "x"])
    environ = {"IMAPLUS_PASSWORD_FILE": "x", "IMAPLUS_TOKEN_FILE": "y"}
    assert "second" in stopped(["ls", "demo:"], environ)


@pytest.mark.parametrize(
    "words",
    [["--quiet", "--json", "ls", "demo:"], ["ls", "--quiet", "--json", "demo:"],
     ["--quiet", "ls", "--json", "demo:"], ["ls", "demo:", "-q", "--json"]],
)  # fmt: skip
def test_common_options_stand_before_or_behind_the_verb(words: list[str]) -> None:
    args = parse(words, {})
    assert (args.quiet, args.json, args.account) == (True, (), "demo:")


def test_json_takes_fields_only_behind_an_equals_sign() -> None:
    assert parse(["ls", "--json", "demo:"], {}).account == "demo:"
    assert parse(["ls", "--json=name,size", "demo:"], {}).json == ("name", "size")
    assert "fields are: name" in stopped(["ls", "--json=name,weight", "demo:"])


@pytest.mark.parametrize(
    "words",
    [
        "backup demo: --exclude X mail",
        "backup --exclude X demo: mail",
        "backup demo: mail --exclude X",
        "backup demo: --exclude=X -n mail",
        "backup -q demo: -n --exclude X mail --json",
        "backup demo: -nq --exclude X -- mail",
        "-q backup demo: --exclude X mail",
    ],
)
def test_options_stand_anywhere(words: str) -> None:
    args = parse(words.split(), {"IMAPLUS_SECURITY": "plain"})
    found = (args.account, args.directory, args.exclude, args.security)
    assert found == ("demo:", "mail", ["X"], "plain")
    assert args.quiet is ("q" in words)
    assert args.dry_run is ("-n" in words)


@pytest.mark.parametrize("verb", VERBS)
def test_options_stand_anywhere_for_all_verbs(verb: str) -> None:
    before = parse([verb, "--quiet", *ARGUMENTS[verb]], {})
    first, *rest = [*ARGUMENTS[verb], "--quiet"]
    between = parse([verb, first, "--quiet", *rest], {})
    assert vars(between) == vars(before)


def test_words_behind_two_hyphens_are_no_options() -> None:
    args = parse(["backup", "--", "--json", "--quiet"], {})
    assert (args.account, args.directory, args.json) == ("--json", "--quiet", None)
    args = parse(["backup", "demo:", "--quiet", "--", "-x"], {})
    assert (args.account, args.directory, args.quiet) == ("demo:", "-x", True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("backup", "required: ACCOUNT"),
        ("backup demo: --exclude", "--exclude: expected one argument"),
        ("backup demo: --exclude --quiet mail", "--exclude: expected one argument"),
        ("backup --exclude -- X", "--exclude: expected one argument"),
        ("backup demo: --quiet a b", "1 argument too many"),
        ("backup demo: --exclode X mail more", "unknown option --exclode, 2 arguments too many"),
        ("backup demo: -x mail", "unknown option -x"),
        ("verify d --port many demo:", "--port: a port must be a number"),
        ("verify d --quiet=1 demo:", "takes no value"),
        ("testserver -- x", "1 argument too many"),
    ],
)
def test_what_is_wrong_between_arguments(words: str, said: str) -> None:
    assert said in stopped(words.split())


@pytest.mark.parametrize(
    "words",
    [
        ["ls", "demo:", "--password", "hunter2"],
        ["ls", "demo:", "--password=hunter2"],
        ["--passwd=hunter2", "ls", "demo:"],
        ["ls", "demo:", "--pasword", "hunter2"],
        ["ls", "demo:", "--password-stdin", "hunter2"],
        ["ls", "demo:", "--password-stdin=hunter2"],
        ["ls", "demo:", "--token=hunter2"],
        ["ls", "demo:", "-phunter2"],
        ["ls", "imap://ada:hunter2@h/", "--port", "x"],
        ["ls", "--port=hunter2", "demo:"],
    ],
)
def test_no_complaint_repeats_a_secret(words: list[str]) -> None:
    assert "hunter2" not in stopped(words)


@pytest.mark.parametrize(
    "words",
    [[], ["ls"], ["nothing"], ["ls", "demo:", "--tre"], ["ls", "demo:", "--port", "65536"],
     ["ls", "demo:", "--timeout", "0"], ["testserver", "--tls", "--starttls"]],
)  # fmt: skip
def test_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    stopped(words)
    assert capsys.readouterr().out == ""
