"""Results as files: COCO annotations, annotated copies of frames, HTML
reports.

Figures are computed elsewhere, in `verify` and `evaluate`.
"""

from data_label_factory.identify.output.coco import CocoWriter

__all__ = ["CocoWriter"]
