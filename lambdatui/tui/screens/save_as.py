"""Asks where to save something, and saves it there; what is there already stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lambdatui.tui.sanitise import clean_line


class SaveAs(ModalScreen[Path | None]):
    """Its result is the path of the new file; None when nothing was saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="save_leave", tooltip="Save nothing", priority=True),
    ]

    def __init__(self, title: str, name: str, text: Callable[[], str]) -> None:
        """`name` is proposed; `text` is asked for when the file is written."""
        super().__init__()
        self._title, self._proposed, self._text = title, name, text

    def compose(self) -> ComposeResult:
        with Vertical(id="save-as") as frame:
            frame.border_title = self._title
            frame.border_subtitle = "enter saves it · esc leaves it"
            yield Input(self._proposed, select_on_focus=False, id="save-name")
            yield Static(Content(f"in {clean_line(str(Path.cwd()))}"), id="save-told")

    def on_mount(self) -> None:
        entry = self.query_one(Input)
        entry.cursor_position = len(self._proposed)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if not (name := message.value.strip()):
            self._refuse("A name is needed.")
            return
        try:
            path, text = Path(name).expanduser().absolute(), self._text()
            with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except FileExistsError:
            self._refuse("There is something of this name already, which stays: choose another name.")
        except FileNotFoundError:
            self._refuse(f"There is no folder {path.parent}.")
        except OSError as error:
            self._refuse(f"It cannot be saved there: {error.strerror}.")
        except (ValueError, RuntimeError) as error:  # no path: a null in it, or the home of nobody
            self._refuse(f"It cannot be saved there: {error}.")
        else:
            self.dismiss(path)

    def _refuse(self, why: str) -> None:
        told = self.query_one("#save-told", Static)
        told.update(Content(clean_line(why)))
        told.add_class("refused")
