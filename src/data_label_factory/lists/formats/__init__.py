"""Lists as files of other tools: what each site reads, as data.

`cards`, `media` and `own` are the table: one row a format, with the
columns that its site documents. `exchange` writes and reads them all.
"""
