"""The language in which an experiment speaks: English or Traditional Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["en", "zh-Hant"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def language(asked: str | None, environ: Mapping[str, str]) -> Language:
    """What was `asked` for (`--lang`), else what the locale says: LC_ALL, LC_MESSAGES or LANG, the first that is set.

    Every Chinese gets Traditional Chinese, everybody else English; only an `asked` that is neither raises ValueError.
    """
    if asked is not None and not asked.lower().startswith(("en", "zh")):
        raise ValueError(f"there are texts in {' and '.join(LANGUAGES)}, not in {asked!r}")
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "zh-Hant" if (asked or locale).lower().startswith("zh") else "en"
