"""Logs that are known and tell no usage. They are refused by name, for a count of 0 would be wrong."""

from __future__ import annotations

from collections.abc import Callable

from ..reader import Sample


def _azure_diagnostics(sample: Sample) -> bool:
    """https://learn.microsoft.com/azure/ai-foundry/openai/how-to/monitor-openai: lengths, times and the deployment."""
    return sample.has("operationName", "properties") and any(
        category in ("RequestResponse", "AzureOpenAIRequestUsage") for category in sample.values("category")
    )


REFUSED: tuple[tuple[Callable[[Sample], bool], str], ...] = (
    (
        _azure_diagnostics,
        "Azure OpenAI's diagnostic log tells no tokens (only lengths and times); load API Management's gateway log "
        "or a cost export by meter, instead",
    ),
)


def refusal(sample: Sample) -> str | None:
    """Why a file that no reader takes cannot be counted, and what can; None for an unknown file."""
    return next((why for recognises, why in REFUSED if recognises(sample)), None)
