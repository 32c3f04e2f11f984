"""AWS SAM and CloudFormation templates, as `sam init` makes them and as people write them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdatui.events import Json
from lambdatui.experiment.loader import BadExperiment, load
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.templates.document import Template
from lambdatui.experiment.templates.intrinsics import Scope, Unresolvable
from lambdatui.experiment.visible import visible

OPENED = Path(__file__).parent / "opened"
HEAD = "Transform: AWS::Serverless-2016-10-31\n"
FUNCTION = "Type: AWS::Serverless::Function"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text("def handler(event, context): ...\n")
    return tmp_path / "template.yaml"


def opened(file: Path, text: str, parameters: Mapping[str, str] | None = None) -> ExperimentFile:
    file.write_text(text, encoding="utf-8")
    return load(file, parameters or {})


def mistakes(file: Path, text: str, parameters: Mapping[str, str] | None = None) -> list[tuple[int, int, str]]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadExperiment) as caught:
        load(file, parameters or {})
    return [(line, column, message) for _, line, column, message in caught.value.errors]


def notices(experiment: ExperimentFile) -> list[str]:
    return [f"{each.line}: {each.message}" for each in experiment.notices]


# -- whole templates ------------------------------------------------------------------------------------------------


def test_what_sam_init_makes() -> None:
    experiment = load(OPENED / "hello/template.yaml")
    (name, function), *others = experiment.functions.items()
    assert (name, others, experiment.steps) == ("HelloWorldFunction", [], [])
    assert (function.handler, function.runtime, function.timeout, function.memory_size) == (
        *("app.lambda_handler", "python3.13"),
        *(3, 128),
    )
    assert function.code == "hello_world/" and function.role is None
    event = function.whole_event
    assert isinstance(event, dict)
    assert (event["path"], event["httpMethod"], event["body"]) == ("/hello", "GET", None)
    assert event["headers"], "what the template does not say is as it typically is"
    assert notices(experiment) == ["15: nobody but you invokes functions here: there is no Api (HelloWorldFunction)"]


def test_globals_conditions_mappings_layers_roles_and_all_that_is_not_here() -> None:
    experiment = load(OPENED / "orders/template.yaml")
    place, work = experiment.functions["local-place-dev"], experiment.functions["WorkFunction"]
    assert list(experiment.functions) == ["local-place-dev", "WorkFunction"], "one is for production, one an image"
    assert (place.timeout, place.memory_size, place.layers, place.runtime) == (5, 256, ["layer/"], "python3.12")
    assert place.environment == {
        "STAGE": "dev",
        "PORT": "8080",
        "FLAG": "true",
        "TABLE": "orders-dev",
        "QUEUE_ARN": "arn:aws:sqs:us-east-1:000000000000:Queue",
        "TOPIC": "arn:aws:sns:us-east-1:000000000000:Topic",
        "WORKER": "b:arn:aws:lambda:us-east-1:000000000000:function:WorkFunction",
    }
    assert (place.maximum_retry_attempts, place.maximum_event_age_in_seconds) == (1, 120)
    to_work = {"destination": "arn:aws:lambda:us-east-1:000000000000:function:WorkFunction"}
    assert (place.destination_config, place.dead_letter_config) == ({"on_success": to_work}, None)
    assert place.role == "PlaceFunctionRole" and place.service_event == "sqs"
    allowed = experiment.roles["PlaceFunctionRole"].attached
    assert {"AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole"} < allowed.keys()
    assert "lambda:InvokeFunction" in str(allowed) and "000000000000-bucket" in str(allowed)

    assert (work.reserved_concurrent_executions, work.ephemeral_storage, work.auto_publish_alias) == (5, 1024, "live")
    assert (work.provisioned_concurrent_executions, work.role, work.timeout) == (1, "WorkerRole", 10)
    assert work.logging_config.model_dump() == {
        "log_format": "JSON",
        "application_log_level": "DEBUG",
        "system_log_level": None,
        "log_group": "/orders/work",
    }
    assert work.whole_event == {"job": "nightly"}
    assert list(experiment.roles["WorkerRole"].attached) == ["AWSLambdaBasicExecutionRole"]

    told = "\n".join(notices(experiment))
    for each in (
        *("AmazonBedrockFullAccess", "SECRET", "--parameter ApiKey=VALUE", "UserPool.ProviderURL", "Tracing"),
        *("LambdaInsightsExtension", "container image", "AWS::DynamoDB::Table (Table)", "SQS (PlaceFunction)"),
    ):
        assert each in told
    assert len(experiment.notices) == 10


def test_parameters_decide() -> None:
    given = {"Stage": "prod", "ApiKey": "k", "Memory": "512", "AWS::Region": "eu-west-1"}
    experiment = load(OPENED / "orders/template.yaml", given)
    assert list(experiment.functions) == ["local-place-prod", "WorkFunction", "OnlyInProduction"]
    place = experiment.functions["local-place-prod"]
    assert (place.timeout, place.memory_size, experiment.laboratory.region) == (30, 512, "eu-west-1")
    assert (place.environment["LOG_LEVEL"], place.environment["SECRET"]) == ("WARN", "k")
    with_url = experiment.functions["OnlyInProduction"]
    assert with_url.service_event == "function-url" and with_url.function_url_config
    url = with_url.function_url_config.configuration()
    assert (url.auth_type, url.cors and url.cors.allow_origins) == ("NONE", ("https://example.com",))


def test_plain_cloudformation_in_json_indented_with_tabs() -> None:
    experiment = load(OPENED / "plain/template.json")
    inline, folder = experiment.functions["Inline"], experiment.functions["Folder"]
    assert inline.source and inline.source.startswith("import os\ndef handler(event, context):\n")
    assert (inline.role, inline.auto_publish_alias) == ("Role", "live")
    assert (folder.code, folder.runtime, folder.role) == ("src", "nodejs20.x", None)
    assert notices(experiment) == [
        "24: of no effect here: VpcConfig (Inline)",
        "41: the role arn:aws:iam::123456789012:role/elsewhere is not here: the function may log, no more",
        "45: Uploaded is left out: its code is in S3: name a local folder or .zip, or run `sam build`",
    ]


def test_what_sam_build_leaves(tmp_path: Path) -> None:
    build = tmp_path / ".aws-sam/build"
    (build / "HelloWorldFunction").mkdir(parents=True)
    text = (OPENED / "hello/template.yaml").read_text().replace("hello_world/", "HelloWorldFunction")
    (build / "template.yaml").write_text(text)
    experiment = load(build / "template.yaml")
    code = experiment.functions["HelloWorldFunction"].code
    assert code and (experiment.folder / code).is_dir()


def test_a_folder_with_a_template_in_it_is_the_template() -> None:
    assert load(OPENED / "hello").path == OPENED / "hello/template.yaml"


def test_what_the_cdk_synthesizes(file: Path) -> None:
    text = f"""\
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {{Handler: app.handler, Runtime: python3.11, Code: {{S3Bucket: b, S3Key: k}}, Role: r}}
    Metadata: {{"aws:asset:path": {file.parent / "src"}, "aws:asset:property": Code}}
