from __future__ import annotations

import contextlib
import json
import warnings
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdatui.experiment.loader import BadExperiment, load
from lambdatui.experiment.schema import ExperimentFile, json_schema
from lambdatui.experiment.visible import visible
from lambdatui.function import Configuration
from lambdatui.function_url import Cors, UrlConfiguration
from lambdatui.refusal import InvalidParameter

MINIMAL = """\
title: t
functions:
  F: {handler: app.handler, source: 'pass'}
steps:
  - {name: s, invoke: {}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "e.yaml"


def loaded(file: Path, text: str) -> ExperimentFile:
    file.write_text(text, encoding="utf-8")
    return load(file)


def mistakes(file: Path, text: str | bytes) -> list[tuple[int, int, str]]:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadExperiment) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}:")
    return [(line, column, message) for _, line, column, message in caught.value.errors]


def only(file: Path, text: str | bytes) -> tuple[int, int, str]:
    (mistake,) = mistakes(file, text)
    return mistake


def test_a_small_experiment(file: Path) -> None:
    experiment = loaded(file, MINIMAL)
    assert experiment.path == file
    assert experiment.functions["F"].configuration(experiment.folder) == Configuration("app.handler")
    assert experiment.laboratory.model_dump() == {
        "region": "us-east-1",
        "log_dialect": "current",
        "concurrent_executions": 1000,
        "idle_timeout": 300.0,
        "time_scale": 1.0,
        "cpu_limit": True,
    }


def test_every_mistake_is_told_at_once_with_its_place(file: Path) -> None:
    text = """\
title: t
functions:
  F:
    handler: app.handler
    source: pass
    timout: 5
    memory_size: 64
  G: {handler: app.handler, code: ./nowhere, timeout: '3'}
steps:
  - name: s
    invoke: {function: Gg, times: 0}
    expect: {status: timeout, log: ['(']}
  - nmae: s
