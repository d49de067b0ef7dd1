"""Azure: calls of Azure OpenAI through API Management (gateway logs), and the bill by meter (cost exports).

https://learn.microsoft.com/azure/api-management/gateway-log-schema-reference: the reply is JSON as text in
`properties.backendResponseBody` (`responseBody` repeats it), and counts as OpenAI's API does, or Anthropic's for the
Claude models of Foundry; of a streamed reply its last chunk has it. A body that was cut has no usage, and its
call is rejected with that reason.
https://learn.microsoft.com/azure/cost-management-billing/automate/understand-usage-details-fields: the meter's name has
model, direction and scope; a quantity, where there is one, is in its `UnitOfMeasure`. A cost is in its currency, and
in USD beside it where that is another.
"""

from __future__ import annotations

from dataclasses import replace

from ..media import PARTS
from ..processing import processing
from ..reader import Reader, Sample, identifier
from .api_usage import CLASSES, COUNTED, INPUTS, LEFT_OUT, counts
from .meters import classes, numbers, per_unit, token_class, tokens, unreadable, usd
from .nested import has, parsed, text
from .restated import ROW_OF_A_BILL

LAST_CHUNK = "list_filter(string_split(text, chr(10)), lambda part: part LIKE 'data: {%\"usage\":%{%')[-1][7:]"

REPLY_ID = f"coalesce({text('body', 'id', 'response.id')}, {text('begun', 'message.id')})"
FIRST_CHUNK = "list_filter(string_split(text, chr(10)), lambda part: part LIKE 'data: {%\"message_start\"%')[1][7:]"

AMERICAN = "['%m/%d/%Y, %I:%M:%S.%g %p', '%m/%d/%Y, %I:%M:%S %p']"
TIMES = ("TimeGenerated", "TimeGenerated [UTC]")


def at(stated: str) -> str:
    """SQL for the time that a log states: in seven digits of a second, or as a portal's CSV does, in UTC."""
    return (
        f"""coalesce(utc(regexp_replace({stated}, '(\\.\\d{{6}})\\d+', '\\1')), TRY(strptime({stated}, {AMERICAN})))"""
    )


def lower_first(name: str) -> str:
    """What a record calls a column of a table."""
    return name[0].lower() + name[1:]


ENTRY = f"SELECT *, {parsed('properties')} AS said FROM record WHERE category = 'GatewayLogs'"  # noqa: S608 (ours)
IN_TABLE = ("Url", "BackendUrl", "ResponseCode", "BackendResponseCode", "ResponseBody", "BackendResponseBody",
    "RequestBody", "BackendRequestBody", "ApiId", "ApimSubscriptionId", "UserId")  # fmt: skip
ROW = f"""SELECT file_id, line, "CorrelationId", coalesce({", ".join(map(identifier, TIMES))}) AS "time",
        "Region" AS location, "_ResourceId" AS "resourceId", said::VARCHAR AS properties, said
    FROM (
        SELECT *, json_object({", ".join(f"'{lower_first(name)}', {identifier(name)}" for name in IN_TABLE)}) AS said
        FROM record
    )"""  # noqa: S608 (names of ours)


