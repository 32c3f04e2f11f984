"""The screen, a Textual app that reads events and sends commands."""
