"""Deployment packages for tests."""

from __future__ import annotations

import io
import textwrap
import zipfile

ROLE = "arn:aws:iam::123456789012:role/anything"


def package(source: str = "def handler(event, context): return 1", name: str = "app.py") -> bytes:
    """A .zip with one module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), textwrap.dedent(source))
    return buffer.getvalue()
