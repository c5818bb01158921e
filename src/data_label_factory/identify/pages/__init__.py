"""HTML pages: the templates, their one stylesheet, and what several pages
show.

Reports (`output`) and the server's start page (`server`) compute what
they show; only the templates hold markup.
"""

from data_label_factory.identify.pages.render import content_security_policy, render

__all__ = ["content_security_policy", "render"]
