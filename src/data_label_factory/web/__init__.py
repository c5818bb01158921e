"""The live tracker: its page (HTML, ES modules, one stylesheet) and a small server that puts it before any other."""
