"""Score a recognizer on labeled photos: ground truth, matching, figures, failures.

An index without photos is tested by `verify`; the HTML report is drawn by `output`.
"""
