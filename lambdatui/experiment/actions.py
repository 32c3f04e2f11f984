"""What the steps of an experiment do, carried out on a target and said in one line."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace

from lambdatui import events as ev
from lambdatui.experiment.code import CodeError, code_of, current_text
from lambdatui.experiment.schema import (
    AliasTo,
    Edit,
    ExperimentFile,
    Invoke,
    Provision,
    Publish,
    Reclaim,
    RolePolicy,
    Step,
    Update,
    Wait,
)
from lambdatui.experiment.target import Target, TargetError
from lambdatui.function import Code, Configuration
from lambdatui.refusal import RuntimeMissing

_MAX_EVENT = 80


class Actions:
    """Carries out actions of one experiment. Remembers the files that steps have edited, for `replace` to build on."""

    def __init__(self, experiment: ExperimentFile, target: Target) -> None:
        self._experiment = experiment
        self._target = target
        self._edited: dict[tuple[str, str], str] = {}

    async def create_functions(self) -> None:
        """All functions as the experiment begins; what steps have edited is forgotten."""
        self._edited.clear()
        folder = self._experiment.folder
        for name, role in self._experiment.roles.items():
            await self._target.create_role(name, role.trust, role.attached)
        missing: list[RuntimeMissing] = []
        on_ours: dict[str, list[str]] = {}
        for name, definition in self._experiment.functions.items():
            try:
                why = await self._create(name, definition.configuration(folder), code_of(definition, folder))
            except RuntimeMissing as refusal:
                missing.append(refusal)
                if not self._experiment.made or len(missing) == len(self._experiment.functions):
                    raise
                self._notice(f"{name} is left out: {refusal}")
                continue
            if why is not None:
                on_ours.setdefault(why, []).append(name)
            if url := definition.function_url_config:
                await self._target.create_function_url(name, url.configuration())
            count, alias = definition.provisioned_concurrent_executions, definition.auto_publish_alias
            if count or alias:
                await self._target.publish(name)
            if alias:
                await self._target.point_alias(name, alias, "1", {})
            if count:
                await self._target.provision(name, alias or "1", count)
        for why, names in on_ours.items():
            own = f"python{sys.version_info[0]}.{sys.version_info[1]}"
            self._notice(f"On {own}, the laboratory's own, instead of their runtime: {', '.join(names)}. Why: {why}")
        await self._target.settled()

    async def _create(self, name: str, configuration: Configuration, code: Code) -> str | None:
        """Nobody has chosen a template's runtime for this machine: where its Python is not here, the function gets
        ours, and why is returned."""
        try:
            await self._target.create(name, configuration, code)
        except RuntimeMissing as refusal:
            if not self._experiment.made or not (configuration.runtime or "").startswith("python"):
                raise
            await self._target.create(name, replace(configuration, runtime=None), code)
            return str(refusal)
        return None

    def _notice(self, message: str) -> None:
        self._target.journal.append(ev.Noticed("warning", message))

    async def carry_out(self, step: Step, index: int) -> None:
        """Returns when nothing is in flight any more."""
        match step.action:
            case Invoke() as invoke:
                await self._invoke(invoke, index)
            case Update() as update:
                function, changes = self._experiment.function_of(update), update.changes_below(self._experiment.folder)
                await self._target.update(function, changes)
            case Edit() as edit:
                await self._edit(edit)
            case Publish() as publish:
                await self._target.publish(self._experiment.function_of(publish))
            case AliasTo() as alias:
                function, weights = self._experiment.function_of(alias), alias.additional_version_weights
                await self._target.point_alias(function, alias.name, alias.function_version, weights)
            case Provision() as provision:
                function, count = self._experiment.function_of(provision), provision.provisioned_concurrent_executions
                await self._target.provision(function, provision.qualifier, count)
            case RolePolicy(role=role, policy=policy):
                attach = step.attach_role_policy is not None
                await (self._target.attach_role_policy if attach else self._target.detach_role_policy)(role, policy)
            case Wait(seconds=float(seconds)):
                await asyncio.sleep(seconds)
            case Reclaim() as reclaim:
                await self._target.reclaim(reclaim.function)
        await self._target.settled()

    async def _invoke(self, invoke: Invoke, index: int) -> None:
        function = self._experiment.function_of(invoke)
        payload = json.dumps(self._experiment.event_of(invoke), ensure_ascii=False)

        async def once() -> None:
            await self._target.invoke(
                function, payload, qualifier=invoke.qualifier, invocation_type=invoke.invocation_type, step=index
            )

        if not invoke.parallel:
            for _ in range(invoke.times):
                await once()
                await self._target.settled()  # the answer comes before the environment is free again
            return
        outcomes = await asyncio.gather(*(once() for _ in range(invoke.times)), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _edit(self, edit: Edit) -> None:
        function = self._experiment.function_of(edit)
        text = edit.text if edit.text is not None else self._replaced(function, edit)
        await self._target.edit(function, edit.file, text)
        self._edited[function, edit.file] = text

    def _replaced(self, function: str, edit: Edit) -> str:
        text = self._edited.get((function, edit.file))
        try:
            if text is None:
                text = current_text(code_of(self._experiment.functions[function], self._experiment.folder), edit.file)
        except CodeError as error:
            raise TargetError(str(error)) from None
        for old, new in (edit.replace or {}).items():
            if old not in text:
                raise TargetError(f"{edit.file} has no {old!r} in it to replace")
            text = text.replace(old, new)
        return text


def in_words(step: Step, experiment: ExperimentFile) -> str:
    """The step's action in one line; nothing for a page to read."""
    match step.action:
        case Invoke() as invoke:
            how_often = "once" if invoke.times == 1 else f"{invoke.times} times"
            manner = "" if invoke.times == 1 else " at once" if invoke.parallel else " one after another"
            with_event = _event_in_words(invoke, experiment)
            qualifier = f":{invoke.qualifier}" if invoke.qualifier else ""
            kind = {"Event": " asynchronously", "DryRun": " as a dry run"}.get(invoke.invocation_type, "")
            return f"invoke {experiment.function_of(invoke)}{qualifier} {how_often}{manner}{kind}{with_event}"
        case Update() as update:
            changes = ", ".join(f"{key} = {_shortened(_plain(value))}" for key, value in update.changes.items())
            return f"update {experiment.function_of(update)}: {changes}"
        case Edit() as edit:
            return f"edit {edit.file} of {experiment.function_of(edit)}"
        case Publish() as publish:
            return f"publish a version of {experiment.function_of(publish)}"
        case AliasTo() as alias:
            shares = "".join(f", {share:.0%} to version {v}" for v, share in alias.additional_version_weights.items())
            function = experiment.function_of(alias)
            return f"point the alias {alias.name} of {function} to version {alias.function_version}{shares}"
        case Provision(qualifier=qualifier, provisioned_concurrent_executions=count) as provision:
            environments = "1 environment" if count == 1 else f"{count} environments"
            return f"provision {environments} of {experiment.function_of(provision)}:{qualifier}"
        case RolePolicy(role=role, policy=policy):
            return f"attach {policy} to {role}" if step.attach_role_policy else f"detach {policy} from {role}"
        case Wait(seconds=float(seconds)):
            return f"wait {seconds:g} s"
        case Wait():
            return "wait until nothing is in flight"
        case Reclaim() as reclaim:
            return f"reclaim the idle environments{f' of {reclaim.function}' if reclaim.function else ''}"
    return ""


def _event_in_words(invoke: Invoke, experiment: ExperimentFile) -> str:
    says = invoke if invoke.says_event else experiment.functions[experiment.function_of(invoke)]
    event = "" if says.event == {} else _shortened(json.dumps(says.event, ensure_ascii=False))
    if says.service_event is None:
        return f" with {event}" if event else ""
    return f" with the event {says.service_event}{f' and {event} in it' if event else ''}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_EVENT else f"{text[: _MAX_EVENT - 1]}…"
