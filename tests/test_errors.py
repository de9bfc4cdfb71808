"""Errors travel: every class of ours survives pickle and copy, also across processes."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Any

import pytest

import imaplus
from imaplus import errors, imaplib
from imaplus.errors import MessageRefused, quote, shorten
from imaplus.protocol import status
from imaplus.protocol.refusals import error_for
from imaplus.protocol.response import parse
from imaplus.protocol.status import Status
from imaplus.wire.frames import Frame
from imaplus.wire.secret import Secret

SKIPPED = ("imaplus.__main__", "imaplus.imaplib.__main__")
"""Modules that do something when they are imported."""
PRIVATE = ("imaplus.testing.", "imaplus.cli.", "imaplus.core.bulk.structures")
"""Where errors stay inside: no caller of the library ever gets one."""
SAMPLES: dict[str, object] = {
    "str": "Grüße 'an' \\ alle",
    "int": 7,
    "float": 1.5,
    "object": None,
    "bool": True,
    "tuple[str, ...]": ("AUTH=PLAIN", "LOGIN"),
    "Sequence[str]": ("AUTH=PLAIN", "LOGIN"),
    "Iterable[str]": ("AUTH=PLAIN", "LOGIN"),
    "frozenset[str]": frozenset({"PLAIN"}),
}


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


def all_errors() -> list[type[BaseException]]:
    for module in pkgutil.walk_packages(imaplus.__path__, "imaplus."):
        if module.name not in SKIPPED and not module.name.endswith("__main__"):
            import_module(module.name)
    return sorted(
        (
            kind
            for kind in subclasses(BaseException)
            if kind.__module__.startswith("imaplus") and not kind.__module__.startswith(PRIVATE)
        ),
        key=lambda kind: (kind.__module__, kind.__qualname__, kind.__mro__[1].__name__),
    )


KINDS = all_errors()


def sample(kind: type[BaseException]) -> BaseException:
    """An error of this class as it is raised: a new class needs nothing here, unless what it is
    made of has a type that is new too."""
    given: dict[str, Any] = {}
    if "__init__" in {name for each in kind.__mro__[:-3] for name in vars(each)}:
        for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                given[name] = SAMPLES[str(parameter.annotation).partition(" |")[0]]
    error = kind(**given) if given else kind("what happened, and why")
    if hasattr(error, "last_words"):
        error.last_words = ("* NO [ALERT] going down", "220 what?")
    error.__dict__["retry_after"] = 92.4
    error.add_note("seen on a Monday")
    return error


def assert_same(one: BaseException, other: BaseException) -> None:
    assert type(other) is type(one)
    assert str(other) == str(one)
    assert other.args == one.args
    assert vars(other) == vars(one)


def test_there_are_errors_of_every_part() -> None:
    assert {errors.OverQuota, MessageRefused, imaplib.IMAP4.readonly} <= set(KINDS)
    assert any(kind.__module__ == "imaplus.mirror.errors" for kind in KINDS)
    public = {getattr(errors, name) for name in errors.__all__}
    assert {kind for kind in public if inspect.isclass(kind) and issubclass(kind, Exception)} <= {
        *KINDS
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_an_error_survives_pickle_and_copy(kind: type[BaseException]) -> None:
    error = sample(kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert_same(error, pickle.loads(pickle.dumps(error, protocol)))
    assert_same(error, copy.copy(error))
    assert_same(error, copy.deepcopy(error))


def test_the_part_that_is_done_stays_behind() -> None:
    """It may hold what cannot be pickled."""
    error = errors.PartlyDone("UID FETCH", "OK", "MESSAGELIMIT", "no more", argument="3 10")
    error.part = [lambda: None]
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert_same(error, other)
        assert other.part is None


def raise_sample(number: int) -> None:
    raise sample(KINDS[number])


def test_errors_cross_a_process_pool() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        running = [pool.submit(raise_sample, number) for number in range(len(KINDS))]
        for kind, future in zip(KINDS, running, strict=True):
            error = future.exception(60)
            assert error is not None
            assert_same(sample(kind), error)


ARGUMENTS = {
    "APPENDUID": "1 7",
    "BADCHARSET": "(UTF-8 US-ASCII)",
    "CAPABILITY": "IMAP4rev1 IDLE",
    "COPYUID": "1 1:3 7:9",
    "HIGHESTMODSEQ": "715194045007",
    "MAILBOXID": "(F2212ea87-6097-4256-9d51-71338625)",
    "METADATA": "MAXSIZE 100",
    "MODIFIED": "7,9",
    "PERMANENTFLAGS": "(\\Seen \\*)",
    "WEBALERT": "https://example.org/login",
}
"""Of codes whose argument is no number."""


@pytest.mark.parametrize("code", sorted(status._codes))
def test_so_does_what_a_response_code_holds(code: str) -> None:
    line = f"A1 NO [{code} {ARGUMENTS.get(code, '7')}] no".encode()
    status = parse(Frame(line))
    assert isinstance(status, Status)
    assert status.data is not None, f"give the argument of {code} above"
    error = error_for(status, "NOOP")
    assert_same(error, pickle.loads(pickle.dumps(error)))
    assert_same(error, copy.deepcopy(error))


def test_secrets_do_not_travel() -> None:
    """A copy in memory is the secret itself: `dataclasses.asdict` makes one of credentials."""
    secret = Secret("hunter2")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    assert copy.copy(secret) is copy.deepcopy(secret) is secret


# -- what an error says ----------------------------------------------------------------------------


def refusal(line: str) -> errors.CommandError:
    status = parse(Frame(line.encode()))
    assert isinstance(status, Status)
    return error_for(status, "SELECT")


@pytest.mark.parametrize(
    ("line", "code", "argument"),
    [
        (
            "A1 NO [REFERRAL imap://ann@b.example.org/] moved",
            "REFERRAL",
            "imap://ann@b.example.org/",
        ),
        ('A1 NO [X-NEW some (of "it")] no', "X-NEW", 'some (of "it")'),
        ("A1 BAD [X-Odd  two  spaces ] no", "X-ODD", "two  spaces"),
        ("A1 NO [UIDNEXT x] no", "UIDNEXT", "x"),
        ("A1 NO [OVERQUOTA] no", "OVERQUOTA", None),
        ("A1 NO no", None, None),
    ],
)
def test_the_argument_of_a_code_is_kept(line: str, code: str | None, argument: str | None) -> None:
    error = refusal(line)
    assert (error.code, error.argument, error.data) == (code, argument, None)
    if argument is not None:
        assert f"[{code} {argument}]" in str(error)


def test_an_error_of_another_class_says_the_same() -> None:
    error = refusal("A1 NO [REFERRAL imap://b.example.org/] moved")
    error.last_words = ("* NO going down",)
    other = error.retype(errors.AuthenticationFailed, "has moved")
    assert type(other) is errors.AuthenticationFailed
    assert other.__cause__ is error
    assert vars(other) == vars(error) | {"text": "has moved"}


def test_long_lines_are_shortened_in_the_middle() -> None:
    line = "begin" + "x" * 100_000 + "end"
    for error in (
        refusal(f"A1 NO [X-NEW {line}] {line}"),
        errors.ConnectionLost("the server closed the connection", line),
    ):
        assert len(str(error)) < 1000
        assert "begin" in str(error)
        assert str(error).endswith("end")
    assert refusal(f"A1 NO {line}").text == line
    for most in range(20, 60):
        assert len(shorten(line, most)) == len(shorten(line.encode(), most)) == most
    assert shorten("x" * 300) == "x" * 300
    assert quote(b"caf\xe9 \x1b[1m") == r"'café \x1b[1m'"
