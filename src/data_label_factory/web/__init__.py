"""The live tracker: its page (HTML, ES modules, one stylesheet), and a
small server for it.

The small server passes recognition on to `identify serve`, which can also
serve the page itself.
"""
