"""The screen: a Textual app that folds the laboratory's events and sends it commands."""
