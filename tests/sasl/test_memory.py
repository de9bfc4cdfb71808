"""What servers have offered is remembered, bounded, and kept as JSON."""

from __future__ import annotations

import json

import pytest

from imaplus.sasl import LoginMemory, memory
from imaplus.sasl.memory import PROCESS_MEMORY, ProcessMemory, is_local

HOST = "imap.example.org"


def test_offers_add_up_until_they_are_forgotten() -> None:
    known = LoginMemory()
    known.note("IMAP.example.org", 993, ["scram-sha-256", "PLAIN"])
    known.note(HOST, 993, ["PLAIN", "LOGIN"])
    assert known.mechanisms_of(HOST, 993) == {"SCRAM-SHA-256", "PLAIN", "LOGIN"}
    assert known.mechanisms_of(HOST, 143) == frozenset()
    known.forget(HOST, 993)
    known.forget(HOST, 993)
    assert known.mechanisms_of(HOST, 993) == frozenset()


def test_it_survives_json() -> None:
    known = LoginMemory()
    known.note(HOST, 993, ["PLAIN", "SCRAM-SHA-256"])
    text = json.dumps(known.to_dict())
    assert text == '{"imap.example.org:993": ["PLAIN", "SCRAM-SHA-256"]}'
    assert LoginMemory(json.loads(text)).to_dict() == known.to_dict()


def test_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_SERVERS", 2)
    known = LoginMemory()
    for host in ("a", "b", "a", "c"):
        known.note(host, 993, ["PLAIN"])
    assert sorted(known.to_dict()) == ["a:993", "c:993"]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("mail.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        (HOST, False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
    ],
)
def test_the_memory_of_the_process_leaves_out_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local
    known = ProcessMemory()
    known.note(host, 993, ["PLAIN"])
    assert bool(known.mechanisms_of(host, 993)) is not local
    assert type(PROCESS_MEMORY) is ProcessMemory
