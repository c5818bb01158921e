"""The tables that the benches print, read back."""


def rows_of(table: str) -> list[dict[str, str]]:
    """The rows of a Markdown table, each by the heads of its columns."""
    lines = [line.strip("| ").split("|") for line in table.strip().splitlines()]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]