"""
    assert mistakes(file, text) == [
        (6, 5, "unknown key 'timout'; did you mean 'timeout'?"),
        (
            7,
            18,
            "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: "
            "Member must have value greater than or equal to 128",
        ),
        (8, 35, "there is no folder and no .zip ./nowhere"),
        (8, 55, "'timeout' must be a whole number, not '3'"),
        (11, 24, "there is no function 'Gg'; did you mean 'G'?"),
        (11, 35, "'times', 0, is not right: it should be greater than or equal to 1"),
        (
            12,
            22,
            "'status' must be one of succeeded, failed, timed_out, throttled, not 'timeout'; did you mean 'timed_out'?",
        ),
        (12, 37, "'(' is no regular expression: missing ), unterminated subpattern at position 0"),
        (13, 5, "'name' is missing"),
        (13, 5, "unknown key 'nmae'; did you mean 'name'?"),
    ]


def test_a_function_url(file: Path) -> None:
    text = MINIMAL.replace("'pass'}", "'pass', function_url_config: {auth_type: NONE, cors: {allow_origins: ['*']}}}")
    config = loaded(file, text).functions["F"].function_url_config
    assert config and config.configuration() == UrlConfiguration("NONE", cors=Cors(allow_origins=("*",)))

    assert only(file, text.replace("NONE", "SOME"))[2] == (
        "1 validation error detected: Value 'SOME' at 'authType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [AWS_IAM, NONE]"
    )
    assert only(file, text.replace("allow_origins", "allow_origin"))[2] == (
        "unknown key 'allow_origin'; did you mean 'allow_origins'?"
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: [1, 2", 1, 9, "while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"),
        ("a: b\x07", 1, 5, "the character #x0007 is not allowed in YAML"),
        (b"a: \xff", 1, 4, "this is not UTF-8 text"),
        ("", 0, 0, "the file is empty"),
        ("- 1", 1, 1, "an experiment must be a mapping, not a list"),
        ("[" * 5000, 1, 1, "this is nested too deeply"),
        ("&a [*a]", 1, 1, "this is nested too deeply or too large"),
    ],
    ids=["syntax", "control character", "encoding", "empty", "list", "deep", "recursive"],
)
def test_no_experiment_at_all(file: Path, text: str | bytes, line: int, column: int, message: str) -> None:
    assert only(file, text) == (line, column, message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: t", "title: t\ntitle: u", "'title' stands here for the second time, after line 1"),
        ("title: t", "title: {en: a, fr: b}", "unknown key 'fr'; there are en, zh-Hant"),
        ("title: t", "title: {}", "'title' has no text"),
        ("title: t", 'title: "\\ud800"', "this text has half a surrogate pair in it, which is no character"),
        ("title: t", "title: !!python/name:os.system ''", "the tag !!python/name:os.system has no meaning here"),
        (
            "title: t",
            "title: t\nlaboratory: {idle_timeout: .inf}",
            "'.inf' is no finite number of less than",
        ),
        ("title: t", "title: t\nlaboratory: {log_dialect: clasic}", "did you mean 'classic'?"),
        (
            "'pass'",
            "'pass', logging_config: {log_fromat: JSON}",
            "'log_fromat'; did you mean 'log_format'?",
        ),
        ("'pass'", "'pass', logging_config: {log_format: Yaml}", "Member must satisfy enum value set: [JSON, Text]"),
        (
            "'pass'",
            "'pass', logging_config: {system_log_level: DEBUG}",
            'when LogFormat is set to "Text"',
        ),
        ("'pass'", "'pass', MemorySize: 128", "unknown key 'MemorySize'; did you mean 'memory_size'?"),
        ("'pass'", "'pass', code: .", "a function needs either 'code', a folder or .zip, or 'source'"),
        ("'pass'", "'pass', runtime: java21", "'source' is for Python and Node.js; java21 needs 'code'"),
        ("'pass'", "'pass', environment: {AWS_REGION: x}", "contains reserved keys"),
        ("'pass'", "'pass', python: nowhere/python", "there is no interpreter nowhere/python"),
        ("app.handler", "../app.handler", "'../app.handler' does not name a module"),
        ("  F:", "  F F:", "a function's name has letters, digits, hyphens and underscores"),
        ("invoke: {}", "invoke: {invocation_type: event}", "did you mean 'Event'?"),
        ("'pass'", "'pass', maximum_retry_attempts: 3", "Member must have value less than or equal to 2"),
        ("'pass'", "'pass', destination_config: {on_succes: {}}", "did you mean 'on_success'?"),
        ("'pass'", "'pass', destination_config: {on_success: {}}", "'destination' is missing"),
        (
            "'pass'",
            "'pass', destination_config: {on_failure: {destination: 'function:f'}}",
            "there is no function 'f'; did you mean 'F'?",
        ),
        (
            "'pass'",
            "'pass', destination_config: {on_failure: {destination: F}}",
            "Value 'F' at 'destinationConfig.onFailure.destination' failed to satisfy constraint",
        ),
        (
            "'pass'",
            "'pass', dead_letter_config: {target_arn: 'function:F'}",
            "Value 'function:F' at 'deadLetterConfig.targetArn' failed to satisfy constraint",
        ),
        ("invoke: {}", "invoke: {}, wait: 1", "a step has one action, and this one has invoke and wait"),
        ("invoke: {}", "wait: soon", "'wait' must be a number, not 'soon'"),
        ("invoke: {}", "wait: {}", "'wait' needs a number of seconds or `until: idle`"),
        ("invoke: {}", "update: {}", "an update needs a configuration key to change"),
        ("invoke: {}", "update: {timeout: long}", "'timeout' must be a whole number, not 'long'"),
        ("invoke: {}", "edit: {file: ../app.py, text: x}", "'../app.py' is no file inside the function's code"),
        ("invoke: {}", "edit: {file: app.py}", "an edit needs either 'text', all of the file, or 'replace'"),
        ("invoke: {}", "edit: {file: app.py, replace: {x: y}}", "app.py has no 'x' in it"),
        ("invoke: {}", "edit: {file: other.py, replace: {x: y}}", "there is no file other.py in inline"),
        ("invoke: {}", "wait: 1, expect: {cold_starts: 1}", "'cold_starts' is about invocations"),
        ("invoke: {}", "wait: 1, expect: {log: x}", "'log' is about invocations"),
        ("invoke: {}", "invoke: {}, expect: {rejected: x}", "'rejected' is about a change of the function"),
        ("invoke: {}", "invoke: {}, expect: {status: {}}", "'status' needs one of succeeded"),
        ("invoke: {}", "invoke: {}, expect: {duration_ms: {min: 2, max: 1}}", "'duration_ms' has a `min` above"),
        ("invoke: {}", "predict: {ask: a, choices: [x, y], answer: 3}", "there is no choice 3: there are 2"),
        ("invoke: {}", "highlight: nothing", "app.py has no line that matches 'nothing'"),
        ("invoke: {}", "highlight: '('", "'(' is no regular expression"),
        ("invoke: {}", "highlight: {file: x.py, pattern: a}", "there is no file x.py in inline"),
        ("invoke: {}", "highlight: {file: ../x, pattern: a}", "'../x' is no file inside the function's code"),
        ("invoke: {}", "highlight: {function: G, pattern: a}", "there is no function 'G'"),
        ("invoke: {}", "highlight: {lines: [1, 2]}", "app.py has 1 lines, and the first must not be after the last"),
        ("invoke: {}", "highlight: {lines: [1]}", "'lines' must have at least 2, and has 1"),
        ("invoke: {}", "highlight: {file: app.py}", "'highlight' needs either a regular expression or `lines`"),
        ("invoke: {}", "hint: {}", "'hint' has no text"),
        ("title: t", "title: t\nnext: tiemout", "there is no bundled experiment 'tiemout'; did you mean 'timeout'?"),
        ("title: t", "title: t\nminutes: 0", "'minutes'"),
        ("invoke: {}", "predict: {ask: a, choices: [x], answer: 1}", "'choices' must have at least 2, and has 1"),
    ],
)
def test_a_mistake(file: Path, old: str, new: str, message: str) -> None:
    _, _, told = only(file, MINIMAL.replace(old, new))
    assert message in told


def test_a_function_is_named_where_there_are_several(file: Path) -> None:
    text = MINIMAL.replace("steps:", "  G: {handler: app.handler, source: 'pass'}\nsteps:")
    assert only(file, text) == (6, 23, "'function' is missing, and there are 2 functions")


def test_an_update_may_carry_what_the_service_refuses(file: Path) -> None:
    experiment = loaded(file, MINIMAL.replace("invoke: {}", "update: {timeout: 901, memory_size: 1}"))
    assert experiment.steps[0].update
    assert experiment.steps[0].update.changes == {"timeout": 901, "memory_size": 1}


def test_scalars_are_taken_as_written_where_a_text_is_wanted(file: Path) -> None:
    text = MINIMAL.replace("'pass'", "'pass', environment: {DEBUG: True, COUNT: 007, ON: on, AT: 12:30, VERSION: 1.10}")
    experiment = loaded(file, text.replace("title: t", "title: 2023-10-01").replace("name: s", "name: no"))
    environment = experiment.functions["F"].environment
    assert environment == {"DEBUG": "True", "COUNT": "007", "ON": "on", "AT": "12:30", "VERSION": "1.10"}
    assert experiment.title.in_language("en") == "2023-10-01"
    assert experiment.steps[0].name.in_language("zh-Hant") == "no"


def test_texts_in_two_languages(file: Path) -> None:
    experiment = loaded(file, MINIMAL.replace("title: t", "title: {en: Timeout, zh-Hant: 逾時}"))
    assert (experiment.title.in_language("en"), experiment.title.in_language("zh-Hant")) == ("Timeout", "逾時")


def test_paths_are_relative_to_the_file(file: Path) -> None:
    (file.parent / "code").mkdir()
    (file.parent / "python").touch()
    experiment = loaded(file, MINIMAL.replace("source: 'pass'", "code: ./code, python: ./python"))
    configuration = experiment.functions["F"].configuration(experiment.folder)
    assert configuration.python == str(file.parent / "python")


def test_a_file_that_cannot_be_read(file: Path) -> None:
    for path, reason in ((file, "No such file or directory"), (Path("\0"), "")):
        with pytest.raises(BadExperiment, match=f"cannot be read: .*{reason}"):
            load(path)


def test_the_ranges_of_the_schema_are_lambdas() -> None:
    definitions = json_schema()["$defs"]
    assert isinstance(definitions, dict)
    definition = definitions["FunctionDefinition"]
    assert isinstance(definition, dict) and isinstance(definition["properties"], dict)
    for key in ("timeout", "memory_size", "ephemeral_storage"):
        schema = definition["properties"][key]
        assert isinstance(schema, dict)
        low, high = schema["minimum"], schema["maximum"]
        assert isinstance(low, int) and isinstance(high, int)
        for value, refused in ((low - 1, True), (low, False), (high, False), (high + 1, True)):
            try:
                Configuration("a.b").updated({key: value})
            except InvalidParameter:
                assert refused
            else:
                assert not refused


# -- whatever the file has in it ------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        *(
            "title",
            "functions",
            "F",
            "steps",
            "name",
            "invoke",
            "update",
            "edit",
            "wait",
            "reclaim",
            "expect",
            "status",
        ),
        *(
            "log",
            "times",
            "event",
            "function",
            "file",
            "replace",
            "source",
            "code",
            "handler",
            "timeout",
            "environment",
        ),
        *("predict", "ask", "choices", "answer", "en", "zh-Hant", "until", "laboratory", "seconds", "duration_ms"),
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
_PLACES = st.lists(st.one_of(_WORDS, st.integers(0, 2)), max_size=5)
_FULL = yaml.safe_load(
    """
