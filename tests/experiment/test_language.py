import pytest

from lambdatui.experiment.language import language


@pytest.mark.parametrize(
    ("asked", "environ", "expected"),
    [
        (None, {}, "en"),
        (None, {"LANG": "zh_TW.UTF-8"}, "zh-Hant"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "zh_HK", "LANG": "de_DE"}, "zh-Hant"),
        (None, {"LC_ALL": "C", "LANG": "zh_TW"}, "en"),
        ("zh-Hant", {"LANG": "en_GB"}, "zh-Hant"),
        ("EN", {"LANG": "zh_TW"}, "en"),
    ],
)
def test_the_language(asked: str | None, environ: dict[str, str], expected: str) -> None:
    assert language(asked, environ) == expected


def test_a_language_without_texts() -> None:
    with pytest.raises(ValueError, match="not in 'fr'"):
        language("fr", {})
