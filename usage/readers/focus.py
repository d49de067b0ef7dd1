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

from ..reader import Reader, Sample
from .meters import classes, provider, token_class, tokens, usd
from .nested import text

OWN = ("x_Model", "x_TokenClass", "x_Processing", "x_Component", "x_Agent", "x_Task")
"""What `costsim export` writes beside the columns of FOCUS: a file of its own gives back what it was made of."""

COLUMNS = dict.fromkeys(
    (
        "BilledCost",
        "BillingCurrency",
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


def _said(name: str) -> str:
    """A cell that is not the word NULL, which some exports write."""
    return f"nullif(\"{name}\", 'NULL')"


SERVED_BY = provider('coalesce("ServiceProviderName", "ProviderName", "HostProviderName", "InvoiceIssuerName")')
CELLS = ", ".join(f'{_said(name)} AS "{name}"' for name in COLUMNS)
USED = "CASE WHEN coalesce(\"ChargeCategory\", 'Usage') = 'Usage' THEN kind END"
BILLED = "coalesce(\"BilledCost\", 'nothing')"
METER = 'concat_ws(\' \', coalesce("x_UsageType", "SkuMeter", "x_SkuMeterName", "SkuId"), "ConsumedUnit")'

# What names a model, the most telling first: `Claude Opus 4.6 (Amazon Bedrock Edition)`, `GPT 5 mini cached Inp glbl
# Tokens`, `USE1-Claude4.6Sonnet-input-tokens`. With spaces it is no id of a price list: the row costs what is billed.
NAMING = ("ServiceName", "SkuMeter", "x_SkuMeterName", "x_UsageType", "ChargeDescription")
FAMILY = "(?i)\\b((claude|gpt|gemini|llama|mistral|nova|titan|command|deepseek|qwen|grok|gemma|codestral).*)"
NO_MODEL = (
    "(?i)[ _-]*(\\(|\\b(text|image|audio|video|inp|input|outp?|output|cached?|cchd|mantle|batch|prompt|completion|gl|"
    "glbl|global|regnl|regional|dz|priority|flex|tokens?|ga|short|long|thinking|native|live)(\\b|_)).*"
)
# Google's meters of tokens: `Gemini 2.5 Pro Thinking Text Output - Predictions`, `Generate content cached input token
# count gemini 2.5 flash text`. Their quantity is of tokens though the unit is `count`, or `requests`.
SAID_BY_GOOGLE = 'coalesce("SkuMeter", "x_SkuMeterName", "ChargeDescription")'
OF_GOOGLE = f"""coalesce({{0}} = 'google' AND regexp_matches(lower({SAID_BY_GOOGLE}), '\\b(input|output)\\b')
    AND regexp_full_match(lower(trim("ConsumedUnit")), 'counts?|requests?|tokens?'), FALSE)"""


def _spoken(name: str) -> str:
    found = f"""regexp_replace(regexp_extract("{name}", '{FAMILY}', 1), '{NO_MODEL}', '')"""
    return f"nullif(trim(regexp_replace({found}, '[ _-]+', ' ', 'g')), '')"


SPOKEN = f"coalesce({', '.join(map(_spoken, NAMING))})"

SQL = f"""
WITH cell AS (SELECT file_id, line, {CELLS} FROM record),
entry AS (
    SELECT *, coalesce(TRY_CAST("SkuPriceDetails" AS JSON), '{{}}') AS sku,
        coalesce(TRY_CAST("Tags" AS JSON), '{{}}') AS labels
    FROM cell
    WHERE "ServiceCategory" = 'AI and Machine Learning' OR "SkuPriceDetails" LIKE '%Token%'
        OR regexp_matches(lower("ServiceName"), 'bedrock|openai|vertex ai|generative|gemini')
),
named AS (
    SELECT *,
        concat_ws(' ', CASE WHEN {text("sku", "TokenCacheAction")} IS NOT NULL
            THEN 'cache ' || {text("sku", "TokenCacheAction")} END,
            {text("sku", "TokenType", "TokenDirection")}) AS said
    FROM entry
),
counted AS (
    SELECT *,
        CASE WHEN "x_TokenClass" IS NOT NULL THEN "x_TokenClass"
             WHEN regexp_matches(lower("ConsumedUnit"), 'hour') THEN NULL
             WHEN said <> '' THEN {token_class("said")}
             WHEN {OF_GOOGLE.format(SERVED_BY)} THEN {token_class(SAID_BY_GOOGLE)}
             WHEN {METER} ILIKE '%token%' THEN {token_class(METER)} END AS kind,
        coalesce(CASE WHEN {OF_GOOGLE.format(SERVED_BY)} THEN {tokens('"ConsumedQuantity"', "'tokens'")} END,
            {tokens('"ConsumedQuantity"', '"ConsumedUnit"')}, {tokens('"PricingQuantity"', '"PricingUnit"')})
            AS counted,
        replace(lower(concat_ws(' ', "SkuMeter", "x_UsageType", "SkuPriceId", "ChargeDescription")), '_', ' ') AS how
    FROM named
)
SELECT file_id, line,
    coalesce(utc("ChargePeriodStart" || CASE WHEN regexp_matches("ChargePeriodStart", '(Z|[+-]\\d\\d:?\\d\\d)$') THEN ''
        ELSE 'Z' END), utc("ChargePeriodStart")) AS ts,
    coalesce(utc("ChargePeriodEnd" || CASE WHEN regexp_matches("ChargePeriodEnd", '(Z|[+-]\\d\\d:?\\d\\d)$') THEN ''
        ELSE 'Z' END), utc("ChargePeriodEnd")) AS period_end,
    TRUE AS aggregated,
    {SERVED_BY} AS provider,
    coalesce("x_Model", {text("sku", "ModelId", "ModelVersion", "ModelFamily")},
        CASE WHEN coalesce("ChargeCategory", 'Usage') = 'Usage' THEN {SPOKEN} END) AS model,
    CASE WHEN "x_Processing" IS NOT NULL THEN "x_Processing"
         WHEN regexp_matches(how, '\\bbatch\\b') THEN 'batch' WHEN regexp_matches(how, '\\bflex\\b') THEN 'flex'
         WHEN regexp_matches(how, '\\bpriority\\b') THEN 'priority' END AS processing,
    {classes(USED, "counted")},
    CASE WHEN "x_TokenClass" = 'web_search' THEN coalesce(TRY_CAST("ConsumedQuantity" AS BIGINT), 0) ELSE 0 END
        AS web_search,
    nullif("x_Component", 'unattributed') AS component, "x_Agent" AS agent, "x_Task" AS task,
    0 AS request,
    {usd(BILLED, '"BillingCurrency"')} AS recorded_usd,
    json_merge_patch(coalesce(CASE WHEN json_type(labels) = 'OBJECT' THEN labels END, '{{}}'::JSON),
        json_object('service', "ServiceName", 'meter', coalesce("SkuMeter", "x_SkuMeterName", "x_UsageType"),
        'description', "ChargeDescription", 'category', "ChargeCategory", 'class', "ChargeClass", 'region', "RegionId",
        'account', coalesce("SubAccountName", "SubAccountId"), 'user', "PrincipalId", 'host', "HostProviderName",
        'unit', CASE WHEN kind IS NULL OR counted IS NULL THEN "ConsumedUnit" END, 'tags', labels)) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows by the columns that every version requires."""
    return sample.has("BilledCost", "ChargePeriodStart", "ChargeCategory", "BillingCurrency")


READER = Reader(
    name="focus",
    doc="https://focus.finops.org/focus-specification/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=("BilledCost", "ConsumedQuantity", "PricingQuantity"),
    left_out={
        **dict.fromkeys(("EffectiveCost", "ListCost", "ContractedCost"), "another view of the billed cost"),
        **dict.fromkeys(("ListUnitPrice", "ContractedUnitPrice"), "a price"),
    },
    role="bill",
    unique_by="the row's content and place among its like",
    kept_at="a FOCUS export of a cloud or vendor",
    no_call="no row of a token meter",
    sample="real: rows of the public sample of FOCUS 1.0",
)
