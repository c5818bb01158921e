"""What the live tracker's page shows while cards are swapped and taken away before its camera."""

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from browsing import CHROMIUM, launch, opened
from serving import Server, make_collection, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium here"),
]
BENCH = Path(__file__).parents[2] / "bench"

# An answer says what lay there when its frame was taken. When things change, two frames
# may be under way already; the answer to the third one sees what lies there now. In
# seconds that depends on the machine, so it counts in answers, or as nothing if short.
ANSWERS_TO_SEE = 3
NOTHING_S = 0.25
# The page may believe that a thing is hidden for about half a second. Only an answer
# ends that, which then is shown with the next frame on the screen.
LEFT_S = 0.7
FILM_PATIENCE_S = 120


@pytest.fixture(scope="module")
def bench() -> Iterator[dict[str, ModuleType]]:
    """The modules of the bench that draw the video, read the page, and judge it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        names = ("live_judge", "live_page", "live_scenes", "live_script")
        yield {name: __import__(name) for name in names}
        for name in [name for name in sys.modules if name.startswith("live_")]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def watched(
    bench: dict[str, ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Any], list[float]]:
    """The moments of the film on the page, and when answers came, in s."""
    from playwright.sync_api import sync_playwright

    page_bench, script, scenes = (bench[f"live_{name}"] for name in ("page", "script", "scenes"))
    folder = tmp_path_factory.mktemp("swaps")
    settings = make_collection(folder, count=6)
    assert settings.refs
    cards = script.read_cards(sorted(settings.refs.iterdir())[:3])
    film = folder / "film.mjpeg"
    frames = scenes.draw_scene(script.swap_scene(cards), numbered=True)
    things = page_bench.write_film(film, frames)

    samples: list[Any] = []

    def has_ended() -> bool:
        samples.extend(page_bench.collect(page))
        return bool(page_bench.has_ended(samples, len(things)))

    with (
        Server(settings, "--workers", "1") as server,
        sync_playwright() as engine,
        launch(engine, film) as browser,
        opened(browser, server.url) as page,
    ):
        page_bench.start_recording(page)
        page.locator("[data-source=camera]:visible").first.click()
        wait_until(has_ended, FILM_PATIENCE_S)
    return page_bench.read_moments(samples, things), page_bench.read_answers(samples)


def test_the_old_name_is_not_sure_on_the_next_card(
    bench: dict[str, ModuleType], watched: tuple[list[Any], list[float]]
) -> None:
    judge = bench["live_judge"]
    moments, answers = watched
    swaps = judge.find_swaps(moments)
    assert len(swaps) == 2

    for swap in swaps:
        shown = list(judge.find_old_name(moments, swap, lambda track: track.sure))
        seconds = sum(lasting for _, lasting in shown)
        until = max((moment.seconds + lasting for moment, lasting in shown), default=swap.begin)
        came = [at for at in answers if swap.begin < at < until]
        # The last one that came took the name away.
        assert seconds <= NOTHING_S or len(came) < ANSWERS_TO_SEE, (
            f"{swap.old} was sure on the next card for {seconds:.2f} s and {len(came)} answers"
        )


def test_no_name_stays_sure_after_its_card_has_left(
    bench: dict[str, ModuleType], watched: tuple[list[Any], list[float]]
) -> None:
    moments, answers = watched
    stays = bench["live_judge"].measure_stays(moments)
    assert len(stays) == 3
    slowest = max(after - before for before, after in pairwise(answers))
    assert max(stays) <= LEFT_S + slowest, (stays, slowest)


def test_every_card_is_named_and_none_is_wrong(
    bench: dict[str, ModuleType], watched: tuple[list[Any], list[float]]
) -> None:
    judge = bench["live_judge"]
    moments, _ = watched
    verdicts = list(judge.classify(moments))
    assert judge.count_wrong(moments, verdicts) == (0, 0)
    waits, _ = judge.measure_naming(moments, verdicts)
    assert len(waits) == 3
    assert max(waits) < float("inf")
