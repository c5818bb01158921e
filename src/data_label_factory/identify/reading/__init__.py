"""Reading what is printed: text lines, which of several texts was
read, and whether print looks as it does on a reference.
"""

from __future__ import annotations

from data_label_factory.identify.reading.lines import Line, TextLine, TextReader
from data_label_factory.identify.reading.reader import Reader, open_reader

__all__ = ["Line", "Reader", "TextLine", "TextReader", "open_reader"]
