"""Building and serving with more than one machine, by Ray.

Imported only where `--ray` asks for it: without it all is one process.
"""
