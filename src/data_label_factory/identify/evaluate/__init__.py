"""Score a recognizer on labeled photos: ground truth, matching, figures,
failures.

An index without photos is tested by `verify`. The HTML report is drawn by
`output`.
"""

from data_label_factory.identify.evaluate.evaluation import Evaluation, evaluate
from data_label_factory.identify.evaluate.ground_truth import Queries, Query, read_queries

__all__ = ["Evaluation", "Queries", "Query", "evaluate", "read_queries"]
