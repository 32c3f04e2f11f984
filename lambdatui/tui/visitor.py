"""The screen of somebody who looks at a laboratory through a browser: textual-serve starts one for each.

python -m lambdatui.tui.visitor SOCKET ROLE
"""

from __future__ import annotations

import asyncio
import sys

from lambdatui.control.roles import Role
from lambdatui.tui.app import show
from lambdatui.tui.glyphs import UNICODE

if __name__ == "__main__":
    asyncio.run(show(sys.argv[1], Role(sys.argv[2]), UNICODE))
