"""Lists of things that were shown: kept in one SQLite file, edited
by several devices at once, carried to other tools.

`store` keeps them, `formats` reads and writes them. Nothing here
knows how a thing is recognized.
"""
