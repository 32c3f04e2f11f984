"""Protocol, client and server."""
