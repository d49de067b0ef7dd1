"""FOCUS cost and usage rows, versions 1.0 to 1.4 and the draft after it, as CSV, Parquet or JSON: a bill.

https://focus.finops.org/focus-specification/: `BilledCost` is what is invoiced, in `BillingCurrency`. 1.3 named the
provider `ServiceProviderName` and `HostProviderName`, before it was `ProviderName`. The draft names the model and the
direction of tokens in `SkuPriceDetails`; elsewhere the meter's name does. `ConsumedQuantity` is in `ConsumedUnit`.
Google's meters count tokens in the unit `count` or `requests` (`Gemini 2.5 Flash GA Text Input - Predictions`); those
of older models count characters, and those of images no tokens: such rows have their cost alone. Rows of other services
than AI are not counted. Corrections and credits keep their negative cost and count no tokens; token-hours are a cost
without tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ...tokens import BILLED_TOKENS
from ..reader import DIMENSIONS, Reader, Sample, identifier
from ..tags import with_known_tags
from .meters import UNSAID, classes, instant, joined, numbers, per_unit, provider, token_class, tokens, unreadable, usd
from .nested import text
from .restated import ROW_OF_A_BILL

OWN = ("x_Model", "x_TokenClass", "x_Processing", "x_Component", "x_Agent", "x_Task")
"""What `costsim export` writes beside the columns of FOCUS: a file of its own gives back what it was made of."""

COLUMNS = dict.fromkeys(
    (
        "BilledCost",
        "BillingCurrency",
        "x_BilledCostInUsd",
        "ChargePeriodStart",
        "ChargePeriodEnd",
        "ChargeCategory",
        "ChargeClass",
        "ChargeDescription",
        "ConsumedQuantity",
        "ConsumedUnit",
        "PricingQuantity",
        "PricingUnit",
        "PricingCategory",
        "ServiceCategory",
        "ServiceSubcategory",
        "ServiceName",
        "ServiceProviderName",
        "HostProviderName",
        "ProviderName",
        "PublisherName",
        "InvoiceIssuerName",
        "RegionId",
        "SubAccountId",
        "SubAccountName",
        "ResourceId",
        "SkuId",
        "SkuMeter",
        "SkuPriceId",
        "SkuPriceDetails",
        "PrincipalId",
        "Tags",
        "x_UsageType",
        "x_SkuMeterName",
        *OWN,
    ),
    "VARCHAR",
)


SERVED_BY = provider('coalesce("ServiceProviderName", "ProviderName", "HostProviderName", "InvoiceIssuerName")')
LABELS = "Tags cell"  # what the cell "Tags" is called below, where `tags` are those of the row: SQL takes both for one
CELLS = {LABELS if name == "Tags" else name: name for name in COLUMNS}
USED = "CASE WHEN coalesce(\"ChargeCategory\", 'Usage') = 'Usage' THEN kind END"
BILLED = "coalesce(\"BilledCost\", 'nothing')"
METER_NAME = 'concat_ws(\' \', coalesce("x_UsageType", "SkuMeter", "x_SkuMeterName", "SkuId"), "ConsumedUnit")'

# What names a model, the most telling first: `Claude Opus 4.6 (Amazon Bedrock Edition)`, `GPT 5 mini cached Inp glbl
# Tokens`, `USE1-Claude4.6Sonnet-input-tokens`. With spaces it is no id of a price list: the row costs what is billed.
NAMING = ("ServiceName", "SkuMeter", "x_SkuMeterName", "x_UsageType", "ChargeDescription")
FAMILY = "(?i)\\b((claude|gpt|gemini|llama|mistral|nova|titan|command|deepseek|qwen|grok|gemma|codestral).*)"
SERVICE = "(?i)(claude|gemini|gpt|mistral|deepseek|qwen|grok)( (api|platform|code|enterprise|ai|models?|apps?))*"
NO_MODEL = (
    "(?i)[ _-]*(\\(|\\b(text|image|audio|video|inp|input|outpt?|outp?|opt|output|cached?|cchd|mantle|batch|prompt|"
    "completion|gl|glbl|global|regnl|regional|dz|priority|flex|tokens?|ga|short|long|thinking|native|live)(\\b|_)).*"
)
# Google's meters of tokens: `Gemini 2.5 Pro Thinking Text Output - Predictions`, `Generate content cached input token
# count gemini 2.5 flash text`. Their quantity is of tokens though the unit is `count`, or `requests`.
SAID_BY_GOOGLE = 'coalesce("SkuMeter", "x_SkuMeterName", "ChargeDescription")'
OF_GOOGLE = """coalesce(provider = 'google' AND regexp_matches(lower(said_by_google), '\\b(input|output)\\b')
    AND regexp_full_match(lower(trim("ConsumedUnit")), 'counts?|requests?|tokens?'), FALSE)"""

SPOKEN = f"""list_filter(
    list_transform([{", ".join(f'"{name}"' for name in NAMING)}], lambda name: nullif(trim(regexp_replace(
        regexp_replace(regexp_extract(name, '{FAMILY}', 1), '{NO_MODEL}', ''), '[ _-]+', ' ', 'g'), ' ,'), '')),
    lambda spoken: NOT spoken SIMILAR TO '{SERVICE}')[1]"""

# What says which tokens a row counts, of which model and whose: of few kinds, so that it is read once for each.
METER = (
    "SkuPriceDetails",
    "SkuMeter",
    "SkuId",
    "SkuPriceId",
    "ConsumedUnit",
    "PricingUnit",
    "ServiceName",
    "ServiceProviderName",
    "ProviderName",
    "HostProviderName",
    "InvoiceIssuerName",
    "ChargeDescription",
    "ChargeCategory",
    "x_UsageType",
    "x_SkuMeterName",
    "x_TokenClass",
    "ChargeClass",
    "RegionId",
    "SubAccountId",
    "SubAccountName",
    "PrincipalId",
    LABELS,
)
OWNERS = {"component": """nullif("x_Component", 'unattributed')""", "agent": '"x_Agent"', "task": '"x_Task"'}
SEARCHES = """CASE WHEN stated_class = 'web_search' THEN coalesce(TRY_CAST("ConsumedQuantity" AS BIGINT), 0)
    ELSE 0 END"""
PERIOD = ("ChargePeriodStart", "ChargePeriodEnd")
OF_AI = """"ServiceCategory" = 'AI and Machine Learning' OR "SkuPriceDetails" LIKE '%Token%'
    OR regexp_matches(lower("ServiceName"), 'bedrock|openai|vertex ai|generative|gemini')"""


def _unit(name: str) -> str:
    """A unit; AWS Marketplace has only "Units" there, and the description says of how many tokens."""
    said = """regexp_extract(lower("ChargeDescription"), 'million|thousand|1k|1m')"""
    return f"""CASE WHEN lower("{name}") IN ('unit', 'units') THEN {said} ELSE "{name}" END"""


def _tags(unit: str) -> str:
    """SQL for the tags of a row, its own labels among them; `unit` is SQL for a unit that says no number of tokens."""
    return f"""json_merge_patch(coalesce(CASE WHEN json_type(labels) = 'OBJECT' THEN labels END, '{{}}'::JSON),
        json_object('service', "ServiceName", 'meter', coalesce("SkuMeter", "x_SkuMeterName", "x_UsageType"),
        'description', "ChargeDescription", 'category', "ChargeCategory", 'class', "ChargeClass", 'region', "RegionId",
        'account', coalesce("SubAccountName", "SubAccountId"), 'user', "PrincipalId", 'host', "HostProviderName",
        'unit', {unit}, 'tags', labels))"""


TEXTS = f"""
    SELECT *,
        concat_ws(' ', CASE WHEN {text("sku", "TokenCacheAction")} IS NOT NULL
            THEN 'cache ' || {text("sku", "TokenCacheAction")} END,
            {text("sku", "TokenType", "TokenDirection")}) AS said,
        replace(lower(concat_ws(' ', "SkuMeter", "x_UsageType", "SkuPriceId", "ChargeDescription")), '_', ' ') AS how,
        {SERVED_BY} AS provider, {SAID_BY_GOOGLE} AS said_by_google, {OF_GOOGLE} AS of_google,
        {_unit("ConsumedUnit")} AS consumed_unit, {_unit("PricingUnit")} AS pricing_unit,
        CASE WHEN said <> '' THEN said WHEN of_google THEN said_by_google
             WHEN {METER_NAME} ILIKE '%token%' THEN {METER_NAME} END AS naming
    FROM detailed