title: {en: t, zh-Hant: t}
about: a
functions: {F: {handler: app.handler, source: "x = 1", timeout: 3, environment: {A: b}}}
laboratory: {idle_timeout: 3}
steps:
  - {name: s, predict: {ask: a, choices: [a, b], answer: 1}, invoke: {event: {a: [1]}, times: 2}}
  - {name: s, invoke: {}, expect: {status: failed, log: [a], duration_ms: {min: 1}, payload: {a: b}}}
  - {name: s, update: {timeout: 901}, expect: {rejected: x}}
  - {name: s, edit: {file: app.py, replace: {x: y}}}
"""
)


def _loads_or_complains(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            load(file)
        except BadExperiment as bad:
            assert bad.errors and all(visible(str(problem)) == str(problem) for problem in bad.errors)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(place=_PLACES, value=_VALUES)
def test_a_good_file_with_anything_anywhere(file: Path, place: list[str | int], value: object) -> None:
    content = json.loads(json.dumps(_FULL))
    holder: object = content
    for part in place[:-1]:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            holder = holder[part]  # type: ignore[index]
    if isinstance(holder, dict) and place:
        holder[place[-1]] = value
    _loads_or_complains(file, yaml.dump(content, allow_unicode=True).encode(errors="surrogatepass"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(value=_VALUES)
def test_any_yaml(file: Path, value: object) -> None:
    _loads_or_complains(file, yaml.dump(value).encode(errors="surrogatepass"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(content=st.binary(max_size=40) | st.text("[]{}:,-?!&*#|>'\"%@ \nab01.~<=", max_size=40).map(str.encode))
def test_any_bytes(file: Path, content: bytes) -> None:
    _loads_or_complains(file, content)
