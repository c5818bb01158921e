"""Prices: price files, the sites they come from, and exchange rates.

Needs no more than the base install; only the site yuyu-tei needs the
extra `identify`.
"""