"""  # noqa: S608 (constants only)
"""The texts that say what a meter counts; METERED is what they say."""

METERED = f"""
        "x_TokenClass" AS stated_class,
        CASE WHEN "x_TokenClass" IS NOT NULL THEN "x_TokenClass"
             WHEN regexp_matches(lower("ConsumedUnit"), 'hour') THEN NULL
             ELSE {token_class("naming")} END AS kind,
        {USED} AS used,
        CASE WHEN of_google THEN 1 ELSE {per_unit("consumed_unit")} END AS consumed_factor,
        {per_unit("pricing_unit")} AS pricing_factor, provider,
        coalesce({text("sku", "ModelId", "ModelVersion", "ModelFamily")},
            CASE WHEN coalesce("ChargeCategory", 'Usage') = 'Usage' THEN {SPOKEN} END) AS model,
        CASE WHEN regexp_matches(how, '\\bbatch\\b') THEN 'batch' WHEN regexp_matches(how, '\\bflex\\b') THEN 'flex'
             WHEN regexp_matches(how, '\\bpriority\\b') THEN 'priority' END AS processing,
        {_tags("NULL")} AS tags, {_tags('"ConsumedUnit"')} AS tags_with_unit"""


def _fixed(columns: Collection[str]) -> dict[str, str]:
    """What is alike in all rows of files with these columns."""
    nobody = not {"Tags", "PrincipalId"} & {*columns}
    return {
        "aggregated": "TRUE",
        "request": "0",
        **{name: "NULL" for name in OWNERS if f"x_{name.title()}" not in columns},
        **dict.fromkeys((*UNSAID, "web_search") if "x_TokenClass" not in columns else (), "0"),
        **dict.fromkeys(DIMENSIONS if nobody else (), "NULL"),
    }


def _said(cell: str) -> str:
    """SQL for a cell that is not the word NULL, which some exports write."""
    return f"nullif({cell}, 'NULL')"


def _mapping(columns: Collection[str], as_written: bool = False) -> str:
    """SQL for files with these columns: most have few, and what none states is not carried along with each row.

    Cells of meters are looked at once for each meter; those that are taken `as_written` are trimmed then.
    """
    there = {cell: f'"{name}"' for cell, name in CELLS.items() if name in columns}
    meter = [cell for cell in METER if cell in there]
    stated = {cell: name if cell in meter else _said(name) for cell, name in there.items()}
    written = {cell: f'"{cell} as written"' for cell in meter}
    meant = {cell: _said(f"nullif(trim({name}), '')" if as_written else name) for cell, name in written.items()}
    absent = "".join(f', NULL::VARCHAR AS "{cell}"' for cell in CELLS if cell not in there)
    fixed = _fixed(columns)
    counted = [name for name in BILLED_TOKENS if name not in fixed]
    beside = {"web_search": SEARCHES, **OWNERS, **{name: identifier(name) for name in DIMENSIONS}}
    others = "".join(f", {sql} AS {identifier(name)}" for name, sql in beside.items() if name not in fixed)
    return f"""
