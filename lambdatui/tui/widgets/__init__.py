"""Widgets of the screen, one idea each; the panels that change many times a second draw lines themselves."""
