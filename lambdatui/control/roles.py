"""What a screen may do with the laboratory that it shows, decided here alone."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """How a screen came to the laboratory."""

    OWNER = "owner"
    """It opened the laboratory, or acts for who did."""
    GUEST = "guest"
    """It was attached to somebody's laboratory."""
    AUDIENCE = "audience"
    """There is no laboratory: it shows a saved journal."""


_OWNERS_ALONE = ("stop", "let_others_act", "save")
_WATCHING = ("inspect",)
"""What changes nothing."""


def refusal(role: Role, command: str, others_may_act: bool) -> str:
    """One sentence where a screen of that role may not give that command, or ''. `others_may_act` is what the owner has
    granted."""
    match role:
        case Role.AUDIENCE if command in _WATCHING:
            return "A saved journal does not tell what was inside of an environment."
        case Role.AUDIENCE:
            return "This is a replay of what has happened: nothing can be run in it. space plays and pauses."
        case Role.GUEST if command in _OWNERS_ALONE:
            return "That is up to the screen that opened this laboratory."
        case Role.GUEST if not others_may_act and command not in _WATCHING:
            return "You are watching: the screen that opened this laboratory can let others act, with A."
    return ""
