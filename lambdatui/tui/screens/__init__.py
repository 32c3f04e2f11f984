"""The screens: the laboratory and what is laid over it."""
