from __future__ import annotations

from pathlib import Path

from lambdatui.service.code_text import code_text


def test_the_handlers_module_comes_first_and_libraries_and_what_is_no_text_are_left_out(tmp_path: Path) -> None:
    for name in ("a.py", "app.py", "lib/b.py", "node_modules/x/index.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}")
    (tmp_path / "data.bin").write_bytes(b"\xff\x00")
    (tmp_path / "large.txt").write_text("x" * 100_000)
    assert list(code_text(tmp_path, "app.handler")) == ["app.py", "a.py", "lib/b.py"]
    assert next(iter(code_text(tmp_path, "lib.b.handler"))) == "lib/b.py"
    assert code_text(tmp_path / "none", "app.handler") == {}


def test_it_is_not_much_however_many_files_there_are(tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"f{number}.py").write_text("x" * 20_000)
    texts = code_text(tmp_path, "app.handler")
    assert 0 < len(texts) <= 12 and sum(map(len, texts.values())) <= 2**17
