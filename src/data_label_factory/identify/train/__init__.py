"""Train a projection head: views → bank of features → head. The only place that imports torch."""
