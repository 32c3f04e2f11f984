"""The main screen: five panels and the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import strftime
from typing import ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from lambdatui.events import Json
from lambdatui.tui.clipboard import copy
from lambdatui.tui.invocation_rows import target
from lambdatui.tui.logbook import stream_key
from lambdatui.tui.model import STALE, Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.screens.code import CodeScreen
from lambdatui.tui.screens.editor import Editor
from lambdatui.tui.screens.environment import EnvironmentScreen
from lambdatui.tui.screens.event_editor import EventEditor
from lambdatui.tui.screens.help import Help
from lambdatui.tui.screens.save_as import SaveAs
from lambdatui.tui.widgets.environments import Environments
from lambdatui.tui.widgets.guide import Guide
from lambdatui.tui.widgets.invocations import Invocations
from lambdatui.tui.widgets.key_line import KEYS, Key, KeyLine
from lambdatui.tui.widgets.line_view import LineScreen
from lambdatui.tui.widgets.log_view import LogView
from lambdatui.tui.widgets.logs import Logs
from lambdatui.tui.widgets.panel import Panel
from lambdatui.tui.widgets.stream_tree import StreamTree
from lambdatui.tui.widgets.timeline import Timeline, TimelineView
from lambdatui.tui.widgets.top_bar import TopBar
from lambdatui.tui.wording import plural

_BURST = 3
_TIMELINE = 5
_CONFIGURABLE = ("timeout", "memory_size", "ephemeral_storage", "environment", "reserved_concurrent_executions")


class Commander(Protocol):
    """Sends commands to the laboratory; how they went is told to the user."""

    def order(self, command: str, **arguments: Json) -> None: ...

    async def ask(self, command: str, **arguments: Json) -> str:
        """The sentence by which the command was refused, or ''."""

    async def inquire(self, command: str, **arguments: Json) -> Json:
        """What the laboratory answers; raises CommandFailed."""


def _key(key: str, action: str, description: str, tooltip: str) -> Binding:
    name = action.replace("(", "_").replace(")", "").replace("'", "").replace("-", "back_")
    display = "enter" if key == "enter" else None
    return Binding(key, action, description, show=False, id=name, tooltip=tooltip, key_display=display)


class LaboratoryScreen(LineScreen):
    """Shows the model and turns keys into commands."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny-w"), (60, "-narrow"), (80, "-compact"), (110, "-roomy"), (150, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny-h"), (16, "-low"), (22, "-usual"), (34, "-tall")]  # noqa: RUF012
    AUTO_FOCUS = "#page"

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("enter", "next", "Next", "The next step of the experiment"),
        _key("i", "invoke", "Invoke", "Invoke the function once"),
        _key("p", "burst", f"{_BURST} at once", "Invoke it three times at the same moment"),
        _key("h", "hint", "Hint", "A hint to the step, before it runs (where lines can be moved, h does that)"),
        _key("d", "code", "Code", "The code of the function, as it is now, and what the last edit changed"),
        _key("y", "evidence", "Evidence", "The line of the log, or the invocation, that shows why: what was observed"),
        _key("slash", "filter", "Filter", "Filter the log by a regular expression"),
        _key("z", "zoom", "Zoom", "Give the panel the whole screen, or take it back"),
        _key("question_mark", "help", "Help", "All keys and signs"),
        _key("r", "restart", "Restart", "Start the experiment again, from nothing"),
        _key("e", "edit_event", "Edit event", "Edit the event that i and p send"),
        _key("u", "configure", "Configuration", "Change the function's configuration"),
        _key("x", "reclaim", "Reclaim", "End idle environments, as Lambda does by and by"),
        _key("t", "switch_function", "Function", "Choose the next function for i and p"),
        *(
            _key(str(n), f"digit({n})", f"Panel {n}", f"Panel {n}, or prediction {n} while one is asked")
            for n in range(1, 10)
        ),
        _key("tab", "cycle(1)", "Next panel", "To the next panel"),
        _key("shift+tab", "cycle(-1)", "Previous panel", "To the panel before"),
        _key("right_square_bracket", "tab(1)", "Next tab", "The next invocation or log stream"),
        _key("left_square_bracket", "tab(-1)", "Previous tab", "The one before"),
        _key("f", "log('follow')", "Follow", "Follow the end of the log"),
        _key("w", "log('wrap')", "Wrap", "Wrap long lines of the log, or cut them"),
        _key("n", "log('match(1)')", "Next match", "To the next line of the log that matches"),
        _key("N", "log('match(-1)')", "Previous match", "To the one before"),
        _key("W", "save_journal", "Save journal", "Save all that has happened, for `lambdatui replay`"),
        _key("A", "let_others_act", "Let others act", "Let attached screens act, too, or only watch again"),
        _key("H", "save_page", "Save page", "Save what has happened so far as a page (HTML) to hand out"),
        _key("P", "save_picture", "Save picture", "Save a picture of this screen (SVG)"),
        _key("c", "copy", "Copy", "Copy what is selected, or the record"),
        _key("escape", "back", "Back", "Leave the filter, the zoom, the prediction"),
    ]

    KEYS: ClassVar[tuple[Key, ...]] = KEYS
    """Those of the last line."""
    PURPOSE = "The experiment goes on meanwhile."

    def __init__(self, model: Model, commander: Commander) -> None:
        super().__init__()
        self._model, self._commander = model, commander
        self._current = 1
        self._zoomed = False

    def compose(self) -> ComposeResult:
        yield TopBar(self._model, id="top")
        with Vertical(id="body"):
            with Horizontal(id="main"):
                yield Panel(1, "Guide", Guide(self._model), "#page", id="guide")
                with Vertical(id="side"):
                    yield Panel(2, "Environments", Environments(self._model, id="table"), "#table", id="environments")
                    yield Panel(3, "Invocations", Invocations(self._model), "Invocations > .front", id="invocations")
                    yield Panel(4, "Logs", Logs(self._model), "#branches, #log", id="logs")
            yield Panel(5, "Timeline", Timeline(self._model), "#lanes", id="timeline")
        yield KeyLine(self.KEYS, id="keys")
        yield Static(f"lambdatui needs 60 columns and 16 rows.\n{self.PURPOSE}", id="too-small")

    def on_mount(self) -> None:
        self._mark_current()

    def on_screen_resume(self) -> None:
        self.sync()

    def on_resize(self) -> None:
        self._arrange()
        self.call_after_refresh(self.sync)

    def sync(self) -> None:
        """Show what the model says now."""
        self._model.tick()
        self.query_one(TopBar).sync()
        self.query_one(Guide).sync()
        self.query_one(Environments).sync()
        self.query_one(Invocations).sync()
        self.query_one(Logs).sync()
        self.query_one(Timeline).sync()
        self.panels[1].entitle(self._sandbox)
        for level, message in self._model.news:
            if (level, message) == STALE:
                self.query_one(KeyLine).forget()
            else:
                self.query_one(KeyLine).tell(message, level)
        self._model.news.clear()

    @property
    def _sandbox(self) -> str:
        laboratory = self._model.lab.laboratory
        return clean_line(laboratory.sandbox) if laboratory else ""

    # -- panels -------------------------------------------------------------------------------------------------

    @property
    def panels(self) -> list[Panel]:
        return list(self.query(Panel))

    def focus_panel(self, number: int) -> None:
        self._current = number
        self._mark_current()
        self.panels[number - 1].target.focus()

    def _mark_current(self) -> None:
        for panel in self.panels:
            panel.set_class(panel.number == self._current, "current")
        self._arrange()

    def _arrange(self) -> None:
        """Show all panels, or where there is little room, the current one. By classes of the screen, every style on it
        would be worked out anew."""
        alone = self._zoomed or self.has_class("-narrow") or self.has_class("-low")
        alone = alone or (self._current == _TIMELINE and not self.has_class("-tall"))
        for panel in self.panels:
            below = panel.number == _TIMELINE  # the others
            panel.display = panel.number == self._current if alone else not below or self.has_class("-tall")
            panel.styles.width = panel.styles.height = "1fr" if alone else None
        self.query_one("#main").display = not alone or self._current != _TIMELINE
        self.query_one("#side").display = not alone or self._current != 1
        self.query_one(KeyLine).show_keys(alone)

    def on_descendant_focus(self) -> None:
        """A mouse may have chosen another panel."""
        for panel in self.panels:
            if panel.has_focus_within and panel.number != self._current:
                self._current = panel.number
                self._mark_current()

    def action_cycle(self, step: int) -> None:
        self.focus_panel((self._current - 1 + step) % len(self.panels) + 1)

    def action_digit(self, number: int) -> None:
        """A choice while the Guide asks for one, else a panel."""
        if self._current == 1 and number <= len(self._model.choices):
            self.query_one(Guide).choose(number)
        elif number <= len(self.panels):
            self.focus_panel(number)

    def action_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self._arrange()
        self.call_after_refresh(self.sync)

    def action_tab(self, step: int) -> None:
        tabs = self.query_one(Logs) if self._current == 4 else self.query_one(Invocations)
        tabs.move_tab(step)

    async def action_log(self, action: str) -> None:
        """A key of the log works wherever the focus is."""
        await self.query_one(Logs).view.run_action(action)

    def action_filter(self) -> None:
        self._current = 4
        self._mark_current()
        self.query_one(Logs).open_filter()

    def action_back(self) -> None:
        if self.query_one(Logs).back():
            return
        if self._model.choice is not None:
            self._model.choice = None
            self.query_one(Guide).sync()
        elif self._zoomed:
            self.action_zoom()
        else:
            self.focus_panel(1)

    def on_environments_described(self, message: Environments.Described) -> None:
        self.panels[1].tell(message.text)

    def on_environments_opened(self, message: Environments.Opened) -> None:
        self.app.push_screen(EnvironmentScreen(self._model, self._commander, message.environment, self._choose))

    def _choose(self, request_id: str) -> None:
        self.query_one(Invocations).choose(request_id)
        self.focus_panel(3)

    def on_timeline_described(self, message: Timeline.Described) -> None:
        self.panels[_TIMELINE - 1].entitle(message.title)
        self.panels[_TIMELINE - 1].tell(message.keys)

    def on_timeline_view_chosen(self, message: TimelineView.Chosen) -> None:
        self.query_one(Invocations).sync()
        self._show_log_of(message.request_id)

    def on_invocations_chosen(self, message: Invocations.Chosen) -> None:
        self.query_one(Timeline).reveal()
        self._show_log_of(message.request_id)

    def on_invocations_described(self, message: Invocations.Described) -> None:
        self.panels[2].entitle(message.title)
        self.panels[2].tell(message.status)

    def on_invocations_told(self, message: Invocations.Told) -> None:
        self._tell(message.text)

    def _show_log_of(self, request_id: str) -> None:
        """The log stream of that invocation, where it has one."""
        invocation = self._model.lab.invocations[request_id]
        stream = stream_key(invocation.log_group or "", invocation.log_stream or "")
        if stream in self._model.logbook.streams:
            self.query_one(Logs).choose(stream)

    def on_logs_described(self, message: Logs.Described) -> None:
        self.panels[3].entitle(message.title)
        self.panels[3].tell(message.text)

    def on_logs_told(self, message: Logs.Told) -> None:
        self._tell(message.text)

    def _tell(self, message: str) -> None:
        self.query_one(KeyLine).tell(message)

    # -- commands -----------------------------------------------------------------------------------------------

    def _may(self, command: str) -> bool:
        """Whether this screen may give that command; why not is told."""
        if sentence := self._model.refusal(command):
            self._tell(sentence)
        return not sentence

    def action_next(self) -> None:
        model = self._model
        if model.lab.experiment is None:
            return
        step = model.step
        if not model.steps:
            self._tell(model.say("no steps"))
        elif step is None:
            self._tell(model.say("end"))
        elif model.starting:
            pass
        elif step.state == "running":
            self._tell(model.say("still runs"))
        elif step.state != "waiting":
            model.turn_page()
            self.sync()
            if (following := model.step) is not None and not following.say and not model.choices:
                self._run_step()
        else:
            self._run_step()

    def _run_step(self) -> None:
        if not self._may("next"):
            return
        choice, self._model.starting = self._model.choice, True
        self.query_one(Guide).sync()
        self._commander.order("next", **({} if choice is None else {"choice": choice}))

    def action_hint(self) -> None:
        """The next one appears when the laboratory has noted that it was taken: it counts."""
        model, step = self._model, self._model.step
        if step is None or not step.hints:
            self._tell(model.say("no hint"))
        elif step.state != "waiting" or model.starting:
            self._tell(model.say("no hint afterwards"))
        elif step.hints_taken >= len(step.hints):
            self._tell(model.say("no further hint"))
        elif self._may("hint"):
            self._commander.order("hint", step=model.page)

    def action_code(self) -> None:
        """That of the step on the page, or of the function that is invoked by hand."""
        model = self._model
        highlight = model.step.highlight if model.step else None
        if highlight and str(highlight.get("function")) in model.lab.functions:
            self.app.push_screen(CodeScreen(model, str(highlight["function"]), str(highlight["file"])))
        elif model.function is not None and model.function.files:
            self.app.push_screen(CodeScreen(model, model.function.name))
        else:
            self._tell(model.say("no code"))

    def action_evidence(self) -> None:
        model = self._model
        number = model.next_evidence()
        if number is None or model.step is None or (evidence := model.step.evidence[number]) is None:
            self._tell(model.say("no evidence"))
            return
        model.evidence = number
        panel = 3
        if (request := evidence.get("request_id")) in model.lab.invocations:
            model.chosen = str(request)
            self.query_one(Invocations).sync()
        instant, line = evidence.get("time"), evidence.get("line")
        if isinstance(instant, float) and isinstance(line, str):
            panel = 4
            if not self.query_one(Logs).point_at(instant, line):
                self._tell(model.say("evidence gone"))
        if not self.panels[panel - 1].region.area:
            self.focus_panel(panel)
        self.query_one(Guide).sync()

    def action_invoke(self) -> None:
        self._invoke(1)

    def action_burst(self) -> None:
        self._invoke(_BURST)

    def _invoke(self, times: int) -> None:
        if not self._may("invoke") or (function := self._model.function) is None:
            return
        event = self._model.event_for(function.name)
        self._commander.order("invoke", function=function.name, event=event, times=times)

    def on_invocations_again(self, message: Invocations.Again) -> None:
        """The same function, by the same qualifier and in the same way. An edited event is that of i from now on."""
        if not self._may("invoke"):
            return
        invocation = message.invocation
        name, qualifier, way = invocation.function, invocation.qualifier, invocation.invocation_type

        def fire(event: str) -> None:
            arguments: dict[str, Json] = {} if qualifier is None else {"qualifier": qualifier}
            self._commander.order("invoke", function=name, event=event, invocation_type=way, **arguments)

        async def take(text: str) -> str:
            self._model.events_edited[name] = text
            fire(text)
            return ""

        if message.edited:
            title = f"Event of #{invocation.number} for {target(invocation)}: ctrl+s invokes"
            self.app.push_screen(EventEditor(title, invocation.event, take))
        else:
            fire(invocation.event)

    def action_restart(self) -> None:
        if self._may("restart"):
            self._commander.order("restart")

    def action_reclaim(self) -> None:
        if self._may("reclaim"):
            self._commander.order("reclaim")

    def action_let_others_act(self) -> None:
        if self._may("let_others_act"):
            self._commander.order("let_others_act", allowed=not self._model.lab.others_may_act)

    async def action_save_journal(self) -> None:
        if not self._may("save"):
            return
        file = Path(strftime("lambdatui-%Y%m%d-%H%M%S.journal")).absolute()
        refusal = await self._commander.ask("save", file=str(file))
        self._tell(refusal or f"Saved: lambdatui replay {file.name}")

    def action_switch_function(self) -> None:
        if not self._may("invoke"):
            return
        if len(self._model.lab.functions) < 2:
            self._tell("There is only one function here.")
        elif function := self._model.choose_next_function():
            self._tell(f"i and p now invoke {function.name}.")
            self.sync()

    def action_edit_event(self) -> None:
        if not self._may("invoke") or (function := self._model.function) is None:
            return
        name = function.name

        async def keep(text: str) -> str:
            self._model.events_edited[name] = text
            return ""

        self.app.push_screen(EventEditor(f"Event for {name}", self._model.event_for(name), keep))

    def action_configure(self) -> None:
        if not self._may("update") or (function := self._model.function) is None:
            return
        name, now = function.name, {key: function.configuration.get(key) for key in _CONFIGURABLE}

        async def send(text: str) -> str:
            wanted = Editor.parsed(text)
            if not isinstance(wanted, dict):
                return "This has to be a JSON object."
            changes = {key: each for key, each in wanted.items() if each != now.get(key)}
            return await self._commander.ask("update", function=name, changes=changes) if changes else ""

        self.app.push_screen(Editor(f"Configuration of {name}", Editor.text_of(now), send))

    def action_help(self) -> None:
        model = self._model
        everywhere = {each.key for each in self.BINDINGS if isinstance(each, Binding)}
        logs = [*Logs.BINDINGS, *LogView.BINDINGS, *StreamTree.BINDINGS]
        panels: dict[str, Sequence[BindingType]] = {
            "Environments": Environments.BINDINGS,
            "Invocations": Invocations.BINDINGS,
            "Logs": [each for each in logs if isinstance(each, Binding) and each.key not in everywhere],
            "Timeline": TimelineView.BINDINGS,
        }
        self.app.push_screen(Help(self.BINDINGS, panels, model.glyphs, self._sandbox, model.lab.endpoint))

    def action_save_page(self) -> None:
        from lambdatui.tui.handout import page_of  # brings Markdown with it, which the first paint need not wait for

        self._save_as("Save a page", ".html", lambda: page_of(self._model))

    def action_save_picture(self) -> None:
        from lambdatui.tui.handout import picture_of

        picture = picture_of(self.app)  # before the dialog is on it
        self._save_as("Save a picture of the screen", ".svg", lambda: picture)

    def _save_as(self, title: str, suffix: str, text: Callable[[], str]) -> None:
        from lambdatui.tui.handout import free_name

        def tell(path: Path | None) -> None:
            if path is not None:
                self._tell(f"Saved as {clean_line(str(path))}")

        self.app.push_screen(SaveAs(title, free_name(self._model, suffix, Path.cwd()), text), tell)

    async def action_copy(self) -> None:
        text = self.get_selected_text() or self._record()
        if not text:
            return
        await copy(text, self.app)
        self._tell(f"{plural(text.count(chr(10)) + 1, 'line')} copied.")

    def _record(self) -> str:
        match self._current:
            case 1:
                return self.query_one(Guide).copy_text()
            case 2:
                return self.query_one(Environments).copy_text()
            case 3:
                return self.query_one(Invocations).copy_text()
            case 5:
                return self.query_one(Timeline).copy_text()
        return self.query_one(Logs).copy_text()
