"""Requests to other sites: one GET within limits (`transport`), many at
each host's pace (`fetch`).

What the responses mean is up to the adapters in `gather` and `prices`.
"""
