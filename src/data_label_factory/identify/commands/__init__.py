"""One file per command: parse arguments, call one library function, print.

Only commands print or exit. Options that several commands share are in
`options`.
"""
