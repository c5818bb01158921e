"""The collection as tools for assistants: what `dlf mcp` offers over
the Model Context Protocol (MCP).

`tools` does the work and knows nothing of the protocol, `serving`
the rest.
"""

from data_label_factory.identify.assistant.serving import make_server
from data_label_factory.identify.assistant.tools import Tools

__all__ = ["Tools", "make_server"]
