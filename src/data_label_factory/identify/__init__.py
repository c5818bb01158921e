"""Open-set image retrieval: which item a camera sees, from one reference
picture per item.

Loaded only when used; needs the extra `identify`.
"""
