"""Sites for records and books, with the columns of their files."""

from __future__ import annotations

from data_label_factory.lists.formats.shape import Column, Format

_CSV = "text/csv; charset=utf-8"

DISCOGS = Format(
    id="discogs",
    title="Discogs",
    about="collection CSV; a row for each copy",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="discogs.com: export of a collection",
    repeats=True,
    known_by=("Catalog#", "release_id"),
    columns=(
        Column("Catalog#", "set_code"),
        Column("Artist", "extra:artist"),
        Column("Title", "name"),
        Column("Label", "extra:label"),
        Column("Format", "extra:format"),
        Column("Rating", "extra:rating"),
        Column("Released", "extra:year"),
        Column("release_id", "extra:discogs_id"),
        Column("CollectionFolder", default="Uncategorized"),
        Column("Date Added", "time"),
        Column("Collection Media Condition", "condition", "discogs"),
        Column("Collection Sleeve Condition", "extra:sleeve_condition"),
        Column("Collection Notes", "note"),
    ),
)

GOODREADS = Format(
    id="goodreads",
    title="Goodreads",
    about="library CSV (My Books > Import)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="goodreads.com: library export",
    known_by=("Exclusive Shelf", "Author"),
    columns=(
        Column("Book Id", "extra:goodreads_id"),
        Column("Title", "name"),
        Column("Author", "extra:author"),
        Column("Author l-f"),
        Column("Additional Authors", "extra:other_authors"),
        Column("ISBN", "extra:isbn", "isbn"),
        Column("ISBN13", "extra:isbn13", "isbn"),
        Column("My Rating", "extra:rating", default="0"),
        Column("Average Rating"),
        Column("Publisher", "extra:publisher"),
        Column("Binding", "extra:format"),
        Column("Number of Pages", "extra:pages"),
        Column("Year Published", "extra:year"),
        Column("Original Publication Year"),
        Column("Date Read"),
        Column("Date Added", "slashes"),
        Column("Bookshelves"),
        Column("Bookshelves with positions"),
        Column("Exclusive Shelf", default="to-read"),
        Column("My Review"),
        Column("Spoiler"),
        Column("Private Notes", "note"),
        Column("Read Count", default="0"),
        Column("Owned Copies", "quantity"),
    ),
)

LIBRARYTHING = Format(
    id="librarything",
    title="LibraryThing",
    about="library CSV (More > Import/Export)",
    suffix=".csv",
    media_type=_CSV,
    kind="csv",
    source="librarything.com: import of a CSV, by the titles of its own export",
    known_by=("Primary Author", "Copies"),
    columns=(
        Column("Title", "name"),
        Column("Primary Author", "extra:author"),
        Column("Secondary Author", "extra:other_authors"),
        Column("Publication", "extra:publisher"),
        Column("Date", "extra:year"),
        Column("Rating", "extra:rating"),
        Column("Private Comment", "note"),
        Column("Media", "extra:format"),
        Column("Page Count", "extra:pages"),
        Column("Barcode", "extra:barcode"),
        Column("Tags"),
        Column("Collections"),
        Column("Languages", "language", "english"),
        Column("ISBN", "extra:isbn13", "isbn"),
        Column("Copies", "quantity"),
        Column("Entry Date", "date"),
    ),
)

MEDIA_FORMATS = (DISCOGS, LIBRARYTHING, GOODREADS)