def _gateway(entry: str) -> str:
    return f"""
WITH entry AS (
    {entry}
),
replied AS (
    SELECT *,
        coalesce({text("said", "backendUrl", "url")}, '') AS address,
        coalesce({text("said", "backendResponseBody", "responseBody")}, '') AS text,
        coalesce(TRY_CAST(text AS JSON), TRY_CAST(({LAST_CHUNK}) AS JSON), '{{}}') AS body,
        coalesce(TRY_CAST({text("said", "backendRequestBody", "requestBody")} AS JSON), '{{}}') AS asked,
        -- of a stream of Claude's, what was read stands in its first event, what was written in its last
        CASE WHEN text LIKE '%message_start%' THEN TRY_CAST(({FIRST_CHUNK}) AS JSON) END AS begun,
        coalesce((body -> '$.usage'), (body -> '$.response.usage'), '{{}}') AS last_usage,
        CASE WHEN {has("begun", "message.usage")} THEN json_merge_patch((begun -> '$.message.usage'), last_usage)
             ELSE last_usage END AS usage,
        TRY_CAST({text("said", "responseCode", "backendResponseCode")} AS BIGINT) >= 400 AS failed
    FROM entry
),
counted AS (
    SELECT *, {counts("usage")}
    FROM replied
    WHERE regexp_matches(lower(address),
        '/openai/|/deployments/|/chat/completions|/responses|/embeddings|/anthropic/|/messages')
        OR (address = '' AND contains(properties::VARCHAR, 'usage'))
)
SELECT file_id, line,
    -- some servers give all of their answers one id: a reply's figures are a part of its name
    'azure-apim:' || coalesce({REPLY_ID} || ':' || concat_ws(':', inputs, reads, outputs),
        nullif("correlationId", '')) AS event_id,
    {REPLY_ID} AS response_id,
    {at('"time"')} AS ts,
    'azure' AS provider,
    coalesce({text("body", "model", "response.model")}, {text("begun", "message.model")},
        nullif(regexp_extract(address, '/deployments/([^/?]+)', 1), ''), {text("asked", "model")}) AS model,
    {processing(text("body", "service_tier", "response.service_tier"))} AS processing,
    CASE WHEN failed THEN 'error' ELSE 'ok' END AS status,
    nullif(total, 0) AS stated_total,
    CASE WHEN address = '' THEN 'usage in a log of the gateway that states no address'
         WHEN NOT failed AND NOT {has("usage", *INPUTS)}
         THEN 'a reply without usage, or was cut before it' END AS fault,
    {CLASSES}, {", ".join(PARTS)},
    json_object('deployment', nullif(regexp_extract(address, '/deployments/([^/?]+)', 1), ''), 'region', location,
        'resource', "resourceId", 'api', {text("said", "apiId")}, 'subscription', {text("said", "apimSubscriptionId")},
        'user', {text("said", "userId")}) AS tags
FROM counted
"""  # noqa: S608 (constants only)


METER_NAMES = {
    "Cost": ("Cost", "PreTaxCost", "CostInBillingCurrency"),
    "Usd": ("CostUSD", "CostInUsd"),
    "Currency": ("Currency", "BillingCurrency", "BillingCurrencyCode"),
    "Date": ("Date", "UsageDate"),
    "Meter": ("Meter", "MeterName"),
    "Quantity": ("Quantity", "UsageQuantity"),
    "Unit": ("UnitOfMeasure",),
    "Service": ("ServiceName", "MeterCategory"),
    "Resource": ("ResourceId", "InstanceId"),
    "Region": ("ResourceLocation", "Location"),
}


def _cell(kind: str) -> str:
    return f"coalesce({', '.join(map(identifier, METER_NAMES[kind]))})"


# what a meter's name says beside the model
WORDS = (
    "\\b(input|inp|output|outp|outpt|opt|cached|cchd|cache|batch|global|glbl|gl|regional|regnl|rgnl|data ?zone|dzone|"
    "dz|tokens?|1k|1m|prompt|completion|pp|priority)\\b"
)

METER_SQL = f"""
WITH entry AS (
    SELECT file_id, line, {", ".join(f"{_cell(kind)} AS {kind.lower()}" for kind in METER_NAMES)} FROM record
),
metered AS (
    SELECT *, {token_class("meter")} AS kind, {per_unit("unit")} AS factor, {numbers("quantity")} FROM entry
    WHERE regexp_matches(lower(meter), 'token|\\b(inp|outp|input|output)\\b') OR lower(service) LIKE '%openai%'
),
counted AS (SELECT *, {tokens("quantity", "factor")} AS counted FROM metered)
SELECT file_id, line,
    coalesce(utc("date"), TRY(strptime("date", ['%Y%m%d', '%m/%d/%Y']))) AS ts,
    TRUE AS aggregated,
    'azure' AS provider,
    nullif(trim(regexp_replace(regexp_replace(lower(meter), '{WORDS}', '', 'g'), '[\\s-]+', '-', 'g'), '-'), '')
        AS model,
    CASE WHEN lower(meter) LIKE '%batch%' THEN 'batch' WHEN lower(meter) LIKE '%priority%' THEN 'priority' END
        AS processing,
    {classes("kind", "counted")},
    {unreadable("quantity", "kind IS NOT NULL AND factor IS NOT NULL")} AS fault,
    0 AS request,
    CASE WHEN upper(currency) <> 'USD' AND usd IS NOT NULL THEN usd
         ELSE {usd("coalesce(cost, 'nothing')", "currency")} END AS recorded_usd,
    json_object('meter', meter, 'direction', kind, 'service', service, 'resource', resource, 'region', region) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises_gateway(sample: Sample) -> bool:
    """Gateway logs, not the diagnostic log of Azure OpenAI itself."""
    return any(
        sample.has(f"{top}properties", f"{top}correlationId") and "GatewayLogs" in sample.values(f"{top}category")
        for top in ("", "records.")
    )


def recognises_table(sample: Sample) -> bool:
    """Rows of the table of gateway logs, with the replies."""
    return sample.has("CorrelationId", "BackendResponseBody", "Url") or sample.has(
        "CorrelationId", "ResponseBody", "BackendUrl"
    )


def recognises_meters(sample: Sample) -> bool:
    """A cost export by meter: cost, currency, date and meter under one of their names."""
    if sample.layout not in ("csv", "parquet") or sample.has("BilledCost"):
        return False
    there = {name.lower() for name in sample.columns}
    return all(there & {name.lower() for name in METER_NAMES[kind]} for kind in ("Cost", "Currency", "Date", "Meter"))


def _spelled(reader: Reader, sample: Sample) -> Reader:
    """The reader with the columns as a file spells them: `costInBillingCurrency` in exports of newer agreements."""
    spelled = {name.lower(): name for name in sample.columns}
    keys = {name: spelled[name.lower()] for name in reader.columns if spelled.get(name.lower(), name) != name}
    return replace(reader, keys=keys) if keys else reader


def _either_case(*names: str) -> tuple[str, ...]:
    return (*names, *(name[0].lower() + name[1:] for name in names))


_BODIES = ("backendResponseBody", "responseBody")
_USAGE = tuple(
    f"properties.{body}.{usage}" for body in _BODIES for usage in ("usage", "response.usage", "message.usage")
)


def _in_table(path: str) -> str:
    """A path within a record's properties, in the table: `properties.responseBody.usage` is `ResponseBody.usage`."""
    name = path.removeprefix("properties.")
    return name[0].upper() + name[1:]


