"""What a query says: names are never read as search syntax, lines of deck lists are understood,
and a card that a site has no picture of yet is passed over and said.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import pixels
from drawn import encoded
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from website import Answer, Request, Site, as_json, hurried

from data_label_factory.cli import main
from data_label_factory.gather.base import Candidate
from data_label_factory.gather.query import (
    has_syntax,
    list_readings,
    list_titles,
    plain_words,
)
from data_label_factory.gather.result import GatherResult
from data_label_factory.gather.run import gather
from data_label_factory.gather.sources import SOURCES
from data_label_factory.project import Bucket, Project

Gather = Callable[..., GatherResult]


def read(query: str) -> list[tuple[str, str, str]]:
    return [(one.name, one.set_code, one.number) for one in list_readings(query)]


@pytest.fixture
def run(tmp_path: Path, website: Site) -> Gather:
    """Gathers queries from one source on the site; pictures there differ by their address."""

    def run(source: str, *queries: str, **options: Any) -> GatherResult:
        bucket = Bucket(queries, source, options)
        project = Project("p", tmp_path / "data", {"cards": bucket})
        return gather(
            project,
            folder=tmp_path,
            base_urls={source: website.url},
            fetcher=hurried(),
            quiet=True,
        )

    return run


def serve_picture(website: Site, path: str, seed: int) -> str:
    website.on(path, Answer(encoded(Image.fromarray(pixels(seed, 64, 64)), "JPEG"), "image/jpeg"))
    return website.url + path


# --- reading a query ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "readings"),
    [
        ("4 Plains", ["4 Plains||", "Plains||"]),
        ("1x Island", ["1x Island||", "Island||"]),
        ("x3 Island", ["x3 Island||", "Island||"]),
        ("Dark Magician x3", ["Dark Magician x3||", "Dark Magician||"]),
        ("SB: 2 Negate", ["SB: 2 Negate||", "Negate||"]),
        ("3x Opt (DOM) 60 *F*", ["3x Opt (DOM) 60 *F*||", "Opt|DOM|60", "Opt|DOM|", "Opt||"]),
        ("Opt [xln:65]", ["Opt [xln:65]||", "Opt|xln|65", "Opt|xln|", "Opt||"]),
        ("2 Bolt (PLST) 2XM-129", ["Bolt|PLST|2XM-129", "Bolt||"]),
        ("2 Bolt (SLD) 83★ <showcase>", ["Bolt|SLD|83★"]),
        ("1x Opt (dom) 60 *F* [Land] ^Have,#37d67a^", ["Opt|dom|60"]),
        ("4 Comfey LOR 79", ["Comfey LOR 79||", "Comfey|LOR|79", "Comfey||"]),
        ("2× Owl (UR) [AB-001]", ["Owl|AB|001", "Owl||"]),
        ("2 Fire // Ice (DMR) 215", ["Fire // Ice|DMR|215"]),
        ("4X  Island #251", ["Island||"]),
    ],
)
def test_lines_of_deck_lists_are_read_in_this_order(query: str, readings: list[str]) -> None:
    found = ["|".join(one) for one in read(query)]
    assert [one for one in found if one in readings] == readings
    assert found[0] == " ".join(query.split()) + "||"


@pytest.mark.parametrize(
    "name",
    ["1996 World Champion", "7th Edition", "Number 39: Utopia", "B.F.M. (Big Furry Monster)", "X"],
)
def test_a_name_that_is_no_line_of_a_deck_list_is_read_only_as_it_is(name: str) -> None:
    assert read(name) == [(name, "", "")]


@given(st.text(max_size=40))
def test_the_whole_query_is_always_the_first_reading_and_none_comes_twice(query: str) -> None:
    readings = list(list_readings(query))
    assert readings[0].name == " ".join(query.split())
    assert len(set(readings)) == len(readings) < 20
    assert all(one.name == " ".join(one.name.split()) for one in readings)


@given(
    name=st.sampled_from(["Plains", "39 Steps", "Fire // Ice", "Type: Null", "Æther Vial"]),
    count=st.integers(1, 99),
    mark=st.sampled_from(["", "x", "X", "×"]),
    code=st.from_regex(r"[A-Z][A-Z0-9]{2}", fullmatch=True),
    number=st.from_regex(r"[1-9][0-9]{0,2}[a-z]?", fullmatch=True),
    end=st.sampled_from(["", " *F*", " #tag", " <borderless>"]),
)
def test_name_set_and_number_of_any_deck_line_are_found(
    name: str, count: int, mark: str, code: str, number: str, end: str
) -> None:
    readings = read(f"{count}{mark} {name} ({code}) {number}{end}")
    assert (name, code, number) in readings
    assert readings.index((name, code, number)) < readings.index((name, "", ""))


@pytest.mark.parametrize("query", ["set:neo", "-SET:neo", "a (set.id:x)", 'name:"a b"', "!name:x"])
def test_a_known_key_makes_syntax(query: str) -> None:
    assert has_syntax(query, "set name")


@pytest.mark.parametrize(
    "query",
    ["Set: Match", "Type:Null", "Circle of Protection: Red", 'Say "set:neo"', "reset:1", "set :x"],
)
def test_other_colons_belong_to_the_name(query: str) -> None:
    assert not has_syntax(query, "set name")


@given(st.text(max_size=40))
def test_plain_words_steer_no_search(name: str) -> None:
    words = plain_words(name).split()
    if plain_words(name) != name:
        assert not {"AND", "OR", "NOT"} & set(words)
        assert not any(word.startswith("-") or set(word) & set('":*~[]()') for word in words)


def test_every_dash_between_spaces_may_part_artist_and_title() -> None:
    for dash in "-–—":
        assert list(list_titles(f"Miles Davis {dash} Kind of Blue")) == [
            ("Miles Davis", "Kind of Blue"),
            ("", f"Miles Davis {dash} Kind of Blue"),
        ]
    assert list(list_titles("A-ha – Hunting High — Low"))[:2] == [
        ("A-ha", "Hunting High — Low"),
        ("A-ha – Hunting High", "Low"),
    ]
    assert list(list_titles("Spider-Man")) == [("", "Spider-Man")]


# --- scryfall -------------------------------------------------------------------------------------


def magic(website: Site, name: str, code: str, number: str, **more: Any) -> dict[str, Any]:
    path = f"/picture/{code}-{number}"
    url = serve_picture(website, path, sum(map(ord, name + code + number)))
    return {
        "name": name,
        "oracle_id": name,
        "set": code,
        "collector_number": number,
        "image_status": "highres_scan",
        "image_uris": {"normal": url},
        **more,
    }


def scryfall(*cards: dict[str, Any]) -> Callable[[Request], Answer]:
    """Answer as the site does for `!"name" set:… cn:"…"`: also by the name of a face."""

    def answer(seen: Request) -> Answer:
        found = re.fullmatch(r'!"([^"]*)"(?: set:(\w+))?(?: cn:"([^"]+)")?', seen.query["q"])
        assert found, seen.query["q"]
        name, code, number = found.groups()
        data = []
        for card in cards:
            names = {card["name"], *(face["name"] for face in card.get("card_faces", ()))}
            plain = {re.sub('"', "", one).casefold() for one in names}
            if name.casefold() not in plain or (code and code != card["set"]):
                continue
            if not number or number == card["collector_number"]:
                data.append(card)
        if seen.query["unique"] == "cards":
            data = list({card["oracle_id"]: card for card in reversed(data)}.values())
        return as_json({"data": data, "has_more": False}) if data else Answer(status=404)

    return answer


@pytest.mark.parametrize(
    "name",
    [
        "Circle of Protection: Red",
        "Summon: Bahamut",
        "Vault 101: Birthday Party",
        '"Ach! Hans, Run!"',
        "Look at Me, I'm R&D",
        "Erase (Not the Urza's Legacy One)",
        "7 Dwarves",
        "Fire OR Ice",
        "-1 AND [x]",
    ],
)
def test_scryfall_finds_any_name(website: Site, run: Gather, name: str) -> None:
    website.on("/cards/search", scryfall(magic(website, name, "neo", "3")))
    result = run("scryfall", name)
    assert (result.failures, len(result.new)) == ([], 1)


def test_scryfall_passes_over_prints_without_a_picture_and_says_so(
    website: Site, run: Gather
) -> None:
    def soon(*card: str, **more: Any) -> dict[str, Any]:
        return magic(website, *card, **more)

    address = {"normal": "https://errors.scryfall.com/soon.jpg"}
    website.on(
        "/cards/search",
        scryfall(
            soon("Plains", "fem", "1", image_status="placeholder"),
            soon("Plains", "neo", "2", image_uris=address),
            magic(website, "Plains", "dom", "3"),
            soon("Island", "fem", "4", image_status="missing"),
        ),
    )
    result = run("scryfall", "Plains", "Island")
    assert result.new == ["cards/DOM-3_plains.jpg"]
    assert result.exit_code == 1
    (failure,) = result.failures
    assert failure.query == "Island"
    assert "Island (FEM-4): no picture yet (image_status missing)" in failure.reason
    assert result.notes == [
        "cards: 'Plains': scryfall: passed over Plains (FEM-1): "
        "no picture yet (image_status placeholder)",
        "cards: 'Plains': scryfall: passed over Plains (NEO-2): "
        "no picture yet (image_status highres_scan)",
    ]


def delver(website: Site, **back: Any) -> dict[str, Any]:
    card = magic(website, "Delver of Secrets // Insectile Aberration", "isd", "51")
    del card["image_uris"]
    faces = ["Delver of Secrets", "Insectile Aberration"]
    card["card_faces"] = [
        {"name": name, "image_uris": {"normal": serve_picture(website, f"/face/{n}", n)}}
        for n, name in enumerate(faces)
    ]
    card["card_faces"][1] |= back
    return card


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("Delver of Secrets", "delver_of_secrets"),
        ("insectile aberration", "insectile_aberration"),
        ("2 Insectile Aberration (ISD) 51", "insectile_aberration"),
    ],
)
def test_max_counts_cards_and_the_named_face_comes_first(
    website: Site, run: Gather, query: str, first: str
) -> None:
    website.on("/cards/search", scryfall(delver(website)))
    result = run("scryfall", query)
    assert len(result.new) == 2
    assert result.new[0].casefold() == f"cards/isd-51_{first}.jpg"


def test_a_face_without_a_picture_is_passed_over_alone(website: Site, run: Gather) -> None:
    website.on("/cards/search", scryfall(delver(website, image_status="missing")))
    result = run("scryfall", "Delver of Secrets")
    assert [path.casefold() for path in result.new] == ["cards/isd-51_delver_of_secrets.jpg"]
    assert "Insectile Aberration (ISD-51): no picture yet" in result.notes[0]


def test_deck_lines_choose_set_and_number_or_say_that_there_is_no_such_print(
    website: Site, run: Gather
) -> None:
    cards = [magic(website, "Plains", code, "1") for code in ("neo", "fem", "dom")]
    website.on("/cards/search", scryfall(*cards, magic(website, "39 Steps", "neo", "5")))
    result = run("scryfall", "Plains (FEM) 1", "4x Plains (DOM) 1 *F*", "39 Steps")
    assert {path.rsplit("/", 1)[1] for path in result.new} == {
        "FEM-1_plains.jpg",
        "DOM-1_plains.jpg",
        "NEO-5_39_steps.jpg",
    }
    assert result.notes == []

    result = run("scryfall", "SB: 2 Plains (LEA) 286")
    assert (result.failures, result.present + len(result.new)) == ([], 1)
    assert result.notes[0].endswith("passed over Plains (LEA 286): there is no such print")


# --- the other sources ----------------------------------------------------------------------------


@pytest.fixture
def find(website: Site) -> Callable[..., list[Candidate]]:
    def run(name: str, query: str, **options: str) -> list[Candidate]:
        return list(SOURCES[name](hurried(), website.url, options, limit=5).find(query))

    return run


Find = Callable[..., list[Candidate]]


def test_pokemontcg_searches_names_as_names_and_reads_deck_lines(website: Site, find: Find) -> None:
    card = {"name": "Type: Null", "number": "79", "set": {"id": "sm9"}}
    pictured = card | {"images": {"large": "https://p.example/1.png"}, "number": "80"}

    def answer(seen: Request) -> Answer:
        known = seen.query["q"].startswith('name:"Type: Null"')
        data = [card, card | {"images": {}}, pictured] if known else []
        return as_json({"data": data, "totalCount": len(data)})

    website.on("/v2/cards", answer)
    (found,) = find("pokemontcg", "Type: Null")
    assert found.label.name == "Type: Null"
    assert find("pokemontcg", "4 Type: Null SM9 79")
    assert website.seen[-1].query["q"] == (
        'name:"Type: Null" (set.id:sm9 OR set.ptcgoCode:SM9) number:"79"'
    )
    find("pokemontcg", "set.id:sm9 types:colorless")
    assert website.seen[-1].query["q"] == "set.id:sm9 types:colorless"


def test_ygoprodeck_passes_over_a_card_without_a_picture(website: Site, run: Gather) -> None:
    website.on("/api/v7/cardinfo.php", as_json({"data": [{"name": "Kuriboh", "card_images": []}]}))
    (failure,) = run("ygoprodeck", "Kuriboh").failures
    assert failure.reason == "ygoprodeck: Kuriboh: no picture yet"
    assert [seen.query for seen in website.seen] == [{"name": "Kuriboh"}]


def test_ygoprodeck_reads_deck_lines_before_it_searches_fuzzily(website: Site, find: Find) -> None:
    card = {
        "name": "Number 39: Utopia",
        "card_images": [{"image_url": "https://y.example/39.jpg"}],
        "card_sets": [
            {"set_code": "GENF-EN039", "set_name": "G", "set_rarity": "Ultra Rare"},
            {"set_code": "YS11-EN041", "set_name": "Y", "set_rarity": "Super Rare"},
        ],
    }
    website.on(
        "/api/v7/cardinfo.php",
        lambda seen: (
            as_json({"data": [card]})
            if seen.query.get("name") == card["name"]
            else as_json({"error": "none"}, status=400)
        ),
    )
    (found,) = find("ygoprodeck", "3x Number 39: Utopia [YS11-EN041]")
    assert (found.label.name, found.label.set_code) == ("Number 39: Utopia", "YS11-EN041")
    assert not any("fname" in seen.query for seen in website.seen)


def test_yugipedia_takes_a_colon_for_a_page_only_behind_a_known_namespace(
    website: Site, find: Find
) -> None:
    box = '<li class="gallerybox"><a href="/wiki/File:{0}.png"></a><p>{1} (UR)</p></li>'

    def answer(seen: Request) -> Answer:
        if seen.query["action"] == "query":
            info = [{"url": "https://y.example/a.png"}]
            pages = [
                {"title": title, "imageinfo": info} | ({"missing": True} if "Soon" in title else {})
                for title in seen.query["titles"].split("|")
            ]
            for page in pages:
                if "missing" in page:
                    del page["imageinfo"]
            return as_json({"query": {"pages": pages}})
        if seen.query["page"] != "Card Gallery:Number 39: Utopia":
            return as_json({"error": {"code": "missingtitle"}})
        text = box.format("Soon", "GENF-JP039") + box.format("Utopia", "GENF-EN039")
        return as_json({"parse": {"text": text}})

    website.on("/api.php", answer)
    for query in (
        "Number 39: Utopia",
        "Card Gallery:Number 39: Utopia",
        "2 Number 39: Utopia (GENF)",
    ):
        (found,) = find("yugipedia", query)
        assert (found.label.name, found.label.set_code) == ("Number 39: Utopia", "GENF-EN039")
    (found,) = find("yugipedia", "File:Utopia-GENF.png")
    assert found.label.name == "Utopia-GENF"


def test_coverart_parts_at_any_dash_and_takes_the_whole_for_a_title_at_last(
    website: Site, find: Find
) -> None:
    group = {"id": "a", "title": "T", "score": 100, "artist-credit": [{"name": "A"}]}
    website.on(
        "/ws/2/release-group",
        lambda seen: as_json({"release-groups": [group] if seen.query["query"] in known else []}),
    )
    known = ['releasegroup:"Kind of Blue" AND artist:"Miles Davis"', 'releasegroup:"X — Y: [Z]"']
    for dash in "-–—":
        assert find("coverart", f"Miles Davis {dash} Kind of Blue")
    assert find("coverart", "X — Y: [Z]")
    assert website.seen[-2].query["query"] == 'releasegroup:"Y: [Z]" AND artist:"X"'


def test_coverart_says_which_album_has_no_cover(website: Site, run: Gather) -> None:
    groups = [
        {"id": name, "title": name, "score": 100, "artist-credit": [{"name": "A"}]}
        for name in ("Soon", "Here")
    ]
    website.on("/ws/2/release-group", as_json({"release-groups": groups}))
    serve_picture(website, "/release-group/Here/front-500", 1)
    result = run("coverart", "Soon")
    assert [path.casefold() for path in result.new] == ["cards/a_-_here.jpg"]
    (note,) = result.notes
    assert "passed over A - Soon: " in note
    assert "/release-group/Soon/front-500" in note


def test_tmdb_and_met_say_what_has_no_picture(
    website: Site, run: Gather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMDB_API_KEY", "k")
    film = {"id": 1, "title": "Soon", "release_date": "2030-01-01", "poster_path": None}
    website.on("/3/search/movie", as_json({"results": [film], "total_pages": 1}))
    (failure,) = run("tmdb", "Soon").failures
    assert failure.reason == "tmdb: Soon (2030): no poster yet"

    work = {"isPublicDomain": True, "primaryImageSmall": "", "title": "1984"}
    website.on("/public/collection/v1/search", as_json({"objectIDs": [7]}))
    website.on("/public/collection/v1/objects/7", as_json(work))
    (failure,) = run("met", "1984").failures
    assert failure.reason == "met: 1984: no picture (primaryImageSmall is empty)"
    assert website.asked("/public/collection/v1/objects/1984")


def test_wikimedia_searches_words_and_fetches_a_file_by_its_name(website: Site, find: Find) -> None:
    info = {"url": "https://w.example/a.jpg", "mime": "image/jpeg"}
    website.on("/w/api.php", as_json({"query": {"pages": {"1": {"imageinfo": [info]}}}}))
    words = {
        "Type: Null": "Type Null",
        '"Heroes" -live OR [x]': "Heroes live or x",
        "Spider-Man": "Spider-Man",
        "incategory:Roses red": "incategory:Roses red",
    }
    for query, sent in words.items():
        (found,) = find("wikimedia", query)
        assert (website.seen[-1].query["gsrsearch"], found.label.name) == (sent, query)

    (found,) = find("wikimedia", "File:Rosa Peace.jpg")
    assert found.label.name == "Rosa Peace"
    assert website.seen[-1].query["titles"] == "File:Rosa Peace.jpg"


def test_a_failure_prints_address_and_hint(
    website: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = magic(website, "Boar", "neo", "3")
    website.on("/picture/neo-3", Answer(b"x", "image/jpeg", 404))
    website.on("/cards/search", scryfall(card, magic(website, "Elk", "neo", "4")))
    path = tmp_path / "project.yaml"
    path.write_text(
        f"project_name: p\ndata_root: {tmp_path / 'data'}\n"
        'buckets: {cards: {source: scryfall, queries: [Boar, "2 Elk (LEA) 1"]}}\n'
    )
    assert main(["gather", "--project", str(path), "--base-url", website.url]) == 1
    err = capsys.readouterr().err
    assert f"failed: cards: 'Boar': {website.url}/picture/neo-3: " in err
    assert "/picture/neo-3: HTTP 404" in err
    assert "'2 Elk (LEA) 1': scryfall: passed over Elk (LEA 1): there is no such print" in err