"""
    assert opened(file, text).functions["F"].code == str(file.parent / "src")


# -- Globals --------------------------------------------------------------------------------------------------------


def test_globals_are_merged_as_sam_merges_them(file: Path) -> None:
    text = f"""\
{HEAD}Globals:
  Function:
    CodeUri: src
    Handler: app.handler
    Timeout: 20
    Environment: {{Variables: {{AA: 1, BB: 2}}}}
    Layers: [!Ref One]
    Policies: !Ref "AWS::NoValue"
Resources:
  One: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: src}}}}
  Two: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: src/}}}}
  F:
    {FUNCTION}
    Properties: {{Timeout: 5, Environment: {{Variables: {{BB: 3, CC: 4}}}}, Layers: [!Ref Two]}}
  G:
    {FUNCTION}
  H:
    Type: AWS::Lambda::Function
    Properties: {{Handler: app.handler, Code: src, Role: x}}
"""
    functions = opened(file, text).functions
    assert (functions["F"].timeout, functions["G"].timeout, functions["H"].timeout) == (5, 20, 3)
    assert functions["F"].environment == {"AA": "1", "BB": "3", "CC": "4"}
    assert functions["F"].layers == ["src", "src/"], "lists are joined, those of the Globals first"
    assert functions["G"].environment == {"AA": "1", "BB": "2"}


# -- what is wrong --------------------------------------------------------------------------------------------------

GOOD = f"""\
{HEAD}Parameters: {{P: {{Type: String}}}}
Resources:
  F:
    {FUNCTION}
    Properties:
      Handler: app.handler
      CodeUri: src
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("src", "nowhere", 8, 16, "there is no folder and no .zip nowhere"),
        ("src", "s3://bucket/key", 8, 16, "F: its code is in S3: name a local folder or .zip, or run `sam build`"),
        ("src", "!Ref P", 8, 16, "the parameter 'P' has no Default: say --parameter P=VALUE"),
        ("src", "!Ref Q", 8, 16, "there is no parameter and no resource 'Q'"),
        ("src", "!ImportValue x", 8, 16, "the value of Fn::ImportValue is known to a stack only"),
        ("src", "!If [C, a, b]", 8, 16, "there is no condition 'C'"),
        ("src", "!Select [3, [a, b]]", 8, 16, "there is no item 3 among 2"),
        ("src", "!FindInMap [M, a, b]", 8, 16, "there is nothing at M / a / b in the Mappings"),
        ("src", "!Sub {a: b}", 8, 16, "Fn::Sub needs a text, or a list of a text and a mapping"),
        ("src", "!Sub '${F.Nothing}'", 8, 16, "the value of F.Nothing is known to a stack only"),
        ("src", "[a]", 8, 16, "'CodeUri' must be a folder or a .zip"),
        ("      CodeUri: src\n", "", 4, 3, "the function has no 'CodeUri'"),
        ("      Handler: app.handler\n", "", 4, 3, "the function has no 'Handler'"),
        ("src", "src\n      Timeout: soon", 9, 16, "'Timeout' must be a whole number"),
        ("src", "src\n      Timeout: 901", 9, 16, "Member must have value less than or equal to 900"),
        ("src", "src\n      Environment: 3", 9, 20, "'Environment' must be a mapping"),
        ("src", "src\n      FunctionName: a b", 4, 3, "a function's name has letters, digits"),
        (FUNCTION, "Type: AWS::S3::Bucket", 4, 3, "there is no function in this template"),
        (FUNCTION, f"{FUNCTION}\n    Condition: C", 6, 16, "there is no condition 'C'"),
    ],
)
def test_a_mistake(file: Path, old: str, new: str, line: int, column: int, message: str) -> None:
    ((*where, told),) = mistakes(file, GOOD.replace(old, new))
    assert message in told
    assert where == [line, column]