GATEWAY = Reader(
    name="azure-apim",
    origin="provider",
    doc="https://learn.microsoft.com/azure/api-management/gateway-log-schema-reference",
    columns={
        **dict.fromkeys(("category", "correlationId", "time", "location", "resourceId"), "VARCHAR"),
        "properties": "JSON",
    },
    sql=_gateway(ENTRY),
    recognises=recognises_gateway,
    input_includes_cached=True,
    pages=("records",),
    counted=tuple(f"{usage}.{name}" for usage in _USAGE for name in COUNTED),
    texts=("properties", *(f"properties.{body}" for body in _BODIES)),
    listed=tuple(f"properties.{body}" for body in _BODIES),  # the events of a stream
    left_out={f"{usage}.{name}": why for usage in _USAGE for name, why in LEFT_OUT.items()},
    unique_by="the reply's id, else the correlation id",
    sample="made: in the shape of real log lines",
    undercounts="replies that the gateway cut, and streamed ones that were not asked for their usage",
    kept_at="the gateway log of API Management (Log Analytics or storage)",
    no_call="no response with usage",
)

TABLE = replace(
    GATEWAY,
    name="azure-apim-table",
    doc="https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewaylogs",
    columns=dict.fromkeys((*IN_TABLE, *TIMES, "CorrelationId", "Region", "_ResourceId"), "VARCHAR"),
    sql=_gateway(ROW),
    recognises=recognises_table,
    pages=(),
    counted=tuple(f"{_in_table(usage)}.{name}" for usage in _USAGE for name in COUNTED),
    texts=tuple(map(_in_table, GATEWAY.texts[1:])),
    listed=tuple(map(_in_table, GATEWAY.listed)),
    left_out={_in_table(path): why for path, why in GATEWAY.left_out.items()},
    sample="made: on the table's columns",
    kept_at="the table ApiManagementGatewayLogs of a Log Analytics workspace, exported",
)

METERS = Reader(
    name="azure-cost",
    origin="provider",
    doc="https://learn.microsoft.com/azure/cost-management-billing/automate/understand-usage-details-fields",
    columns=dict.fromkeys((name for names in METER_NAMES.values() for name in names), "VARCHAR"),
    sql=METER_SQL,
    recognises=recognises_meters,
    input_includes_cached=False,
    counted=_either_case(*METER_NAMES["Cost"], *METER_NAMES["Quantity"], *METER_NAMES["Usd"]),
    left_out={
        **dict.fromkeys(
            _either_case("CostInPricingCurrency", "PaygCostInBillingCurrency", "PaygCostInUsd"), "the same cost again"
        ),
        **dict.fromkeys(_either_case(*METER_NAMES["Date"]), "a day"),
    },
    narrow=_spelled,
    role="bill",
    replaced=(ROW_OF_A_BILL,),
    unique_by="the row's content and place among its like",
    sample="made: in the shape of a portal's export",
    kept_at="Azure portal: Cost analysis by meter, download",
    no_call="no meter of tokens",
)
