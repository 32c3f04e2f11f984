"""An experiment without steps: functions to play with. What one can do with them, and what `run` makes of them."""

from __future__ import annotations

from collections.abc import Collection

from lambdatui.events import Json
from lambdatui.experiment.language import Language
from lambdatui.experiment.schema import Expect, ExperimentFile, Invoke, StatusExpected, Step
from lambdatui.experiment.shapes import Text
from lambdatui.experiment.visible import visible

_HINTS = Text.model_validate(
    {
        "en": """\
What you can do:

- `i` invokes the function, `p` three times at once; `t` goes on to the next function, if there are several.
- `e` edits the event; there, `ctrl+t` lists what S3, SQS, API Gateway and others send.
- Save a file of the code, and the next invocation runs on it.
- `u` changes timeout, memory and environment variables; `x` ends idle environments.
- In another terminal: `eval "$(lambdatui env)"`, then
  `aws lambda invoke --function-name {function} out.json`.
""",
        "zh-Hant": """\
你可以這樣玩：

- `i` 呼叫函式一次，`p` 同時呼叫三次；有好幾個函式時，`t` 換到下一個。
- `e` 編輯事件；在那裡按 `ctrl+t`，會列出 S3、SQS、API Gateway 等服務送來的事件。
- 儲存程式碼的任何一個檔案，下一次呼叫就會執行新的程式碼。
- `u` 更改逾時、記憶體和環境變數；`x` 結束閒置的執行環境。
- 在另一個終端機：`eval "$(lambdatui env)"`，接著
  `aws lambda invoke --function-name {function} out.json`。
""",
    }
)
_NOT_HERE = Text.model_validate({"en": "What is different here:", "zh-Hant": "這裡不同的地方："})


def about(experiment: ExperimentFile, language: Language) -> str:
    """What there is to say of an experiment before its first step, Markdown."""
    parts = [experiment.about.in_language(language)] if experiment.about else []
    if not experiment.steps:
        parts.append(_HINTS.in_language(language).replace("{function}", next(iter(experiment.functions))))
    if experiment.notices:
        notices = (f"- line {each.line}: {visible(each.message)}" for each in experiment.notices)
        parts.append("\n".join([_NOT_HERE.in_language(language), "", *notices]))
    return "\n\n".join(parts)


def tried(experiment: ExperimentFile, functions: Collection[str], event: Json = None) -> ExperimentFile:
    """With a step for each of these functions, which invokes it once, with `event` or else its own, and expects it to
    succeed."""
    says = {} if event is None else {"event": event}
    steps = [
        Step(
            name=Text.model_validate({"en": f"Invoke {name}", "zh-Hant": f"呼叫 {name}"}),
            invoke=Invoke.model_validate({"function": name, **says}),
            expect=Expect(status=StatusExpected(each="succeeded")),
        )
        for name in functions
    ]
    return experiment.model_copy(update={"steps": steps})
