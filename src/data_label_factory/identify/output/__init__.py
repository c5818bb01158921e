"""Results as files: COCO annotations, annotated copies of frames, HTML reports.

Figures are computed elsewhere (`verify`, `evaluate`); nothing here decides anything.
"""
