"""YAML as costsim writes it: letters as they are, and every text such that it is read again as it was."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """PyYAML's, with decimals as plain digits, and between double quotes what does not print.

    PyYAML itself writes a NEL (U+0085) as it is, and reads it as a space; so it does what turns the direction of text.
    """

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        allowed, self.allow_unicode = self.allow_unicode, self.allow_unicode and text.isprintable()
        super().write_double_quoted(text, split)
        self.allow_unicode = allowed


def _number(dumper: yaml.SafeDumper, amount: Decimal) -> yaml.Node:
    kind = "int" if amount == amount.to_integral_value() else "float"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", f"{amount:f}")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(str, _text)


def yaml_text(data: Any, *, flow: bool | None = None, width: int = 80) -> str:
    """Data as YAML, keys in their order. `flow` puts all (True) or the innermost (None) between brackets."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=flow, width=width)


def yaml_scalar(text: str) -> str:
    """A text on one line, as it may stand between brackets; quoted where it must be."""
    return yaml_text([text], flow=True, width=sys.maxsize).strip()[1:-1]
