"""The control socket between the laboratory and its screens."""
