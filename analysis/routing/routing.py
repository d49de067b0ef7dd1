"""Which model a task runs on: the routing file, and the decision that it means.

The article's `model_routing` mapping is taken as it is. Beside it may stand:

    large_context:    {over: 50000, use: large_context_coding, tasks: [code_generation]}
    decision_tree:    [{when: {kind: [monitoring]}, use: monitoring, why: "Is this monitoring?"}, …]
    tasks:            {code_generation: {kind: code_writing}}       what the keys are, in the tree's words
    context_windows:  {kimi-coding/kimi-for-coding: 128000}         tokens, for models no price book knows

The first rule of the tree whose `when` holds decides; where none does, `model_routing.fallback`, which must
be there. `use` is a key of `model_routing`, or a model (`provider/model`).

`costsim route` stands in `$(…)` of a shell, so this module imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...documents import Document, did_you_mean, read_document
from ...errors import ArchitectureError, InputError
from ...yaml_nodes import KeyPath
from .conditions import Attributes, Condition, Span, read_attributes, read_conditions, whole_number
from .resolve import FALLBACK, key_of_task, model_of_key

SHIPPED = Path(__file__).with_name("article-routing.json")
LARGE_CONTEXT_KEY = "large_context_coding"
LARGE_CONTEXT_OVER = 50_000
CODING_TASKS = ("code_generation", "code_review")
MAX_RULES = 100
MAX_ASKED = 20_000
"""Words, spans and flags of all conditions: which rules can fire is decided in memory by the square of them."""
_KEYS = {
    "file": {"$schema", "model_routing", "large_context", "decision_tree", "tasks", "context_windows"},
    "rule": {"when", "use", "why"},
    "large_context": {"over", "at_most", "use", "tasks"},
}


@dataclass(frozen=True)
class RoutingRule:
    """One rule: where one of `when` holds (or there is none), `use` decides; `why` is for readers."""

    use: str
    when: tuple[Condition, ...] = ()
    why: str = ""

    def holds(self, attributes: Attributes) -> bool:
        """Whether the rule fires for a task with these attributes, if no rule before it has."""
        return not self.when or any(condition.holds(attributes) for condition in self.when)


@dataclass(frozen=True)
class LargeContextRule:
    """`tasks` whose context lies in `span` (tokens) take the key or model `use` instead of their own."""

    span: Span
    use: str
    tasks: tuple[str, ...] = CODING_TASKS


@dataclass(frozen=True)
class RoutingConfig:
    """A routing file as read. `document` knows where its keys stand."""

    document: Document = field(repr=False)
    model_routing: Mapping[str, str]
    large_context: LargeContextRule | None = None
    decision_tree: tuple[RoutingRule, ...] = ()
    tasks: Mapping[str, Attributes] = field(default_factory=dict)
    context_windows: Mapping[str, int] = field(default_factory=dict)

    def model(self, use: str) -> str:
        """The model that a key stands for; a model stands for itself."""
        return model_of_key(self.model_routing, use)

    @cached_property
    def models(self) -> frozenset[str]:
        """The models that the routing names."""
        return frozenset(self.model_routing.values())

    def words(self, attribute: str) -> set[str]:
        """The words that the tree's rules ask for: the kinds of work it distinguishes, or the agents."""
        tests = [c.tests.get(attribute) for rule in self.decision_tree for c in rule.when]
        return {word for test in tests if isinstance(test, frozenset) for word in test}


@dataclass(frozen=True)
class RouteDecision:
    """A model, the routing key that gave it (None: a rule named the model), the path there, and doubts."""

    model: str
    key: str | None
    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def shipped_routing() -> RoutingConfig:
    """The article's routing and decision tree."""
    return read_routing(SHIPPED)


def read_routing(file: Path, document: Document | None = None, *, needs_fallback: bool = True) -> RoutingConfig:
    """The routing in a JSON, YAML or TOML file.

    Raises ArchitectureError (file, line, key, fix). `document` is the file's, where it has been
    read already. `lint` reads without `needs_fallback`, to report it.
    """
    document = document or read_document(file, ArchitectureError)
    if isinstance(document.data, dict) and "components" in document.data:
        return _of_architecture(file, document, needs_fallback)
    _check_keys(document, document.data, "file", ())
    routing = _words(document, "model_routing", required=True)
    if needs_fallback and FALLBACK not in routing:
        raise document.error(
            ArchitectureError,
            f"the key {FALLBACK!r} is missing: the model of every other task",
            ("model_routing",),
        )
    data: dict[str, Any] = document.data
    return RoutingConfig(
        document,
        routing,
        _large_context(document, data, routing),
        _tree(document, data.get("decision_tree"), routing),
        {key: read_attributes(document, of, ("tasks", key)) for key, of in _mapping(document, "tasks").items()},
        {
            model: whole_number(document, tokens, ("context_windows", model))
            for model, tokens in _mapping(document, "context_windows").items()
        },
    )


