"""The progress line on a terminal and in a log."""

import io

import pytest

from data_label_factory import progress
from data_label_factory.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def run(stream: io.StringIO, clock: list[float], steps: int, seconds_each: float) -> str:
    with Progress("encoded", steps, stream=stream) as bar:
        for _ in range(steps):
            clock[0] += seconds_each
            bar.step()
    return stream.getvalue()


def test_a_terminal_line_is_rewritten_in_place_and_ended_once(clock: list[float]) -> None:
    text = run(Terminal(), clock, steps=4, seconds_each=0.5)
    assert text.count("\r") == 5
    assert text.count("\n") == 1
    assert text.endswith("encoded 4/4 · 2.0/s · in 2.0 s\033[K\n")


def test_count_rate_and_time_left_are_shown(clock: list[float]) -> None:
    assert "encoded 1/4 · 2.0/s · 2 s left" in run(Terminal(), clock, steps=4, seconds_each=0.5)


def test_a_terminal_is_not_rewritten_more_than_ten_times_a_second(clock: list[float]) -> None:
    assert run(Terminal(), clock, steps=1000, seconds_each=0.001).count("\r") <= 11


def test_a_log_gets_plain_lines_ten_seconds_apart(clock: list[float]) -> None:
    text = run(io.StringIO(), clock, steps=60, seconds_each=0.5)
    assert "\r" not in text
    assert "\033" not in text
    assert text.splitlines() == [
        "encoded 20/60 · 2.0/s · 20 s left",
        "encoded 40/60 · 2.0/s · 10 s left",
        "encoded 60/60 · 2.0/s · 0 s left",
        "encoded 60/60 · 2.0/s · in 30.0 s",
    ]


def test_a_short_job_leaves_one_log_line(clock: list[float]) -> None:
    assert (
        run(io.StringIO(), clock, steps=3, seconds_each=0.1) == "encoded 3/3 · 10.0/s · in 0.3 s\n"
    )


@pytest.mark.parametrize(("total", "enabled"), [(5, False), (0, True)])
def test_nothing_is_shown_when_disabled_or_with_nothing_to_do(total: int, enabled: bool) -> None:
    stream = Terminal()
    with Progress("encoded", total, stream=stream, enabled=enabled) as bar:
        bar.step(total)
    assert stream.getvalue() == ""
    assert bar.done == total


def test_it_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("encoded", 1) as bar:
        bar.step()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("encoded 1/1")


def test_an_error_inside_still_ends_the_line(clock: list[float]) -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), Progress("encoded", 3, stream=stream) as bar:
        bar.step()
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\n")
    assert "1/3" in stream.getvalue()
