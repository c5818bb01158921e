"""Open-set image retrieval: tell which item a camera is looking at, from one reference picture each.

Loaded only when used; needs the extra `identify`.
"""