def _of_architecture(file: Path, document: Document, needs_fallback: bool) -> RoutingConfig:
    """The routing that an architecture states, over the one of the file that it names."""
    named = document.data.get("routing")
    base = read_routing(file.parent / named, needs_fallback=False) if isinstance(named, str) else None
    own = _words(document, "model_routing", required=False)
    routing = {**(base.model_routing if base else {}), **own}
    if needs_fallback and FALLBACK not in routing:
        raise document.error(
            ArchitectureError, f"the routing has no {FALLBACK!r}: the model of every other task", ("model_routing",)
        )
    return replace(base, document=document, model_routing=routing) if base else RoutingConfig(document, routing)


def _check_keys(document: Document, given: Any, part: str, path: KeyPath) -> None:
    if not isinstance(given, dict):
        raise document.error(ArchitectureError, "write this as a mapping of keys to values", path)
    for key in given:
        if key not in _KEYS[part]:
            near = did_you_mean(str(key), sorted(_KEYS[part]))
            raise document.error(ArchitectureError, f"unknown key {str(key)!r}{near}", (*path, key))


def _mapping(document: Document, key: str) -> dict[str, Any]:
    given = document.data.get(key)
    if not isinstance(given, dict | None):
        raise document.error(ArchitectureError, "write this as a mapping of keys to values", (key,))
    return {str(name): value for name, value in (given or {}).items()}


def _words(document: Document, key: str, *, required: bool) -> dict[str, str]:
    words = _mapping(document, key)
    if required and not words:
        raise document.error(ArchitectureError, f"the key {key!r} is missing: write {{{key}: {{task: model, …}}}}")
    for name, word in words.items():
        if not isinstance(word, str) or not word.strip():
            raise document.error(
                ArchitectureError, f"a model is a word such as provider/model, not {word!r}", (key, name)
            )
    return words


def _large_context(document: Document, data: dict[str, Any], routing: Mapping[str, str]) -> LargeContextRule | None:
    """As stated; where nothing is, the article's 50,000 if its key exists. null or false turns it off."""
    if "large_context" not in data:
        return LargeContextRule(Span(LARGE_CONTEXT_OVER), LARGE_CONTEXT_KEY) if LARGE_CONTEXT_KEY in routing else None
    given, path = data["large_context"], ("large_context",)
    if given is None or given is False:
        return None
    _check_keys(document, given, "large_context", path)
    edges = {edge: whole_number(document, given[edge], (*path, edge)) for edge in ("over", "at_most") if edge in given}
    if "over" not in edges:
        raise document.error(ArchitectureError, "the key 'over' is missing: the tokens above which it applies", path)
    tasks = given.get("tasks", list(CODING_TASKS))
    if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
        raise document.error(ArchitectureError, "write tasks as a list of routing keys", (*path, "tasks"))
    return LargeContextRule(Span(**edges), _use(document, given.get("use"), routing, (*path, "use")), tuple(tasks))


def _tree(document: Document, given: Any, routing: Mapping[str, str]) -> tuple[RoutingRule, ...]:
    given = [] if given is None else given
    if not isinstance(given, list) or len(given) > MAX_RULES:
        message = f"write the decision tree as a list of at most {MAX_RULES} rules"
        raise document.error(ArchitectureError, message, ("decision_tree",))
    tree = tuple(_rule(document, rule, routing, ("decision_tree", index)) for index, rule in enumerate(given))
    tests = [test for rule in tree for condition in rule.when for test in condition.tests.values()]
    asked = sum(len(test) if isinstance(test, frozenset) else 1 for test in tests)
    if asked > MAX_ASKED:
        message = f"the rules ask for {asked:,} words, numbers, yes or no; write a tree of at most {MAX_ASKED:,}"
        raise document.error(ArchitectureError, message, ("decision_tree",))
    return tree


def _rule(document: Document, given: Any, routing: Mapping[str, str], path: KeyPath) -> RoutingRule:
    _check_keys(document, given, "rule", path)
    when = read_conditions(document, given["when"], (*path, "when")) if "when" in given else ()
    return RoutingRule(_use(document, given.get("use"), routing, (*path, "use")), when, str(given.get("why", "")))


