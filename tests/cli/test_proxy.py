"""Through a proxy, and by which mechanism: what the command line and the environment say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imaplus.cli.connecting import proxy_for
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.main import main, parse
from imaplus.testing import Fault, Server

from ..client.proxy import SmallProxy

PASSWORD = "correct horse"
URL = "imap://ada@imap.example.org:1143/"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", PASSWORD)
    for name in ("all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(password=PASSWORD) as server:
        yield server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_by_option(server: Server, run: Run, kind: str) -> None:
    with SmallProxy(kind, server.port) as proxy:
        code, out, _ = run("ls", URL, "--security", "plain", "--proxy", proxy.url)
    assert (code, out) == (0, "INBOX\n")
    assert proxy.asked == [("imap.example.org", 1143)]


def test_by_environment(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with SmallProxy("socks5", server.port, login=("ada", "hunter2")) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url_for("ada", "hunter2"))
        assert run("ls", URL, "--security", "plain")[0] == 0
        assert len(proxy.asked) == 1
        assert run("ls", server.url, "--security", "plain")[0] == 0
        assert len(proxy.asked) == 1, "what is on this machine needs no proxy"
        monkeypatch.setenv("IMAPLUS_PROXY", proxy.url_for("ada", "wrong-one"))
        code, _, err = run("ls", URL, "--security", "plain")
    assert code == 5
    assert "NO_PROXY" in err
    assert "does not accept its user and password" in err
    assert "wrong-one" not in err


@pytest.mark.parametrize("form", ["--proxy={}", "--proxy {}"])
def test_a_password_is_not_for_the_command_line(form: str) -> None:
    words = form.format("socks5://ada:hunter2@proxy").split()
    with pytest.raises(Stop) as caught:
        parse(["ls", *words, "demo:"], {})
    failure = caught.value.failure
    assert failure.exit is Exit.USAGE
    assert "IMAPLUS_PROXY" in failure.hint
    assert "hunter2" not in f"{failure.message} {failure.hint}"


def test_what_is_no_proxy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks4://ada:hunter2@proxy")
    code, _, err = run("ls", URL)
    assert code == 2
    assert "socks5://" in err
    assert "hunter2" not in err


@pytest.mark.parametrize(
    ("host", "but", "used"),
    [
        ("imap.example.org", "", True),
        ("imap.example.org", "example.com, example.net", True),
        ("imap.example.org", "example.org", False),
        ("imap.example.org", "EXAMPLE.org.", False),
        ("imap.example.org", " .example.org ", False),
        ("imap.example.org", "imap.example.org", False),
        ("imap.example.org", "imap.example.org:143", True),
        ("imap.example.org", "imap.example.org:993", False),
        ("imap.example.org", "ample.org", True),
        ("imap.example.org", "*", False),
        ("imap.example.org", ",,", True),
        ("192.0.2.7", "192.0.2.0/24", False),
        ("192.0.3.7", "192.0.2.0/24", True),
        ("imap.example.org", "192.0.2.0/24", True),
        ("2001:db8::7", "2001:db8::/32", False),
        ("2001:db8::7", "2001:db8::7", False),
        ("2001:db8::7", "[2001:db8::7]:993", False),
        ("2001:db8::7", "[2001:db8::7]:143", True),
        ("localhost", "", False),
        ("mail.localhost.", "", False),
        ("127.1.2.3", "", False),
        ("::1", "", False),
        ("127.example.org", "", True),
    ],
)
def test_who_is_reached_directly(host: str, but: str, used: bool) -> None:
    environ = {"ALL_PROXY": "socks5://proxy", "NO_PROXY": but}
    assert proxy_for(host, 993, environ) == ("socks5://proxy" if used else None)


def test_how_the_environment_is_read() -> None:
    assert proxy_for("x.org", 993, {}) is None
    assert proxy_for("x.org", 993, {"ALL_PROXY": ""}) is None
    assert proxy_for("x.org", 993, {"ALL_PROXY": "proxy:3128"}) == "http://proxy:3128"
    both = {"ALL_PROXY": "http://upper", "all_proxy": "http://lower"}
    assert proxy_for("x.org", 993, both) == "http://lower"
    assert proxy_for("x.org", 993, {**both, "no_proxy": "x.org"}) is None


# -- mechanisms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "used"),
    [
        (["--mechanism", "plain"], "PLAIN"),
        (["--mechanism", "X-NEW", "--mechanism", "CRAM-MD5", "--mechanism", "PLAIN"], "CRAM-MD5"),
    ],
)
def test_the_mechanism_of_an_option(
    server: Server, run: Run, words: list[str], used: str, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    url = server.url.replace("ada@", "ada;AUTH=SCRAM-SHA-1@")
    assert run("ls", url, "--security", "plain", "--trace", trace, *words)[0] == 0
    assert f" AUTHENTICATE {used}" in trace.read_text()


def test_a_failure_names_the_option(server: Server, run: Run) -> None:
    server.fail_next(Fault.fail_login("[AUTHENTICATIONFAILED] No"))
    code, _, err = run("ls", server.url, "--security", "plain")
    assert code == 4
    assert "the server may not take SCRAM-SHA-256 for this user: try --mechanism PLAIN." in err


def test_a_mechanism_that_the_server_has_not(server: Server, run: Run) -> None:
    code, _, err = run("ls", server.url, "--security", "plain", "--mechanism", "X-NEW")
    assert code == 6
    assert "--mechanism" in err


def test_a_token_is_needed(server: Server, run: Run) -> None:
    code, _, err = run("ls", server.url, "--security", "plain", "--mechanism", "xoauth2")
    assert code == 4
    assert "--token-command" in err