@pytest.mark.parametrize(
    ("property", "message"),
    [
        ("FunctionName: !Ref F", "F keeps its logical id for a name: the name of F depends on itself"),
        ("FunctionName: !Ref P", "F keeps its logical id for a name: the parameter 'P' has no Default"),
        ("Role: !ImportValue x", "its role is not here: the function may log, no more"),
        ("Policies: !Ref P", "this policy is left out: the parameter 'P' has no Default"),
        ("Layers: [!ImportValue x]", "this layer is left out: the value of Fn::ImportValue is known to a stack only"),
        ("DeadLetterConfig: {TargetArn: !ImportValue x}", "nothing is sent to DeadLetterConfig: it is not here"),
        ("Events: {E: {Type: Schedule, Properties: {Input: !Ref P}}}", "there is no Schedule (F)"),
    ],
)
def test_what_a_function_can_do_without_is_told_and_left_out(file: Path, property: str, message: str) -> None:
    experiment = opened(file, f"{GOOD}      {property}\n")
    assert list(experiment.functions) == ["F"]
    (notice,) = notices(experiment)
    assert notice.startswith("9: ") or notice.startswith("4: ")
    assert message in notice


def test_a_good_one_is_good(file: Path) -> None:
    assert opened(file, GOOD).functions["F"].code == "src"


def test_all_mistakes_at_once(file: Path) -> None:
    text = GOOD.replace("src", "!Ref P\n      Timeout: x\n      MemorySize: [1]")
    assert [line for line, _, _ in mistakes(file, text, {"Q": "1"})] == [2, 8, 9, 10]


def test_parameters_are_for_templates(file: Path) -> None:
    text = "title: t\nfunctions: {F: {handler: app.handler, code: src}}\n"
    assert mistakes(file, text, {"A": "b"}) == [(0, 0, "parameters are for templates, and this is none")]
    assert opened(file, text).steps == []


# -- intrinsic functions --------------------------------------------------------------------------------------------

SCOPE = """\
Parameters:
  P: {Type: String, Default: p}
  L: {Type: CommaDelimitedList, Default: "a, b"}
  N: {Type: Number, Default: 007}
Mappings: {M: {us-east-1: {x: 1, list: [c, d]}}}
Conditions:
  Yes: !Equals [!Ref P, p]
  No: !Not [Condition: Yes]
  Circle: !Or [!Condition Circle, !Condition Yes]
Resources:
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${P}-queue"}}
  T: {Type: AWS::DynamoDB::Table}
"""


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    return Scope(Template(tmp_path / "t.yaml", SCOPE), {}, "000000000000")


