"""Lint a routing: its decision tree by proof, its models by the price book, its choices by the article."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...documents import Document, dotted
from ...plurals import listed
from ...yaml_nodes import KeyPath
from ..findings import Finding
from ..routing.conditions import Attributes, Span
from ..routing.reachability import Reach, Shadow, firing_rule, reach
from ..routing.resolve import FALLBACK
from ..routing.routing import RoutingConfig, shipped_routing
from .cards import CardVerdict, OfFamily, judge, of_family
from .rules import finding_of

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

NO_PRICE = " has no price in "


def lint_routing(config: RoutingConfig, book: PriceBook | None = None) -> list[Finding]:
    """Everything that is wrong or doubtful in a routing; prices and context windows only with a `book`."""
    config = replace(config, document=with_lines(config.document))
    return [
        *_fallback(config),
        *_tree(config),
        *_disagreements(config),
        *_unknown_tasks(config),
        *(_unpriced(config, book) if book else ()),
        *_contexts(config, book),
        *_cards(config),
    ]


def with_lines(document: Document) -> Document:
    """The document with the line of every key, which the JSON reader does not give and YAML's does."""
    if document.lines or document.file.suffix.lower() != ".json":
        return document
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        root = yaml.compose(document.file.read_text("utf-8-sig"), Loader=loader)
    except (yaml.YAMLError, OSError):  # JSON that is not YAML too, such as one indented with tabs
        return document
    return replace(document, lines=dict(_lines(root, ())))


def _lines(node: Any, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if node.id == "mapping":
        for key, value in node.value:
            yield (*path, key.value), key.start_mark.line + 1
            yield from _lines(value, (*path, key.value))
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index))


def finding_at(document: Document, path: KeyPath, rule: str, message: str, fix: str = "") -> Finding:
    """A finding at a key of a document."""
    return finding_of(rule, message, fix, document.file, document.line(path), key=dotted(path) or None)


def _fallback(config: RoutingConfig) -> Iterator[Finding]:
    if FALLBACK not in config.model_routing:
        message = "model_routing has no fallback: a task that it does not list has no model"
        yield finding_at(config.document, ("model_routing",), "missing-fallback", message)


def _tree(config: RoutingConfig) -> Iterator[Finding]:
    reached = reach(config.decision_tree)
    rules = len(config.decision_tree)
    if len(reached) < rules:
        message = (
            f"the decision tree is too large to decide which of its rules from {len(reached) + 1} on can never fire"
        )
        yield finding_at(config.document, ("decision_tree",), "unchecked-rules", message)
    for found in reached[:rules]:
        path: KeyPath = ("decision_tree", found.number - 1)
        if found.witness is None:
            yield finding_at(
                config.document,
                path,
                "unreachable-rule",
                _unreachable(found),
                _move(found.takers, found.number),
            )
        for shadow in found.shadows:
            where, message = _shadowed(config, found.number, shadow)
            yield finding_at(
                config.document, (*path, *where), "shadowed-rule", message, _move(shadow.takers, found.number)
            )


def _unreachable(found: Reach) -> str:
    if not found.takers:
        return f"rule {found.number} never fires: its condition contradicts itself"
    return f"rule {found.number} never fires: {_rules(found.takers)} take{_s(found.takers)} all that it asks for"


def _shadowed(config: RoutingConfig, number: int, shadow: Shadow) -> tuple[KeyPath, str]:
    rule = config.decision_tree[number - 1]
    model = config.model(rule.use)
    if not shadow.takers:
        return (
            "when",
            shadow.condition,
        ), f"rule {number}: condition {shadow.condition + 1} contradicts itself"
    if not shadow.attribute:
        asked = f"condition {shadow.condition + 1} ({rule.when[shadow.condition]})"
        return (
            "when",
            shadow.condition,
        ), f"rule {number} never fires by its {asked}: {_rules(shadow.takers)} first"
    taken = f"{_rules(shadow.takers)} take{_s(shadow.takers)} such tasks first"
    message = f"rule {number} ({model}) never sees {shadow.attribute} {shadow.word!r}: {taken}"
    where: KeyPath = ("when", shadow.attribute)
    return where if len(rule.when) == 1 else ("when", shadow.condition, shadow.attribute), message


def _rules(numbers: tuple[int, ...]) -> str:
    names = [str(number) for number in numbers]
    return f"rule {names[0]}" if len(names) == 1 else f"rules {listed(names)}"


def _s(numbers: tuple[int, ...]) -> str:
    return "s" if len(numbers) == 1 else ""


def _move(takers: tuple[int, ...], number: int) -> str:
    return f"put rule {number} before rule {takers[0]}, or drop what it never sees" if takers else "fix its condition"


def task_attributes(config: RoutingConfig, task: str) -> Attributes:
    """What a task is: from the config, else from the article's key, else from its name."""
    return config.tasks.get(task) or shipped_routing().tasks.get(task) or {"kind": task}


