"""What the Guide and the gallery say by themselves, in the languages that experiments speak.

`lambdatui.experiment.language` tells how a language is chosen; what an experiment says comes from its own file.
"""

from __future__ import annotations

from typing import Final

CATALOGUE: Final[dict[str, tuple[str, str]]] = {
    # the page
    "starting": ("Starting the laboratory…", "實驗室啟動中…"),
    "step of": ("step {step} of {steps}", "第 {step} 步，共 {steps} 步"),
    "more": ("j for more", "j 往下看"),
    "all the code": ("the code", "程式碼"),
    "saw save": ("saw your save at {time}", "{time} 看到你存檔了"),
    # hints and predictions
    "a hint": ("a hint", "看提示"),
    "another hint": ("another hint", "再看一個提示"),
    "hint": ("Hint", "提示"),
    "your prediction": ("Your prediction: {number} {choice}", "你的預測：{number} {choice}"),
    "the answer": ("What happens: {number} {choice}", "實際結果：{number} {choice}"),
    # the outcome
    "expected": ("expected", "預期"),
    "observed": ("observed", "實際"),
    "of invocation": ("invocation #{number}", "第 {number} 次呼叫"),
    "nothing": ("nothing", "沒有"),
    "show evidence": ("shows where", "看證據"),
    "next evidence": ("the next", "看下一個"),
    # what one can do
    "invoke": ("invoke", "呼叫"),
    "its event": ("its event", "編輯事件"),
    "again": ("start again", "重新開始"),
    "quit": ("quit", "離開"),
    "step starts": ("starting…", "即將開始…"),
    "step runs": ("running…", "執行中…"),
    "by hand too": ("i, p work too", "i、p 也能用"),
    "predict": ("predict", "預測"),
    "run": ("run", "執行"),
    "run as predicted": ("run, I say {choice}", "執行，我猜 {choice}"),
    "run step": ("run this step", "執行這一步"),
    "on": ("on to step {step}", "到第 {step} 步"),
    "summary": ("the summary", "看總結"),
    # the same, where one can only watch
    "next step": ("next step", "下一步"),
    "play": ("play, pause", "播放、暫停"),
    "turn": ("turn the page", "翻頁"),
    "watching": ("You are watching.", "你正在觀看。"),
    # the end
    "all done": ("All steps are done.", "所有步驟都完成了。"),
    "otherwise": (
        "{failed} of {steps} steps went otherwise than expected.",
        "{steps} 步之中有 {failed} 步和預期不同。",
    ),
    "it went otherwise": ("It went otherwise than expected.", "結果和預期不同。"),
    "as expected": ("All went as expected.", "全部符合預期。"),
    "it went as expected": ("It went as expected.", "結果符合預期。"),
    "score": ("You predicted {right} of {asked} right.", "{asked} 題預測，你答對了 {right} 題。"),
    "no hints": ("Without a hint.", "沒有看提示。"),
    "one hint": ("With one hint.", "看了 1 個提示。"),
    "hints": ("With {hints} hints.", "看了 {hints} 個提示。"),
    "you said": ("you said {choice}", "你說：{choice}"),
    "it was": ("it was {choice}", "結果：{choice}"),
    "try next": ("Try this next: {title}", "接下來試試：{title}"),
    "still open": ("The laboratory is still open: ", "實驗室還開著："),
    "invokes": (" invokes the function, ", " 呼叫函式，"),
    "three at once": (" three times at once, ", " 同時呼叫三次，"),
    "edits": (" edits the event.", " 編輯事件。"),
    # told in the last line
    "no steps": (
        "There are no steps here: i invokes the function, e edits its event.",
        "這裡沒有步驟：i 呼叫函式，e 編輯事件。",
    ),
    "end": ("All steps are done. r starts again.", "所有步驟都完成了。按 r 重新開始。"),
    "still runs": ("This step is still running.", "這一步還在執行。"),
    "no hint": ("There is no hint to this step.", "這一步沒有提示。"),
    "no further hint": ("There is no further hint.", "沒有其他提示了。"),
    "no hint afterwards": ("This step has run: hints are for before.", "這一步已經執行過了：提示只在執行前提供。"),
    "no evidence": ("Nothing to show yet: run the step first.", "還沒有東西可看：先執行這一步。"),
    "evidence gone": ("That line of the log is not there any more.", "那一行日誌已經不在了。"),
    "no code": ("There is no code to show.", "沒有可以顯示的程式碼。"),
    # the code
    "code of": ("Code of {function}", "{function} 的程式碼"),
    "code keys": ("tab next file  ·  esc closes", "tab 下一個檔案  ·  esc 關閉"),
    "escape closes": ("esc closes", "esc 關閉"),
    "as it was": ("unchanged since it was opened", "開啟之後沒有變動"),
    "changed": ("lines: {added} new, {removed} gone", "新增 {added} 行，刪除 {removed} 行"),
    # the gallery
    "gallery": ("Experiments", "實驗"),
    "gallery about": (
        "A course in what AWS Lambda does, from the first timeout to a runtime of your own.",
        "從第一次逾時到自訂執行時期，一門看懂 AWS Lambda 的課。",
    ),
    "gallery keys": ("opens it", "開啟"),
    "minutes": ("{minutes} min", "{minutes} 分鐘"),
    "done of": ("{done} of {count} done", "完成 {done}／{count}"),
    "move": ("up and down", "上下移動"),
    "not done": ("not done yet", "還沒做過"),
    "done at": ("{right} of {asked} right, {date}", "答對 {right}／{asked}，{date}"),
    "loading": ("Looking at the experiments…", "讀取實驗中…"),
}
"""English and Traditional Chinese, as it is used in Taiwan; `{…}` are the same in both."""


def say(language: str, key: str, **values: object) -> str:
    """The words of that key; English for a language that is not there."""
    return CATALOGUE[key][language == "zh-Hant"].format(**values)
