"""Fetching is polite to hosts, limited in time and size, and clear about what failed."""

import gzip
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from website import BROKEN, BUSY, DRIP, HURRIED, PAGE, RESET, Answer, Site, as_json, hurried

from data_label_factory.errors import FetchError
from data_label_factory.http.fetch import Fetcher, Patience


def test_a_document_arrives_with_exact_numbers(website: Site) -> None:
    website.on("/a", Answer(b'{"price": 0.1, "n": 3}'))
    assert hurried().json(f"{website.url}/a", params={"q": "é &"}) == {
        "price": Decimal("0.1"),
        "n": 3,
    }
    assert website.seen[0].query == {"q": "é &"}
    assert website.seen[0].headers["User-Agent"].startswith("data_label_factory/")


def test_the_user_agent_carries_a_contact(website: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    website.on("/a", as_json({}))
    monkeypatch.setenv("DLF_CONTACT", "me@example.org")
    hurried().json(f"{website.url}/a")
    assert website.seen[0].headers["User-Agent"].endswith("; me@example.org)")


@pytest.mark.parametrize(
    "first", [BROKEN, RESET, Answer(b"", status=503), Answer(b"[1, 2", short=True)]
)
def test_a_failure_that_may_pass_is_retried_with_growing_waits(
    website: Site, first: Answer
) -> None:
    website.on("/a", first, first, as_json("fine"))
    fetcher = hurried()
    assert fetcher.json(f"{website.url}/a") == "fine"
    assert fetcher.waits == [HURRIED.backoff, HURRIED.backoff * 2]


@pytest.mark.parametrize(
    "later",
    ["7", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "date"],
)
def test_a_retry_after_longer_than_our_patience_fails_at_once(website: Site, later: str) -> None:
    website.on("/a", Answer(status=429, headers={"Retry-After": later}))
    with pytest.raises(FetchError, match="HTTP 429: it asks to come back in"):
        hurried().json(f"{website.url}/a")
    assert len(website.seen) == 1


def test_a_retry_after_holds_for_the_whole_host(website: Site) -> None:
    website.on("/a", BUSY, as_json(1))
    website.on("/b", as_json(2))
    now = [100.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    fetcher = Fetcher(HURRIED, clock=lambda: now[0], sleep=sleep)
    assert fetcher.json(f"{website.url}/a") == 1
    assert waits == [1.0]
    website.on("/a", Answer(status=429, headers={"Retry-After": "nonsense"}), as_json(3))
    assert fetcher.json(f"{website.url}/a") == 3
    assert waits == [1.0, HURRIED.backoff]


def test_the_pace_of_a_host_holds_across_threads(website: Site) -> None:
    website.on("/a", as_json(1))
    fetcher = Fetcher()
    threads = [
        threading.Thread(target=fetcher.json, args=(f"{website.url}/a",), kwargs={"interval": 0.05})
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    times = sorted(seen.at for seen in website.seen)
    assert len(times) == 5
    assert times[-1] - times[0] >= 4 * 0.05 * 0.8


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"gone", status=404), "HTTP 404"),
        (BROKEN, r"HTTP 500 \(3 tries\)"),
        (RESET, r"broke off \(3 tries\)|no connection.*\(3 tries\)"),
        (DRIP, "took longer than"),
        (PAGE, "with a web page"),
        (Answer(b'{"cut": '), "that is not JSON"),
        (Answer(b"[" * 200_000), "that is not JSON"),
        (Answer(b"[NaN]"), "that is not JSON"),
        (Answer(b"\xff\xfe\xfa"), "that is not JSON"),
        (Answer(b"nonsense", headers={"Content-Encoding": "gzip"}), "compressed answer is damaged"),
        (Answer(status=302, headers={"Location": "file:///etc/passwd"}), "only http and https"),
        (Answer(status=302, headers={"Location": "/a"}), "in circles"),
        (Answer(b"[]", drip=0.6), "does not answer in time"),
    ],
)
def test_a_failed_request_says_why_and_hides_the_query(
    website: Site, answer: Answer, reason: str
) -> None:
    website.on("/a", answer)
    with pytest.raises(FetchError, match=reason) as caught:
        hurried().json(f"{website.url}/a", params={"api_key": "secret"})
    assert "secret" not in str(caught.value)
    assert caught.value.status == (404 if "404" in reason else 0)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_giant_body_is_dropped_at_the_limit(website: Site, zipped: bool) -> None:
    body = b"0" * 2**20
    answer = (
        Answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})
        if zipped
        else Answer(body)
    )
    website.on("/a", answer)

    with pytest.raises(FetchError, match="larger than 0 MiB"):
        hurried().get(f"{website.url}/a", max_bytes=2**16)
    assert hurried().get(f"{website.url}/a", max_bytes=2**20).body == body


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "no-scheme", "http://", "http://[::1", "\0"]
)
def test_only_web_addresses_are_fetched(url: str) -> None:
    with pytest.raises(FetchError):
        hurried().get(url)


def test_a_key_in_the_headers_is_never_sent_to_another_address(website: Site) -> None:
    website.on("/a", Answer(status=302, headers={"Location": f"{website.url}/b"}))
    website.on("/b", as_json("got it"))
    assert hurried().json(f"{website.url}/a") == "got it"
    with pytest.raises(FetchError, match="HTTP 302"):
        hurried().json(f"{website.url}/a", headers={"X-Api-Key": "secret"})
    assert len(website.asked("/b")) == 1


def test_the_body_of_a_redirect_is_not_read(website: Site) -> None:
    website.on(
        "/a", Answer(b"x" * 1000, status=307, headers={"Location": "/caf%C3%A9 b?c=1"}, drip=0.02)
    )
    website.on("/café b", as_json("got it"))
    start = time.monotonic()
    assert Fetcher().json(f"{website.url}/a", params={"q": 1}) == "got it"
    assert time.monotonic() - start < 5
    assert website.seen[-1].query == {"c": "1"}


def test_a_host_that_does_not_answer_is_given_up() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        fetcher = hurried()
        for _ in range(3):
            with pytest.raises(FetchError, match=r"no connection.*3 tries"):
                fetcher.get(url)
        waited = len(fetcher.waits)
        with pytest.raises(FetchError, match="not asked again"):
            fetcher.get(url)
        assert len(fetcher.waits) == waited


def test_stopping_ends_running_requests(website: Site) -> None:
    website.on("/a", DRIP)
    fetcher = Fetcher(Patience(whole=60))
    threading.Timer(0.1, fetcher.stop).start()
    start = time.monotonic()

    with pytest.raises(FetchError, match="stopped"):
        fetcher.get(f"{website.url}/a")
    with pytest.raises(FetchError, match="stopped"):
        fetcher.get(f"{website.url}/a")
    assert time.monotonic() - start < 5
