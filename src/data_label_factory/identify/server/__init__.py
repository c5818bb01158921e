"""The HTTP server: `/api/falcon` for live cameras and older clients, and
pages for people.

Recognition itself is in `identify.recognize`, the change of a collection in
`identify.collection`.
"""