def _use(document: Document, use: Any, routing: Mapping[str, str], path: KeyPath) -> str:
    """A key of the routing, or a model with its provider. Raises ArchitectureError on anything else."""
    if isinstance(use, str) and (use in routing or "/" in use.strip("/")):
        return use
    said = (
        "the key 'use' is missing" if use is None else f"{use!r} is neither a key of model_routing nor provider/model"
    )
    raise document.error(ArchitectureError, said + did_you_mean(str(use or ""), list(routing)), path)


def decide(
    config: RoutingConfig,
    task: str | None = None,
    attributes: Attributes | None = None,
    context_tokens: int | None = None,
    *,
    strict: bool = False,
) -> RouteDecision:
    """The model for a routing key, or for a task described by its attributes.

    An unknown key or word gets the fallback and a warning; `strict` makes it an error. Raises InputError.
    """
    if context_tokens is not None and context_tokens < 0:
        raise InputError(f"context tokens cannot be negative ({context_tokens})")
    described = dict(attributes or {})
    if context_tokens is not None:
        described["context_tokens"] = context_tokens
    if task is not None:
        use, steps, doubts = _by_key(config, task, described)
    elif attributes:
        use, steps, doubts = _by_tree(config, described)
    else:
        raise InputError("say which task: a routing key, or its attributes (--describe kind=code_writing)")
    if strict and doubts:
        raise InputError(doubts[0], file=config.document.file)
    model = config.model(use)
    doubts += _too_large(config, model, described)
    return RouteDecision(model, use if use in config.model_routing else None, tuple(steps), tuple(doubts))


def _by_key(config: RoutingConfig, task: str, attributes: Attributes) -> tuple[str, list[str], list[str]]:
    if set(attributes) - {"context_tokens"}:
        raise InputError("give either a routing key or a description, not both")
    if key_of_task(config.model_routing, task) != task:
        near = did_you_mean(task, [key for key in config.model_routing if key != FALLBACK])
        doubt = f"the routing has no task {task!r}: {FALLBACK} decides{near}"
        return FALLBACK, [f"model_routing has no {task}: {_arrow(config, FALLBACK)}"], [doubt]
    large = config.large_context
    if large is None or task not in large.tasks or "context_tokens" not in attributes:
        return task, [f"model_routing.{_arrow(config, task)}"], []
    tokens = int(attributes["context_tokens"])
    asked = f"large_context: {tokens:,} context tokens are"
    if tokens in large.span:
        return (
            large.use,
            [f"{asked} {large.span}: {large.use} in place of {task}", _arrow(config, large.use)],
            [],
        )
    return task, [f"{asked} not {large.span}", f"model_routing.{_arrow(config, task)}"], []


def _by_tree(config: RoutingConfig, attributes: Attributes) -> tuple[str, list[str], list[str]]:
    if not config.decision_tree:
        raise InputError(
            "there is no decision_tree to describe a task to; name a routing key", file=config.document.file
        )
    doubts = [
        f"no rule asks for {name} {value!r}{did_you_mean(value, sorted(config.words(name)))}"
        for name, value in attributes.items()
        if isinstance(value, str) and value not in config.words(name)
    ]
    number, use = walk(config, attributes)
    steps = [f"rule {n}: {_asks(rule)} no" for n, rule in enumerate(config.decision_tree[: number - 1], 1)]
    if number <= len(config.decision_tree):
        steps.append(f"rule {number}: {_asks(config.decision_tree[number - 1])} yes")
    return use, [*steps, _arrow(config, use)], doubts


def walk(config: RoutingConfig, attributes: Attributes) -> tuple[int, str]:
    """The number (from 1) of the first rule that holds, and its `use`; past the last rule, the fallback."""
    for number, rule in enumerate(config.decision_tree, 1):
        if rule.holds(attributes):
            return number, rule.use
    return len(config.decision_tree) + 1, FALLBACK


def _asks(rule: RoutingRule) -> str:
    return rule.why or (" or ".join(str(condition) for condition in rule.when) or "always") + "?"


def _arrow(config: RoutingConfig, use: str) -> str:
    return f"{use} -> {config.model(use)}" if use in config.model_routing else f"-> {use}"


def _too_large(config: RoutingConfig, model: str, attributes: Attributes) -> Sequence[str]:
    window, tokens = config.context_windows.get(model), attributes.get("context_tokens", 0)
    if window is None or not isinstance(tokens, int) or tokens <= window:
        return []
    return [f"{tokens:,} context tokens do not fit the {window:,} of {model}"]
