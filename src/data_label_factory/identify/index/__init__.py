"""The index: one unit embedding per reference (`Index`), and how a folder
becomes one (`build`).

Local features, which only the recognizer uses, are kept by
`recognize.feature_store`.
"""

from data_label_factory.identify.index.index import Index
from data_label_factory.identify.index.meta import FORMAT_VERSION, IndexMeta, Row

__all__ = ["FORMAT_VERSION", "Index", "IndexMeta", "Row"]