WITH stated AS MATERIALIZED (
    SELECT file_id, line, {instant('"ChargePeriodStart"')} AS ts, {instant('"ChargePeriodEnd"')} AS period_end,
        {_listed(cell for cell in there if cell not in PERIOD)}
    FROM (SELECT file_id, line, {_named(stated)}{absent} FROM record)
    WHERE {OF_AI}
),
detailed AS (
    SELECT *, coalesce(TRY_CAST("SkuPriceDetails" AS JSON), '{{}}') AS sku,
        coalesce(TRY_CAST("{LABELS}" AS JSON), '{{}}') AS labels
    FROM (
        SELECT *, {_named(meant)}{absent}
        FROM (SELECT DISTINCT {", ".join(f'"{cell}" AS {name}' for cell, name in written.items())} FROM stated)
    )
),
named AS ({TEXTS}),
meter AS (
    SELECT {_named(written)}, {METERED} FROM named
),
known AS MATERIALIZED ({"FROM meter" if "user" in fixed else with_known_tags("FROM meter")}),
metered AS (
    SELECT *{absent}, {numbers("ConsumedQuantity", "PricingQuantity")} FROM ({joined("stated", "known", meter)})
),
counted AS (
    SELECT *,
        coalesce({tokens("ConsumedQuantity", "consumed_factor")}, {tokens("PricingQuantity", "pricing_factor")})
            AS counted
    FROM metered
)
SELECT file_id, line, ts, period_end, provider,
    coalesce("x_Model", model) AS model,
    coalesce("x_Processing", processing) AS processing,
    {classes("used", "counted", counted)}{others},
    coalesce({unreadable("ConsumedQuantity", "kind IS NOT NULL AND consumed_factor IS NOT NULL")},
        {unreadable("PricingQuantity", "kind IS NOT NULL AND pricing_factor IS NOT NULL")}) AS fault,
    CASE WHEN upper("BillingCurrency") <> 'USD' AND "x_BilledCostInUsd" IS NOT NULL THEN "x_BilledCostInUsd"
         ELSE {usd(BILLED, '"BillingCurrency"')} END AS recorded_usd,
    CASE WHEN kind IS NULL OR counted IS NULL THEN tags_with_unit ELSE tags END AS tags