def _disagreements(config: RoutingConfig) -> Iterator[Finding]:
    """Keys whose own attributes lead the tree to another model; the tree does not mention other keys."""
    if not config.decision_tree or FALLBACK not in config.model_routing:
        return
    kinds, firing = config.words("kind"), firing_rule(config.decision_tree)
    for key, model in config.model_routing.items():
        attributes = config.tasks.get(key) or ({"kind": key} if key in kinds else None)
        if attributes is None:
            continue
        number = firing(attributes)
        use = config.decision_tree[number - 1].use if number <= len(config.decision_tree) else FALLBACK
        if config.model(use) != model:
            by = f"rule {number}" if number <= len(config.decision_tree) else "its fallback"
            message = f"the decision tree gives {key} ({_words(attributes)}) {config.model(use)} by {by}"
            fix = f"decide which one is meant, and let the rule use {key!r}"
            path = ("model_routing", key)
            yield finding_at(config.document, path, "tree-disagrees", f"{message}, model_routing gives it {model}", fix)


def _words(attributes: Attributes) -> str:
    said = (name if value is True else f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in attributes.items())  # fmt: skip
    return ", ".join(said)


def _unknown_tasks(config: RoutingConfig) -> Iterator[Finding]:
    large = config.document.data.get("large_context") or {}
    stated: list[tuple[KeyPath, str]] = [
        (("large_context", "tasks", n), t) for n, t in enumerate(large.get("tasks", ()))
    ]
    stated += [(("tasks", task), task) for task in config.tasks]
    for path, task in stated:
        if task not in config.model_routing:
            message = f"{task!r} is no key of model_routing, so this has no effect"
            yield finding_at(config.document, path, "unknown-task", message)


def _unpriced(config: RoutingConfig, book: PriceBook) -> Iterator[Finding]:
    places: dict[str, KeyPath] = {}
    for key, model in config.model_routing.items():
        places.setdefault(model, ("model_routing", key))
    for index, rule in enumerate(config.decision_tree):
        places.setdefault(config.model(rule.use), ("decision_tree", index, "use"))
    for model, path in places.items():
        if book.resolve(model) is None:
            yield finding_at(config.document, path, "unpriced-model", unpriced(model, book))


def unpriced(model: str, book: PriceBook) -> str:
    """That a model has no price, and where it was looked for."""
    return f"{model!r}{NO_PRICE}{' + '.join(layer.name for layer in book.layers)}"


def context_window(config: RoutingConfig, book: PriceBook | None, model: str) -> int | None:
    """The model's context window in tokens, where the routing or a price book knows it."""
    if model in config.context_windows:
        return config.context_windows[model]
    key = book.resolve(model) if book else None
    return book.context_window(key) if book and key else None


def _contexts(config: RoutingConfig, book: PriceBook | None) -> Iterator[Finding]:
    for path, span, use in _spans(config):
        model = config.model(use)
        window = context_window(config, book, model)
        if window is None or span.over is None or (span.at_most is not None and span.at_most <= window):
            continue
        if span.over >= window:
            message = f"contexts {span} go to {model}, whose window of {window:,} tokens holds none of them"
            yield finding_at(config.document, path, "context-window", message)
        else:
            message = f"contexts {span} go to {model}, also those over its window of {window:,} tokens"
            fix = (
                f"add at_most: {window}" if path[0] != "model_routing" else _state_large_context(span.over, window, use)
            )
            yield finding_at(config.document, path, "open-ended-context", message, fix)
    for task, attributes in config.tasks.items():
        tokens, declared = attributes.get("context_tokens"), config.model_routing.get(task)
        window = context_window(config, book, declared) if declared else None
        if window is not None and isinstance(tokens, int) and tokens > window:
            message = f"the {tokens:,} context tokens of {task} do not fit the {window:,} of {declared}"
            yield finding_at(config.document, ("tasks", task, "context_tokens"), "context-window", message)


def _state_large_context(over: int, window: int, use: str) -> str:
    """The fix where the large context is the default."""
    return f'add "large_context": {{"over": {over}, "at_most": {window}, "use": "{use}"}}'


def _spans(config: RoutingConfig) -> Iterator[tuple[KeyPath, Span, str]]:
    """Where the routing sends contexts of a size, and to what."""
    if config.large_context:
        stated = "large_context" in config.document.data
        path: KeyPath = ("large_context",) if stated else ("model_routing", config.large_context.use)
        yield path, config.large_context.span, config.large_context.use
    for index, rule in enumerate(config.decision_tree):
        for condition in rule.when:
            span = condition.tests.get("context_tokens")
            if isinstance(span, Span):
                yield ("decision_tree", index, "when"), span, rule.use


def _cards(config: RoutingConfig) -> Iterator[Finding]:
    own = of_family(config.model_routing.values())
    for key, model in config.model_routing.items():
        if key == FALLBACK:
            continue
        for verdict in judge(_with_context(config, key), model, own):
            message = f"{key} is on {model}: {verdict.message}"
            yield finding_at(config.document, ("model_routing", key), verdict.rule, message, fix_for(own, verdict))


def _with_context(config: RoutingConfig, key: str) -> Attributes:
    """A key's attributes; a task that leaves its key when its context is large has a small one here."""
    attributes, large = task_attributes(config, key), config.large_context
    if large and key in large.tasks and large.use != key and large.span.over is not None:
        return {"context_tokens": large.span.over, **attributes}
    return attributes


def fix_for(of_family: OfFamily, verdict: CardVerdict) -> str:
    """`use anthropic/claude-haiku-4-5`: the routing's own model of the family that a verdict prefers."""
    if verdict.rule == "card-elsewhere":
        return ""
    own = of_family(verdict.instead)
    return f"use {own}" if own else f"use a model of the {verdict.instead} family"
