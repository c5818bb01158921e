"""Every source against a local server that answers as its site documents, or fails."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from website import BROKEN, BUSY, DRIP, PAGE, RESET, Answer, Request, Site, as_json, hurried

from data_label_factory.errors import FactoryError, FetchError, ProjectError
from data_label_factory.gather.base import Candidate, Source, make_label, strip_markup
from data_label_factory.gather.result import Failure
from data_label_factory.gather.sources import SOURCES
from data_label_factory.labels import Label, format_label, parse_label

Find = Callable[..., list[Candidate]]


@pytest.fixture
def find(website: Site) -> Find:
    def run(name: str, query: str, limit: int = 100, **options: str) -> list[Candidate]:
        source = SOURCES[name](hurried(), website.url, options, limit=limit)
        return [found for found, _ in zip(source.find(query), range(limit), strict=False)]

    return run


def by_param(key: str, answers: dict[str, Any]) -> Callable[[Request], Answer]:
    """Answer by the value of one parameter of the request; 404 for other values."""
    return lambda seen: (
        as_json(answers[seen.query[key]]) if seen.query.get(key) in answers else Answer(status=404)
    )


# --- ygoprodeck -----------------------------------------------------------------------------------

MAGICIAN = {
    "id": 46986414,
    "name": "Dark Magician",
    "ygoprodeck_url": "https://ygoprodeck.com/card/dark-magician-4003",
    "card_sets": [
        {
            "set_name": "Legend of Blue Eyes",
            "set_code": "LOB-EN005",
            "set_rarity": "Ultra Rare",
            "set_price": "9",
        },
        {
            "set_name": "Anthology",
            "set_code": "RA01-EN005",
            "set_rarity": "Secret Rare",
            "set_price": "1",
        },
        {
            "set_name": "Anthology",
            "set_code": "RA01-EN005",
            "set_rarity": "Super Rare",
            "set_price": "1",
        },
    ],
    "card_images": [
        {"id": 46986414, "image_url": "https://images.example/46986414.jpg"},
        {"id": 46986415, "image_url": "https://images.example/46986415.jpg"},
    ],
}


def test_ygoprodeck_by_name(website: Site, find: Find) -> None:
    website.on("/api/v7/cardinfo.php", by_param("name", {"Dark Magician": {"data": [MAGICIAN]}}))
    found = find("ygoprodeck", "Dark Magician")
    assert [one.url for one in found] == [image["image_url"] for image in MAGICIAN["card_images"]]
    assert {one.label for one in found} == {Label("Dark Magician")}
    assert found[0].page.endswith("dark-magician-4003")


def test_ygoprodeck_labels_the_print_of_the_set_that_was_asked_for(
    website: Site, find: Find
) -> None:
    website.on("/api/v7/cardinfo.php", as_json({"data": [MAGICIAN]}))
    assert find("ygoprodeck", "Dark Magician", set="lob")[0].label == Label(
        "Dark Magician", "LOB-EN005", "UR"
    )
    assert find("ygoprodeck", "Dark Magician", set="RA01")[0].label == Label(
        "Dark Magician", "RA01-EN005"
    )
    assert find("ygoprodeck", "anthology", by="set")[0].label == Label(
        "Dark Magician", "RA01-EN005"
    )
    assert website.seen[-1].query == {"cardset": "anthology"}


def test_ygoprodeck_by_set_code(website: Site, find: Find) -> None:
    website.on(
        "/api/v7/cardsetsinfo.php",
        by_param("setcode", {"LOB-EN005": {"id": 46986414, "name": "Dark Magician"}}),
    )
    website.on("/api/v7/cardinfo.php", by_param("id", {"46986414": {"data": [MAGICIAN]}}))
    assert find("ygoprodeck", "LOB-EN005")[0].label == Label("Dark Magician", "LOB-EN005", "UR")
    assert find("ygoprodeck", "LOB-EN999") == []


def test_ygoprodeck_falls_back_to_a_fuzzy_name_and_finds_nothing_for_unknown_ones(
    website: Site, find: Find
) -> None:
    unknown = as_json(
        {"error": "No card matching your query was found in the database."}, status=400
    )
    website.on("/api/v7/cardinfo.php", unknown, as_json({"data": [MAGICIAN]}))

    assert find("ygoprodeck", "dark magicia")[0].label.name == "Dark Magician"
    assert [seen.query for seen in website.seen] == [
        {"name": "dark magicia"},
        {"fname": "dark magicia"},
    ]

    website.on("/api/v7/cardinfo.php", unknown)
    assert find("ygoprodeck", "xyzzy") == find("ygoprodeck", "xyzzy", by="archetype") == []


# --- scryfall -------------------------------------------------------------------------------------


def magic(name: str, number: str, **more: object) -> dict[str, Any]:
    uris = {
        size: f"https://cards.example/{size}/{number}.jpg" for size in ("small", "normal", "large")
    }
    return {
        "name": name,
        "set": "neo",
        "collector_number": number,
        "image_uris": uris,
        "artist": "A. Painter",
        **more,
    }


def test_scryfall_goes_through_the_pages_only_as_far_as_wanted(website: Site, find: Find) -> None:
    first = {"data": [magic("Aether", "1"), magic("Æther Vial", "12a")], "has_more": True}
    first["next_page"] = f"{website.url}/cards/search?page=2&q=x"
    website.on(
        "/cards/search",
        lambda seen: as_json({"data": [magic("Boar", "3")]} if "page" in seen.query else first),
    )

    found = find("scryfall", "set:neo")
    assert [one.label for one in found] == [
        Label("Aether", "NEO-1"),
        Label("Æther Vial", "NEO-12A"),
        Label("Boar", "NEO-3"),
    ]
    assert (found[0].url, found[0].author) == ("https://cards.example/normal/1.jpg", "A. Painter")
    assert website.seen[0].query["q"] == "set:neo"
    assert len(website.seen) == 2
    assert len(find("scryfall", "set:neo", 1)) == 1
    assert len(website.seen) == 3


def test_scryfall_names_each_face_that_has_a_picture(website: Site, find: Find) -> None:
    faces = [
        {
            "name": "Delver of Secrets",
            "image_uris": {"large": "https://cards.example/front.jpg"},
            "artist": "N",
        },
        {"name": "Insectile Aberration", "image_uris": {"large": "https://cards.example/back.jpg"}},
    ]
    double = magic("Delver of Secrets // Insectile Aberration", "51", card_faces=faces)
    del double["image_uris"]
    split = magic("Fire // Ice", "2", card_faces=[{"name": "Fire"}, {"name": "Ice"}])
    website.on("/cards/search", as_json({"data": [double, split], "has_more": False}))
    found = find("scryfall", "Delver of Secrets", image="large", set="isd")

    names = ["Delver of Secrets", "Insectile Aberration", "Fire // Ice"]
    assert [one.label for one in found] == [
        Label(name, f"NEO-{number}") for name, number in zip(names, (51, 51, 2), strict=True)
    ]
    assert website.seen[0].query["q"] == '!"Delver of Secrets" set:isd'


def test_scryfall_without_a_match_is_empty(website: Site, find: Find) -> None:
    website.on("/cards/search", as_json({"object": "error", "status": 404}, status=404))
    assert find("scryfall", "xyzzy") == []


def test_an_endless_search_ends(website: Site, find: Find) -> None:
    endless = {"data": [], "has_more": True, "next_page": f"{website.url}/cards/search?page=2"}
    website.on("/cards/search", as_json(endless))
    assert find("scryfall", "x") == []
    assert len(website.seen) == 400


# --- pokemontcg -----------------------------------------------------------------------------------


def pokemon(number: int) -> dict[str, Any]:
    images = {
        "small": f"https://p.example/{number}.png",
        "large": f"https://p.example/{number}_hires.png",
    }
    return {
        "name": "Pikachu",
        "number": str(number),
        "set": {"id": "swsh4"},
        "images": images,
        "artist": "M",
    }


def test_pokemontcg_goes_through_the_pages_with_the_key(
    website: Site, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POKEMONTCG_API_KEY", "k1")
    website.on(
        "/v2/cards",
        lambda seen: (
            as_json({"data": [pokemon(int(seen.query["page"]))] * 2, "totalCount": 5})
            if int(seen.query["page"]) <= 3
            else as_json({"data": [], "totalCount": 5})
        ),
    )

    found = find("pokemontcg", "Pikachu", 2, set="swsh4")
    assert [one.label for one in found] == [Label("Pikachu", "SWSH4-1")] * 2
    assert found[0].url == "https://p.example/1_hires.png"
    assert website.seen[0].query == {
        "q": 'name:"Pikachu" set.id:swsh4',
        "page": "1",
        "pageSize": "2",
    }
    assert website.seen[0].headers["X-Api-Key"] == "k1"

    monkeypatch.delenv("POKEMONTCG_API_KEY")
    assert [one.url[-5] for one in find("pokemontcg", "name:pika*", 3, image="small")] == [
        "1",
        "1",
        "2",
    ]
    assert "X-Api-Key" not in website.seen[-1].headers


# --- coverart -------------------------------------------------------------------------------------


def test_coverart_takes_good_matches_only(website: Site, find: Find) -> None:
    groups = [
        {
            "id": "aa",
            "title": "Kind of Blue",
            "score": 100,
            "artist-credit": [{"name": "Miles Davis"}],
        },
        {
            "id": "bb",
            "title": "Kind of Blue",
            "score": 90,
            "artist-credit": [{"name": "A", "joinphrase": " & "}, {"name": "B"}],
        },
        {"id": "cc", "title": "Kind of Green", "score": 41, "artist-credit": [{"name": "C"}]},
    ]
    website.on("/ws/2/release-group", as_json({"release-groups": groups}))

    found = find("coverart", 'Miles "M" Davis - Kind of Blue')
    assert [one.label.name for one in found] == [
        "Miles Davis - Kind of Blue",
        "A & B - Kind of Blue",
    ]
    assert found[0].url == f"{website.url}/release-group/aa/front-500"
    assert (
        website.seen[0].query["query"]
        == 'releasegroup:"Kind of Blue" AND artist:"Miles \\"M\\" Davis"'
    )
    assert find("coverart", "Kind of Blue", label="title", size="1200")[0].label == Label(
        "Kind of Blue"
    )


# --- wikimedia ------------------------------------------------------------------------------------


def test_wikimedia_keeps_license_and_author_and_goes_on(website: Site, find: Find) -> None:
    def info(name: str, mime: str = "image/jpeg") -> list[dict[str, Any]]:
        about = {
            "LicenseShortName": {"value": "CC BY-SA 4.0"},
            "Artist": {"value": '<a href="/x">Jo &amp; Co</a>'},
        }
        url = f"https://upload.example/{name}"
        return [
            {
                "url": url,
                "thumburl": f"{url}/1024",
                "mime": mime,
                "descriptionurl": "d",
                "extmetadata": about,
            }
        ]

    first = {
        "query": {
            "pages": {
                "9": {"index": 2, "imageinfo": info("b.jpg")},
                "7": {"index": 1, "imageinfo": info("a.jpg")},
                "8": {"index": 3, "imageinfo": info("c.pdf", "application/pdf")},
            }
        },
        "continue": {"gsroffset": 3, "continue": "gsroffset||"},
    }
    second = {"query": {"pages": {"5": {"index": 4, "imageinfo": info("d.jpg")}}}}
    website.on("/w/api.php", lambda seen: as_json(second if "gsroffset" in seen.query else first))
    found = find("wikimedia", "Rosa 'Peace'")
    assert [one.url[-10:-5] for one in found] == ["a.jpg", "b.jpg", "d.jpg"]
    assert (found[0].license, found[0].author, found[0].page) == ("CC BY-SA 4.0", "Jo & Co", "d")
    assert {one.label for one in found} == {Label("Rosa 'Peace'")}
    website.on("/w/api.php", as_json({"batchcomplete": ""}))
    assert find("wikimedia", "xyzzy") == []


# --- met ------------------------------------------------------------------------------------------


def work(number: int, **more: object) -> dict[str, Any]:
    values = {
        "objectID": number,
        "isPublicDomain": True,
        "primaryImage": f"https://m.example/{number}.jpg",
        "primaryImageSmall": f"https://m.example/{number}_s.jpg",
        "title": "Wheat Field with Cypresses",
        "artistDisplayName": "Vincent van Gogh",
        "objectURL": f"https://m.example/art/{number}",
    }
    return values | more


def test_met_skips_works_that_are_not_free_or_gone(website: Site, find: Find) -> None:
    website.on("/public/collection/v1/search", as_json({"total": 4, "objectIDs": [1, 2, 3, 4]}))
    website.on("/public/collection/v1/objects/1", as_json(work(1, isPublicDomain=False)))
    website.on("/public/collection/v1/objects/3", as_json(work(3, primaryImageSmall="")))
    website.on("/public/collection/v1/objects/4", as_json(work(4)))

    (found,) = find("met", "wheat field")
    assert found.label == Label("Vincent van Gogh - Wheat Field with Cypresses")
    assert found.url == "https://m.example/4_s.jpg"
    assert website.seen[0].query == {"title": "true", "hasImages": "true", "q": "wheat field"}

    (found,) = find("met", "4", label="title", image="original")
    assert (found.label, found.url) == (
        Label("Wheat Field with Cypresses"),
        "https://m.example/4.jpg",
    )


def test_met_without_a_match_is_empty(website: Site, find: Find) -> None:
    website.on("/public/collection/v1/search", as_json({"total": 0, "objectIDs": None}))
    assert find("met", "xyzzy") == []


# --- tmdb -----------------------------------------------------------------------------------------


def test_tmdb_distinguishes_films_of_one_title_by_year(
    website: Site, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = [
        {"id": 1, "title": "The Thing", "release_date": "1982-06-25", "poster_path": "/a.jpg"},
        {"id": 2, "title": "The Thing", "release_date": "", "poster_path": None},
    ]
    later = [{"id": 3, "name": "The Thing", "poster_path": "/c.jpg"}]
    website.on(
        "/3/search/movie",
        lambda seen: as_json(
            {"results": films if seen.query["page"] == "1" else later, "total_pages": 2}
        ),
    )
    monkeypatch.setenv("TMDB_API_KEY", "k3")

    found = find("tmdb", "The Thing (1982)")
    assert [(one.label.name, one.url) for one in found] == [
        ("The Thing (1982)", f"{website.url}/t/p/w780/a.jpg"),
        ("The Thing", f"{website.url}/t/p/w780/c.jpg"),
    ]
    assert website.seen[0].query == {
        "query": "The Thing",
        "year": "1982",
        "api_key": "k3",
        "page": "1",
    }

    monkeypatch.setenv("TMDB_API_KEY", "eyJtoken")
    find("tmdb", "The Thing", 1)
    assert website.seen[-1].headers["Authorization"] == "Bearer eyJtoken"
    assert "api_key" not in website.seen[-1].query


def test_tmdb_needs_a_key_and_never_shows_it(
    website: Site, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMDB_API_KEY", raising=False)
    with pytest.raises(ProjectError, match="TMDB_API_KEY"):
        SOURCES["tmdb"](hurried(), website.url).check()
    monkeypatch.setenv("TMDB_API_KEY", "secret")
    with pytest.raises(FetchError) as caught:
        find("tmdb", "x")
    assert "secret" not in str(caught.value)


# --- yugipedia ------------------------------------------------------------------------------------


def gallery(*prints: tuple[str, str, str]) -> str:
    boxes = "".join(
        f'<li class="gallerybox" style="width: 205px"><div class="thumb">'
        f'<a href="/wiki/File:{file}" class="image"><img src="//ms.example/thumb/{file}"></a>'
        f'</div><div class="gallerytext"><p><a href="/wiki/{code}">{code}</a> '
        f'(<a href="/wiki/Rarity" title="Rarity">{rarity}</a>)<br>'
        f'<a href="/wiki/Set"><i>A Set</i></a></p></div></li>'
        for file, code, rarity in prints
    )
    return (
        "<ul><li>no picture</li></ul>"
        f'<ul class="gallery mw-gallery-traditional">{boxes}</ul><p>after</p>'
    )


def yugipedia(seen: Request) -> Answer:
    if seen.query["action"] == "parse":
        if seen.query["page"] != "Card Gallery:Dark Magician":
            return as_json(
                {"error": {"code": "missingtitle", "info": "The page you specified doesn't exist."}}
            )
        prints = [
            ("DarkMagician-LOB-EN-UR-UE.png", "LOB-EN005", "UR"),
            ("DarkMagician-LOCH-JP-PScR.png", "LOCH-JP001", "PScR"),
            ("DarkMagician-LOCH-JP-%26.png", "LOCH-JP001", "Q?"),
        ]
        return as_json({"parse": {"title": seen.query["page"], "text": gallery(*prints)}})

    if "redirects" in seen.query:
        to = (
            [{"from": "LOCH-JP001", "to": "Dark Magician"}]
            if seen.query["titles"] == "LOCH-JP001"
            else []
        )
        return as_json({"query": {"redirects": to, "pages": []}})

    files = seen.query["titles"].split("|")
    pages = [
        {"title": f, "imageinfo": [{"url": f"https://ms.example/{f[5:]}", "thumburl": ""}]}
        for f in files[::-1]
    ]
    return as_json({"query": {"pages": [*pages, {"title": "File:Gone.png", "missing": True}]}})


def test_yugipedia_reads_prints_out_of_a_gallery(website: Site, find: Find) -> None:
    website.on("/api.php", yugipedia)

    found = find("yugipedia", "Dark Magician")
    assert [(one.label.set_code, one.label.rarity) for one in found] == [
        ("LOB-EN005", "UR"),
        ("LOCH-JP001", "PScR"),
        ("LOCH-JP001", "Q?"),
    ]
    assert found[1].url == "https://ms.example/DarkMagician-LOCH-JP-PScR.png"
    assert found[2].page.endswith("/wiki/File:DarkMagician-LOCH-JP-&.png")
    assert {one.label.name for one in found} == {"Dark Magician"}


def test_yugipedia_picks_the_print_that_was_asked_for(website: Site, find: Find) -> None:
    website.on("/api.php", yugipedia)
    assert [one.label.set_code for one in find("yugipedia", "LOCH-JP001")] == ["LOCH-JP001"] * 2
    (found,) = find("yugipedia", "Dark Magician", set="loch-jp", rarity="PScR")
    assert found.label == Label("Dark Magician", "LOCH-JP001", "PScR")
    assert find("yugipedia", "Xyzzy") == find("yugipedia", "LOCH-JP999") == []


# --- the user's lists -----------------------------------------------------------------------------


def own(name: str, folder: Path, query: str, **options: str) -> list[Candidate]:
    return list(source_of(name, folder, **options).find(query))


def source_of(name: str, folder: Path, **options: str) -> Source:
    return SOURCES[name](hurried(), "", options, folder=folder)


def test_urls_reads_lines_and_tables(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        '# parts\n\nM8 Bolt,https://x.example/1.jpg\n"Nut, square",https://x.example/2\nhttps://x.example/a%20b_ur.png?x=1\n'
    )

    found = own("urls", tmp_path, "a.txt")
    assert [one.label for one in found] == [
        Label("M8 Bolt"),
        Label("Nut, square"),
        Label("A B", "", "UR"),
    ]

    (tmp_path / "b.csv").write_text(
        "\ufeffURL,name,set_code,rarity,licence\nhttps://x.example/1,Magician,loch-jp001,pscr,CC0\n",
        "utf-8",
    )
    (found_b,) = own("urls", tmp_path, "b.csv")
    assert (found_b.label, found_b.license) == (Label("Magician", "LOCH-JP001", "PScR"), "CC0")


def test_folder_names_photos(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(
        "file,name\nIMG_1.jpg,Rosa Peace\nsub/LOCH-JP001_kuriboh.jpg,\n"
    )
    found = own("folder", tmp_path, "names.csv", photos="photos")
    assert [one.label for one in found] == [Label("Rosa Peace"), Label("Kuriboh", "LOCH-JP001")]
    assert found[0].path == tmp_path / "photos" / "IMG_1.jpg"


def test_folder_finds_a_photo_whose_name_is_spelled_a_little_differently(tmp_path: Path) -> None:
    names = ["Beyonce\u0301.jpg", "IMG_2.JPG", "Baker's.jpg", "two.jpg", "TWO.jpg"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "list.csv").write_text(
        "file,name\nBeyonc\u00e9.jpg,\nimg_2.jpg,\nBaker’s.jpg,\ntwo.jpg,\nTWO.jpg,\n", "utf-8"
    )
    found = own("folder", tmp_path, "list.csv")
    assert [one.path and one.path.name for one in found] == names


def test_set_and_number_in_columns_of_their_own_are_one_code(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "photo;title;Edition;Collector Number\nx;Opt;neo;12\ny;Elk;;7\n"
    )
    found = own("folder", tmp_path, "l.csv")
    assert [one.label for one in found] == [Label("Opt", "NEO-12"), Label("Elk")]


def test_an_odd_set_code_or_rarity_never_stops_a_list(tmp_path: Path) -> None:
    rows = "x,A,nope,\nx,B,PLST-2XM-129,Ultra Rare\nx,C,633Ph,best\nx,D,,common\nx,E,no code,UR\n"
    for source, first in (("folder", "file"), ("urls", "url")):
        (tmp_path / "list.csv").write_text(f"{first},name,set_code,rarity\n{rows}", "utf-8")
        found = own(source, tmp_path, "list.csv")
        assert [one.label for one in found] == [
            Label("A"),
            Label("B", "PLST-2XM-129", "UR"),
            Label("C", "633Ph", "best"),
            Label("D", "", "Common"),
            Label("E", "", "UR"),
        ]
        assert [one.note for one in found if one.note] == [
            "list.csv, line 2: 'nope' is not a set code, and left out",
            "list.csv, line 6: 'no code' is not a set code, and left out",
        ]


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("urls", b"M8 Bolt\nb,http://y\n", 1, "there is no address"),
        ("urls", b"# x\na,http://x,y\nb,http://y\n", 2, "more cells than columns"),
        ("urls", b"name;url\na;http://x;y\nb;http://y\n", 2, "more cells than columns"),
        ("folder", b"b.jpg,b\n../secret.jpg,a\n", 2, "lies outside"),
        ("folder", b"/etc/passwd,a\nb.jpg\n", 1, "lies outside"),
        ("folder", b"name\tphoto\na\t\nb\tb.jpg\n", 2, "there is no file"),
    ],
)
def test_a_wrong_row_is_left_out_and_named(
    tmp_path: Path, name: str, text: bytes, line: int, reason: str
) -> None:
    (tmp_path / "list.csv").write_bytes(text)
    source = source_of(name, tmp_path)
    (found,) = source.find("list.csv")
    assert found.label == Label("B")
    (problem,) = source.tables["list.csv"].problems
    assert problem.line == line and reason in problem.reason


def test_a_failure_says_which_line_and_which_file_or_address() -> None:
    failure = Failure("mine", "list.csv", "There is no such file", "x.jpg", 7)
    assert str(failure) == "mine: 'list.csv', line 7: x.jpg: There is no such file"
    assert str(Failure("mine", "b", "odd", "http://x/?key=k")) == "mine: 'b': http://x/: odd"
    assert str(Failure("mine", "b", "odd")) == "mine: 'b': odd"


@pytest.mark.parametrize("name", ["urls", "folder"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"name,prize\n", "must name the columns, not 'prize'"),
        (b"\xff\xfe", "is not UTF-8"),
        (None, "Cannot read the list"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, text: bytes | None, reason: str
) -> None:
    if text is not None:
        (tmp_path / "list.csv").write_bytes(text)
    with pytest.raises(ProjectError, match=reason):
        own(name, tmp_path, "list.csv")


def test_lists_as_spreadsheets_write_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        b"sep=;\r\nFile Name;Title;Condition\r\nx.jpg;#1 Dad;NM\r\n;;\r\n"
        b'y.jpg;"Songs\r\nof Love";\r\n'
    )
    found = own("folder", tmp_path, "a.csv")
    assert [(one.label.name, one.line) for one in found] == [("#1 Dad", 3), ("Songs of Love", 5)]


# --- all of them ----------------------------------------------------------------------------------

NETWORKED = [
    "ygoprodeck",
    "scryfall",
    "pokemontcg",
    "coverart",
    "wikimedia",
    "met",
    "yugipedia",
    "tmdb",
]
PATHS = {
    "ygoprodeck": ("/api/v7/cardinfo.php", {"data": []}),
    "scryfall": ("/cards/search", {"data": [], "has_more": False}),
    "pokemontcg": ("/v2/cards", {"data": [], "totalCount": 0}),
    "coverart": ("/ws/2/release-group", {"release-groups": []}),
    "wikimedia": ("/w/api.php", {"batchcomplete": ""}),
    "met": ("/public/collection/v1/search", {"total": 0, "objectIDs": None}),
    "yugipedia": ("/api.php", {"error": {"code": "missingtitle"}}),
    "tmdb": ("/3/search/movie", {"results": [], "total_pages": 1}),
}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_API_KEY", "k")


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", NETWORKED)
@pytest.mark.parametrize("first", [BUSY, BROKEN, RESET], ids=["429", "500", "reset"])
def test_a_source_tries_again(website: Site, find: Find, name: str, first: Answer) -> None:
    path, empty = PATHS[name]
    website.on(path, first, as_json(empty))
    assert find(name, "x") == []
    assert len(website.asked(path)) >= 2


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", NETWORKED)
@pytest.mark.parametrize(
    "answer",
    [BROKEN, RESET, DRIP, PAGE, Answer(b'{"cut'), Answer(status=403)],
    ids=["500", "reset", "drip", "page", "cut", "403"],
)
def test_a_source_says_what_failed(website: Site, find: Find, name: str, answer: Answer) -> None:
    website.on(PATHS[name][0], answer)
    with pytest.raises(FetchError, match=f"{website.url}{PATHS[name][0]}: "):
        find(name, "x")


GOOD = {
    "ygoprodeck": {"data": [MAGICIAN]},
    "scryfall": {"data": [magic("Boar", "3")], "has_more": False},
    "pokemontcg": {"data": [pokemon(1)], "totalCount": 1},
    "coverart": {
        "release-groups": [
            {"id": "a", "title": "t", "score": 100, "artist-credit": [{"name": "x"}]}
        ]
    },
    "wikimedia": {
        "query": {
            "pages": {"1": {"imageinfo": [{"url": "u", "mime": "image/png", "extmetadata": {}}]}}
        }
    },
    "met": {"total": 1, "objectIDs": [1]},
    "yugipedia": {
        "parse": {"text": gallery(("X-A-JP-UR.png", "A-JP001", "UR"))},
        "query": {"pages": [{"title": "File:X-A-JP-UR.png", "imageinfo": [{"url": "u"}]}]},
    },
    "tmdb": {
        "results": [{"id": 1, "title": "t", "poster_path": "/p", "release_date": "1999-01-01"}],
        "total_pages": 1,
    },
}


def mutated(value: Any, rng: random.Random) -> Any:
    """`value` with something else in one place."""
    if isinstance(value, dict | list) and value and rng.random() < 0.8:
        key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        changed = dict(value) if isinstance(value, dict) else list(value)
        changed[key] = mutated(value[key], rng)
        return changed
    return rng.choice([None, 5, -1.5, "x", "\ud800", [], {}, True, [[1]], {"a": 1}])


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", NETWORKED)
def test_any_shape_of_answer_gives_text_or_an_expected_failure(
    website: Site, find: Find, name: str
) -> None:
    rng = random.Random(name)
    website.on(PATHS[name][0], as_json(GOOD[name]))

    assert name == "met" or find(name, "x", 3)

    for _ in range(60):
        website.on(PATHS[name][0], as_json(mutated(GOOD[name], rng)))
        try:
            found = find(name, "x", 3)
        except (FactoryError, LookupError, TypeError, ValueError, AttributeError):
            continue  # the errors that a run turns into a failure of the query
        assert all(isinstance(one.url, str) and isinstance(one.label.name, str) for one in found)


def test_every_source_describes_itself() -> None:
    assert len(SOURCES) == 11
    for name, source in SOURCES.items():
        assert (name, bool(source.about)) == (source.name, True)
        assert set(source.choices) <= set(source.options)


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_an_unknown_option_is_refused_with_the_known_ones(source: type[Source]) -> None:
    with pytest.raises(ProjectError, match=r"no option 'color'.*It has: .*max"):
        source(hurried(), options={"color": "red"})
    for option in source.choices:
        with pytest.raises(ProjectError, match=r"cannot be 'zzz'\. Choose: "):
            source(hurried(), options={option: "zzz"})


def test_plain_text_of_markup() -> None:
    assert strip_markup('<a href="x">Jo &amp; <b>Co</b></a>\n') == "Jo & Co"


@given(st.text(min_size=1, max_size=60), st.text(max_size=12), st.text(max_size=12))
def test_any_label_a_site_gives_is_read_back_from_the_file_name(
    name: str, code: str, rarity: str
) -> None:
    label = make_label(name, code, rarity)
    try:
        stem = format_label(label)
    except FactoryError:
        assert not label.name or not label.name.isprintable()
        return
    assert parse_label(stem + ".jpg") == label


@given(
    st.sampled_from(["MM", "LOB-EN", "swsh12pt5"]),
    st.from_regex(r"[A-Z]{0,2}\d{1,3}[a-z★]?", fullmatch=True),
)
def test_set_codes_are_kept(prefix: str, number: str) -> None:
    label = make_label("Card", f"{prefix}-{number}")
    assert label.set_code == f"{prefix}-{number}".upper()
    assert json.dumps(format_label(label))