FROM counted
"""  # noqa: S608 (constants only)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _named(columns: Mapping[str, str]) -> str:
    return ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())


def recognises(sample: Sample) -> bool:
    """Rows by the columns that every version requires."""
    return sample.has("BilledCost", "ChargePeriodStart", "ChargeCategory", "BillingCurrency")


def _narrowed(reader: Reader, sample: Sample) -> Reader:
    """The reader for a table with the columns that it has."""
    if sample.layout not in ("csv", "parquet"):
        return reader
    columns = {name: kind for name, kind in reader.columns.items() if name in sample.columns}
    sql, fixed = _mapping(columns, as_written=True), _fixed(columns)
    return replace(reader, columns=columns, sql=sql, fixed=fixed, as_written=tuple(CELLS[cell] for cell in METER))


READER = Reader(
    name="focus",
    origin="provider",
    doc="https://focus.finops.org/focus-specification/",
    columns=COLUMNS,
    sql=_mapping(COLUMNS),
    fixed=_fixed(COLUMNS),
    recognises=recognises,
    input_includes_cached=False,
    counted=("BilledCost", "x_BilledCostInUsd", "ConsumedQuantity", "PricingQuantity"),
    left_out={
        **dict.fromkeys(("EffectiveCost", "ListCost", "ContractedCost"), "another view of the billed cost"),
        "PricingCurrencyEffectiveCost": "the effective cost in another unit, such as credits",
        **dict.fromkeys(("ListUnitPrice", "ContractedUnitPrice"), "a price"),
        **dict.fromkeys(("PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice"), "a price"),
    },
    narrow=_narrowed,
    role="bill",
    replaced=(ROW_OF_A_BILL,),
    unique_by="the row's content and place among its like",
    kept_at="a FOCUS export of a cloud or vendor",
    no_call="no row of a token meter",
    sample="real: rows of the public sample of FOCUS 1.0",
)
