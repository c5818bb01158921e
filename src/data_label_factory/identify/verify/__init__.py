"""Test an index on itself: self-identification, margins, confusable
pairs, simulated webcam views.

Labeled photos are scored by `evaluate`. The HTML report is drawn by `output`.
"""
