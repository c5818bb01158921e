"""The HTTP endpoint: existing clients of `/api/falcon`, a live camera, and the pages for people."""