def resolved(scope: Scope, text: str) -> Json:
    template = Template(Path("t.yaml"), f"x: {text}")
    assert isinstance(template.value, dict)
    return scope.value(template.value["x"], ("x",))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref P", "p"),
        ("{Ref: L}", ["a", "b"]),
        ("!Ref N", "007"),
        ("!Ref AWS::Region", "us-east-1"),
        ("[!Ref AWS::NoValue, 1]", [1]),
        ("{a: !Ref AWS::NoValue, b: 1}", {"b": 1}),
        ("!Ref Q", "https://sqs.us-east-1.amazonaws.com/000000000000/p-queue"),
        ("!GetAtt Q.Arn", "arn:aws:sqs:us-east-1:000000000000:p-queue"),
        ("{Fn::GetAtt: [Q, QueueName]}", "p-queue"),
        ("!GetAtt T.StreamArn", "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2024-01-01T00:00:00.000"),
        ("!Sub '${P} ${!P} ${T.Arn} ${AWS::Partition}'", "p ${P} arn:aws:dynamodb:us-east-1:000000000000:table/T aws"),
        ("!Sub ['${A}-${P}', {A: !Join [+, !Ref L]}]", "a+b-p"),
        ("!Join ['', [a, 1, true, !Ref P]]", "a1truep"),
        ("!FindInMap [M, !Ref AWS::Region, x]", 1),
        ("!FindInMap [M, nowhere, x, {DefaultValue: 2}]", 2),
        ("!Select [1, !FindInMap [M, us-east-1, list]]", "d"),
        ("!Split [',', 'a,b']", ["a", "b"]),
        ("!If [Yes, 1, 2]", 1),
        ("!If [No, 1, !If [Yes, 3, 4]]", 3),
        ("!Base64 hello", "aGVsbG8="),
        ("!GetAZs ''", ["us-east-1a", "us-east-1b", "us-east-1c"]),
        ("{Fn::Length: !Ref L}", 2),
        ("{Fn::ToJsonString: {a: !Ref P}}", '{"a":"p"}'),
    ],
)
def test_an_intrinsic_function(scope: Scope, text: str, value: Json) -> None:
    assert resolved(scope, text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!Ref Qq", "there is no parameter and no resource 'Qq'; did you mean 'Q'?"),
        ("!GetAtt X.Arn", "there is no resource 'X'"),
        ("!If [Circle, 1, 2]", "the condition Circle depends on itself"),
        ("!Join [x]", "Fn::Join needs a list"),
        ("!Base64 [x]", "this must be a text"),
        ("!Cidr x", "the value of Fn::Cidr is known to a stack only"),
        ("!Sub ['" + "${A}" * 2000 + "', {A: '" + "x" * 1000 + "'}]", "this comes to more than 1048576 characters"),
    ],
)
def test_what_nobody_knows(scope: Scope, text: str, message: str) -> None:
    with pytest.raises(Unresolvable, match=message.replace("?", r"\?")):
        resolved(scope, text)


# -- whatever the file has in it ------------------------------------------------------------------------------------

_ORDERS = Template(OPENED / "orders/template.yaml", (OPENED / "orders/template.yaml").read_text()).value
_NAMES = [
    "Ref",
    "Fn::Sub",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Join",
    "Fn::FindInMap",
    "Fn::Select",
    "Fn::Split",
    "Fn::Equals",
]
_WORDS = st.sampled_from(["Stage", "Queue.Arn", "IsProd", "${Stage}", "AWS::NoValue", "Shared", "WorkerRole", "x", ""])
_VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2000) | st.floats(allow_nan=False) | _WORDS | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_NAMES), inner, min_size=1, max_size=1)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from([*_NAMES, "Type", "Condition"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def _places(value: Json, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(each for key, part in inner for each in _places(part, (*place, key)))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(place=st.sampled_from(_places(_ORDERS)[1:]), value=_VALUES)
def test_a_good_template_with_anything_anywhere_opens_or_is_refused_in_sentences(
    file: Path, place: tuple[str | int, ...], value: Json
) -> None:
    content = copy.deepcopy(_ORDERS)
    holder: Any = content
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    file.write_bytes(json.dumps(content).encode())
    _opens_or_complains(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(value=_VALUES)
def test_any_resource(file: Path, value: Json) -> None:
    properties: Json = {"Handler": "a.b", "InlineCode": "", "Environment": {"Variables": {"A": value}}, "Layers": value}
    template: Json = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}, "G": value}}
    file.write_text(yaml.dump(template, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    _opens_or_complains(file)


def _opens_or_complains(file: Path) -> None:
    try:
        experiment = load(file)
    except BadExperiment as bad:
        assert bad.errors and all(visible(str(problem)) == str(problem) for problem in bad.errors)
    else:
        assert experiment.functions
