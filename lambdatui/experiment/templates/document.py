"""A template as plain values: short forms (`!Ref X`) are spelled out (`{Ref: X}`), and what SAM's Globals say is laid
under its functions ("Globals section of the AWS SAM template").

Both are done to the nodes of the YAML file, so that every value still knows its line and column.
"""

from __future__ import annotations

import yaml

from lambdatui.events import Json
from lambdatui.experiment.document import MAP, SEQ, STR, Document

FUNCTION, SERVERLESS_FUNCTION = "AWS::Lambda::Function", "AWS::Serverless::Function"
_NO_FUNCTIONS = frozenset({"Ref", "Condition"})


def is_template(value: Json) -> bool:
    """Whether a file that says this is a template, and not an experiment."""
    if not isinstance(value, dict) or "functions" in value:
        return False
    return bool({"AWSTemplateFormatVersion", "Transform", "Resources"} & value.keys())


def is_intrinsic(value: Json) -> bool:
    """Whether it is a call of an intrinsic function."""
    return isinstance(value, dict) and len(value) == 1 and _names_function(next(iter(value)))


class Template(Document):
    """Either kind of template, as YAML or JSON."""

    def _prepared(self, root: yaml.Node) -> yaml.Node:
        root = _spelled_out(root, {})
        settings = _at(_at(root, "Globals"), "Function")
        resources = _at(root, "Resources")
        if isinstance(settings, yaml.MappingNode) and isinstance(resources, yaml.MappingNode):
            for _, resource in resources.value:
                kind = _at(resource, "Type")
                if isinstance(kind, yaml.ScalarNode) and kind.value == SERVERLESS_FUNCTION:
                    _lay_under(resource, settings)
        return root


def _names_function(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def _spelled_out(node: yaml.Node, done: dict[int, yaml.Node]) -> yaml.Node:
    """An anchor makes one node stand in several places: `done` has what became of each."""
    if id(node) in done:
        return done[id(node)]
    result = node
    if node.tag.startswith("!") and len(node.tag) > 1:
        name = node.tag[1:]
        key = name if name in _NO_FUNCTIONS else f"Fn::{name}"
        node.tag = SEQ if isinstance(node, yaml.SequenceNode) else MAP if isinstance(node, yaml.MappingNode) else STR
        key_node = yaml.ScalarNode(STR, key, node.start_mark, node.start_mark)
        result = yaml.MappingNode(MAP, [(key_node, node)], node.start_mark, node.end_mark)
    done[id(node)] = result
    if isinstance(node, yaml.SequenceNode):
        node.value = [_spelled_out(each, done) for each in node.value]
    elif isinstance(node, yaml.MappingNode):
        node.value = [(key, _spelled_out(each, done)) for key, each in node.value]
    return result


def _at(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _lay_under(resource: yaml.MappingNode, settings: yaml.MappingNode) -> None:
    properties = _at(resource, "Properties")
    if properties is None:
        key = yaml.ScalarNode(STR, "Properties", resource.start_mark, resource.start_mark)
        resource.value = [*resource.value, (key, settings)]
        return
    merged = _merged(settings, properties)
    resource.value = [(key, merged if key.value == "Properties" else value) for key, value in resource.value]


def _merged(under: yaml.Node, over: yaml.Node) -> yaml.Node:
    """Mappings key by key, lists one after the other; of anything else, and of intrinsic functions, the second."""
    if _is_mapping(under) and _is_mapping(over):
        names = {key.value for key, _ in over.value}
        below = {key.value: value for key, value in under.value}
        value = [(key, _merged(below[key.value], each) if key.value in below else each) for key, each in over.value]
        value += [(key, each) for key, each in under.value if key.value not in names]
        return yaml.MappingNode(MAP, value, over.start_mark, over.end_mark)
    if isinstance(under, yaml.SequenceNode) and isinstance(over, yaml.SequenceNode):
        return yaml.SequenceNode(SEQ, [*under.value, *over.value], over.start_mark, over.end_mark)
    return over


def _is_mapping(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        return False
    return not (len(node.value) == 1 and _names_function(node.value[0][0].value))
