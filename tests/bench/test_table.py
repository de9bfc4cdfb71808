"""What the table says of samples."""

from __future__ import annotations

from typing import Any

import pytest
import table
import workloads
from cases import ASYNC, DRAIN, IMAPLIB, MBSYNC, SYNC
from workloads import CASES


def samples(*ratios: float, drain: float = 0.5, **more: Any) -> dict[str, Any]:
    return {
        "seconds": [drain * ratio for ratio in ratios],
        "ratios": list(ratios),
        "growth_kb": [2048, 1],
        "times": 1,
        "error": None,
        "message": "",
        **more,
    }


def page(key: str, **more: Any) -> str:
    """The table of one workload; `more` are the samples of each client."""
    case = next(case for case in CASES if case.key == key)
    names = {"sync": SYNC, "drain": DRAIN, "asyn": ASYNC, "imaplib": IMAPLIB, "mbsync": MBSYNC}
    clients = {names[name]: each for name, each in more.items()}
    return table.markdown(
        {
            "date": "2026-01-02",
            "seconds": 3,
            "quick": False,
            "rounds": 5,
            "budget": 6.0,
            "enough": 2.0,
            "most": 4,
            "limit": 45.0,
            "machine": {
                **{"processor": "P", "cores": "2", "memory": "1 GiB"},
                **{"kernel": "K", "congestion": "C"},
            },
            "versions": {"dovecot": "2.3"},
            "missing": {"mbsync": "it is not installed"},
            "cases": [{"key": key, "title": case.title, "total": case.total, "clients": clients}],
        }
    )


def cells(text: str, row: int = 0) -> dict[str, str]:
    """A row below the head of the table, by column."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = ([word.strip() for word in line.split("|")[1:-1]] for line in lines)
    return dict(zip(head, rows[row], strict=True))


def test_a_cell_has_the_median_and_the_range() -> None:
    row = cells(page("W1", drain=samples(), sync=samples(1.25, 1.5, 1.0)))
    assert row[SYNC] == "**1.25x (1.00 to 1.50)** met"
    assert row["goal"] == "≤ 1.30x"


def test_a_goal_is_missed() -> None:
    assert cells(page("W1", sync=samples(1.31)))[SYNC] == "**1.31x** MISSED"


def test_ahead_means_less() -> None:
    assert cells(page("W6-first", sync=samples(1.0)))[SYNC].endswith("MISSED")
    assert cells(page("W6-first", sync=samples(0.99)))[SYNC].endswith("met")


def test_a_peer_has_no_goal() -> None:
    assert cells(page("W1", imaplib=samples(7.0)))[IMAPLIB] == "7.00x"


def test_an_error_stands_where_a_figure_would() -> None:
    broken = samples(error="RecursionError", message="too deep")
    text = page("W1", sync=broken)
    assert cells(text)[SYNC] == "RecursionError"
    assert f"- W1, {SYNC}: RecursionError: too deep" in text


def test_what_was_multiplied_is_marked() -> None:
    assert cells(page("W1", imaplib=samples(7.0, times=20)))[IMAPLIB] == "~7.00x"


def test_round_trips_are_the_time_beyond_the_drain() -> None:
    # The drain took 0.05 s, and 0.08 s more are four round trips of 0.02 s.
    row = cells(page("W4-fetch", drain=samples(1.0), sync=samples(2.6, drain=0.05)))
    assert row[SYNC] == "**5.0** MISSED"


def test_memory_is_that_of_the_first_sample() -> None:
    row = cells(page("W3-digest", drain=samples(1.0), sync=samples(1.0, 1.0)), 1)
    assert row[SYNC] == "**+2.0** met"


def test_the_page_says_what_was_not_there() -> None:
    assert "No mbsync: it is not installed." in page("W1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_each_measure_can_be_written(case: workloads.Case) -> None:
    for measure in case.measures:
        assert table.figure(case, measure, samples(1.0)) is not None


def test_keys_are_different() -> None:
    assert len({case.key for case in CASES}) == len(CASES)
