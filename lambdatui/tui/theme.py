"""The colours: one warm accent for what is active and can be pressed, few others, each with one meaning."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="laboratory",
    primary="#f2a65a",
    secondary="#7cc4d6",
    accent="#7cc4d6",
    foreground="#cdd3de",
    background="#12161d",
    surface="#171c25",
    panel="#202734",
    success="#8fc98a",
    warning="#e6c86e",
    error="#ee7f84",
    dark=True,
    variables={
        "border": "#323c4d",
        "muted": "#8490a3",
        "faint": "#667085",
        "stream-0": "#7cc4d6",
        "stream-1": "#b9a3e3",
        "stream-2": "#8fc98a",
        "stream-3": "#e6c86e",
        "stream-4": "#e39bb8",
        "stream-5": "#8fb0e8",
        "footer-background": "#171c25",
        "footer-key-foreground": "#f2a65a",
        "footer-description-foreground": "#8490a3",
    },
)

LIGHT = Theme(
    name="laboratory-light",
    primary="#a84f00",
    secondary="#0b6477",
    accent="#0b6477",
    foreground="#262b33",
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e6e3da",
    success="#2c6e2a",
    warning="#7d5a00",
    error="#b3232b",
    dark=False,
    variables={
        "border": "#c9c4b6",
        "muted": "#5f6672",
        "faint": "#767c86",
        "stream-0": "#0b6477",
        "stream-1": "#6a45b0",
        "stream-2": "#2c6e2a",
        "stream-3": "#7d5a00",
        "stream-4": "#a3315f",
        "stream-5": "#2a55a8",
        "footer-background": "#f2f0ea",
        "footer-key-foreground": "#a84f00",
        "footer-description-foreground": "#5f6672",
    },
)
