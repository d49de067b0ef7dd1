"""Usage as public bug reports show it, in the shapes of its emitters: each case one file, all loaded into one store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.tokens import MEDIA_CLASSES
from costsim.usage.load import load
from costsim.usage.store import open_store

Record = dict[str, Any]
Classes = tuple[int, int, int, int, int, int]
"""Uncached input, cache reads, five-minute and one-hour cache writes, output, web searches."""

AT = "2026-09-10T10:00:00Z"
SONNET, TERRA, FLASH = "claude-sonnet-4-5", "gpt-5.6-terra", "gemini-2.5-flash"


@dataclass(frozen=True)
class Case:
    """A record, whose id is the case's name, and what it is to give."""

    record: Record
    classes: Classes
    key: str = ""  # in place of the name, in the ids of its calls
    media: Record = field(default_factory=dict)  # tokens of audio and images by class, beside `classes`


RESPONSES = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
"""What the Responses API calls what the table calls otherwise."""


def litellm(name: str, usage: Record, classes: Classes, model: str, provider: str) -> Case:
    totals = {key: usage.get(key, usage.get(named)) for key, named in RESPONSES.items()}
    record = {"request_id": name, "call_type": "acompletion", "spend": 0.1, "startTime": AT, "model": model,
              "custom_llm_provider": provider, "metadata": json.dumps({"usage_object": usage}), **totals}  # fmt: skip
    return Case(record, classes)


def langfuse(name: str, usage: Record, classes: Classes, model: str) -> Case:
    return Case({"id": name, "traceId": name, "type": "GENERATION", "startTime": AT, "model": model,
                 "usageDetails": usage}, classes)  # fmt: skip


def portkey(name: str, usage: Record, classes: Classes, model: str, provider: str) -> Case:
    record = {"id": name, "created_at": AT, "ai_org": provider, "ai_model": model, "response_status_code": 200,
              "req_units": classes[0], "res_units": classes[4], "response": {"model": model, "usage": usage}}  # fmt: skip
    return Case(record, classes)


def apim(name: str, usage: Record, classes: Classes, model: str, path: str) -> Case:
    body = json.dumps({"id": name, "model": model, "usage": usage})
    properties = {"backendResponseBody": body, "backendResponseCode": 200, "backendUrl": f"https://example.com/{path}"}
    return Case({"category": "GatewayLogs", "correlationId": name, "time": AT, "properties": properties}, classes)


def mlflow(name: str, usage: Record, reply: Record, classes: Classes, model: str, form: str) -> Case:
    attributes = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.message.format": json.dumps(form),
                  "mlflow.chat.tokenUsage": json.dumps(usage),
                  "mlflow.spanOutputs": json.dumps({"id": name, "model": model, "usage": reply})}  # fmt: skip
    span = {"trace_id": "t", "span_id": "s", "name": "chat", "start_time_unix_nano": 1789034400000000000,
            "attributes": attributes}  # fmt: skip
    return Case({"info": {"trace_id": name, "trace_metadata": {}}, "data": {"spans": [span]}}, classes)


def weave(name: str, usage: Record, classes: Classes, model: str) -> Case:
    return Case({"id": name, "op_name": "weave:///e/p/op/call:1", "trace_id": name, "project_id": "e/p",
                 "started_at": AT, "summary": {"usage": {model: usage}}, "output": {"id": name}}, classes)  # fmt: skip


def helicone(name: str, usage: Record, reply: Record, classes: Classes) -> Case:
    return Case({"request_id": name, "request_created_at": AT, "response_status": 200, "provider": "ANTHROPIC",
                 "model": SONNET, "response_body": {"usage": reply}, **usage}, classes)  # fmt: skip


def omp(name: str, usage: Record, classes: Classes, model: str, provider: str) -> Case:
    counts = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "cost": {"total": 0.25}, **usage}
    message = {"role": "assistant", "provider": provider, "model": model, "usage": counts, "timestamp": 1789034400000}
    return Case({"type": "message", "id": name, "timestamp": AT, "message": message}, classes)


def span(attributes: Record, parent: str = "", id: str = "a" * 16, name: str = "chat") -> Record:
    listed = [{"key": key, "value": {"stringValue": str(value)}} for key, value in attributes.items()]
    return {"spanId": id, "parentSpanId": parent, "name": name, "startTimeUnixNano": "1789034400000000000",
            "attributes": listed}  # fmt: skip


def otlp(name: str, scope: str, classes: Classes, *spans: Record) -> Case:
    trace = "f" + hashlib.md5(name.encode()).hexdigest()[1:]
    traced = [{"traceId": trace, **one} for one in spans]
    return Case({"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": traced}]}]}, classes, trace)


def genai(operation: str, input: int, output: int, **more: Any) -> Record:
    return {"gen_ai.operation.name": operation, "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output, **more}  # fmt: skip


def bedrock(name: str, reply: Record, classes: Classes) -> Case:
    return Case({"timestamp": AT, "requestId": name, "modelId": "anthropic.claude-opus-4-6-v1",
                 "schemaType": "ModelInvocationLog", "input": {"inputTokenCount": classes[0]},
                 "output": {"outputTokenCount": classes[4], "outputBodyJson": {"usage": reply}}}, classes)  # fmt: skip


def braintrust(name: str, metrics: Record, classes: Classes, model: str) -> Case:
    return Case({"span_id": "s", "root_span_id": name, "created": AT, "span_attributes": {"type": "llm"},
                 "metadata": {"model": model}, "metrics": {"start": 1789034400.5, "end": 1789034401.5, **metrics}},
                classes)  # fmt: skip


def langsmith(name: str, usage: Record, classes: Classes, model: str) -> Case:
    return Case({"id": name, "trace_id": name, "run_type": "llm", "start_time": AT, "end_time": AT,
                 "extra": {"metadata": {"ls_model_name": model, "ls_provider": "openai"}},
                 "outputs": {"usage_metadata": usage}}, classes)  # fmt: skip


def kimi(name: str, classes: Classes) -> Case:
    usage = {"input_other": classes[0], "output": classes[4], "input_cache_read": classes[1]}
    update = {"type": "StatusUpdate", "payload": {"message_id": name, "token_usage": usage}}
    wrapped = {"type": "SubagentEvent", "payload": {"agent_id": "a", "event": update}}
    return Case({"timestamp": 1789034400.5, "message": wrapped}, classes)


def vertex(name: str, usage: Record, classes: Classes) -> Case:
    return Case({"logging_time": AT, "request_id": name, "model": f"publishers/google/models/{FLASH}",
                 "full_response": {"usage_metadata": usage}}, classes)  # fmt: skip


def qwen(name: str, usage: Record, classes: Classes) -> Case:
    return Case({"uuid": name, "sessionId": "s", "timestamp": AT, "type": "assistant", "model": FLASH,
                 "usageMetadata": usage}, classes)  # fmt: skip


def posthog(name: str, usage: Record, classes: Classes) -> Case:
    properties = {"$ai_trace_id": name, "$ai_span_id": "s", "$ai_provider": "openai", "$ai_model": "gpt-audio"}
    counts = {f"$ai_{key}": count for key, count in usage.items()}
    return Case({"event": "$ai_generation", "timestamp": AT, "properties": properties | counts}, classes)


def with_media(case: Case, **media: int) -> Case:
    return replace(case, media=media)


# a prompt of 1,000 with 600 of audio and 128 cached, which were text as far as nothing says otherwise: 1,000 - 128 - 600
SPOKEN_CHAT = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200,
               "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 600, "text_tokens": 400},
               "completion_tokens_details": {"audio_tokens": 150, "text_tokens": 50}}  # fmt: skip
SPOKEN: Classes = (272, 128, 0, 0, 50, 0)
HEARD = {"input_audio": 600, "output_audio": 150}
# OpenAI's Realtime API says which were cached: 132 = 119 text + 13 audio, of which 60 and 4; 132 - 64 - 9 = 59
REALTIME = {"total_tokens": 253, "input_tokens": 132, "output_tokens": 121,
            "input_token_details": {"text_tokens": 119, "audio_tokens": 13, "image_tokens": 0, "cached_tokens": 64,
                                    "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4}},
            "output_token_details": {"text_tokens": 30, "audio_tokens": 91}}  # fmt: skip
# Gemini's lists by modality: 40 text + 960 audio, of which 12 + 500 were cached: 28 text, 460 audio
BY_MODALITY = {"prompt_token_count": 1_000, "cached_content_token_count": 512, "candidates_token_count": 50,
               "total_token_count": 1_050,
               "prompt_tokens_details": [{"modality": "TEXT", "token_count": 40},
                                         {"modality": "AUDIO", "token_count": 960}],
               "cache_tokens_details": [{"modality": "TEXT", "token_count": 12},
                                        {"modality": "AUDIO", "token_count": 500}],
               "candidates_tokens_details": [{"modality": "TEXT", "token_count": 50}]}  # fmt: skip
LISTENED: Classes = (28, 12, 0, 0, 50, 0)
CAMEL = {"prompt_token_count": "promptTokenCount", "cached_content_token_count": "cachedContentTokenCount",
         "candidates_token_count": "candidatesTokenCount", "total_token_count": "totalTokenCount",
         "prompt_tokens_details": "promptTokensDetails", "cache_tokens_details": "cacheTokensDetails",
         "candidates_tokens_details": "candidatesTokensDetails", "token_count": "tokenCount"}  # fmt: skip


def in_camel_case(usage: Any) -> Any:
    if isinstance(usage, list):
        return [in_camel_case(part) for part in usage]
    if not isinstance(usage, dict):
        return usage
    return {CAMEL.get(key, key): in_camel_case(value) for key, value in usage.items()}


GENKIT = {"inputTokens": 949, "outputTokens": 290, "thoughtsTokens": 949, "totalTokens": 2_188,
          "cachedContentTokens": 500}  # fmt: skip

# gpt-5.6 and later charge for writes: 10,000 of input are 2,000 read, 7,000 written and 1,000 new
WRITTEN_CHAT = {"prompt_tokens": 10_000, "completion_tokens": 100, "total_tokens": 10_100,
                "prompt_tokens_details": {"cached_tokens": 2_000, "cache_write_tokens": 7_000}}  # fmt: skip
WRITTEN_RESPONSE = {"input_tokens": 10_000, "output_tokens": 100, "total_tokens": 10_100,
                    "input_tokens_details": {"cached_tokens": 2_000, "cache_write_tokens": 7_000}}  # fmt: skip
WRITTEN: Classes = (1_000, 2_000, 7_000, 0, 100, 0)

# Anthropic's reply: 8,000 read, 500 + 1,500 written, 10 new
ANTHROPIC = {"input_tokens": 10, "output_tokens": 100, "cache_read_input_tokens": 8_000,
             "cache_creation_input_tokens": 2_000,
             "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1_500}}  # fmt: skip
BY_ANTHROPIC: Classes = (10, 8_000, 500, 1_500, 100, 0)

# Portkey's gateway gives Anthropic's figures under OpenAI's names: 10 + 8,000 + 2,000 + 100 = 10,110
AS_OPENAI = {"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 10_110,
             "prompt_tokens_details": {"cached_tokens": 8_000},
             "cache_read_input_tokens": 8_000, "cache_creation_input_tokens": 2_000}  # fmt: skip

# https://github.com/BerriAI/litellm/issues/42663: the breakdown is of the first message only, 184,457 were written.
# 734,311 - 426,653 - 184,457 = 123,201
SERVER_TOOL = {"prompt_tokens": 734_311, "completion_tokens": 1_000, "total_tokens": 735_311,
               "cache_read_input_tokens": 426_653, "cache_creation_input_tokens": 184_457,
               "prompt_tokens_details": {"cache_creation_token_details": {"ephemeral_5m_input_tokens": 31_490}},
               "server_tool_use": {"web_search_requests": 5}}  # fmt: skip

CASES: dict[str, Callable[[str], Case]] = {
    "litellm-issue-42663": lambda n: litellm(n, SERVER_TOOL, (123_201, 426_653, 184_457, 0, 1_000, 5), SONNET,
                                             "anthropic"),
    # https://github.com/BerriAI/litellm/issues/33772
    "litellm-issue-33772": lambda n: litellm(n, WRITTEN_CHAT, WRITTEN, TERRA, "openai"),
    "litellm-responses": lambda n: litellm(n, WRITTEN_RESPONSE, WRITTEN, TERRA, "openai"),
    "portkey-anthropic-as-openai": lambda n: portkey(n, AS_OPENAI, (10, 8_000, 2_000, 0, 100, 0), SONNET, "anthropic"),
    "portkey-messages": lambda n: portkey(n, ANTHROPIC, BY_ANTHROPIC, SONNET, "anthropic"),
    "portkey-writes": lambda n: portkey(n, WRITTEN_CHAT, WRITTEN, TERRA, "openai"),
    "apim-writes": lambda n: apim(n, WRITTEN_CHAT, WRITTEN, TERRA, "openai/deployments/x/chat/completions"),
    "apim-responses": lambda n: apim(n, WRITTEN_RESPONSE, WRITTEN, TERRA, "openai/v1/responses"),
    "apim-anthropic": lambda n: apim(n, ANTHROPIC, BY_ANTHROPIC, SONNET, "anthropic/v1/messages"),
    "mlflow-writes": lambda n: mlflow(n, {"input_tokens": 10_000, "output_tokens": 100, "total_tokens": 10_100,
                                          "cache_read_input_tokens": 2_000}, WRITTEN_CHAT, WRITTEN, TERRA, "openai"),
    # MLflow's total of Anthropic's figures is 20,000 + 100: cached tokens stand beside, though they would fit inside
    "mlflow-anthropic": lambda n: mlflow(
        n, {"input_tokens": 20_000, "output_tokens": 100, "total_tokens": 20_100, "cache_read_input_tokens": 8_000,
            "cache_creation_input_tokens": 2_000}, {**ANTHROPIC, "input_tokens": 20_000},
        (20_000, 8_000, 500, 1_500, 100, 0), SONNET, "anthropic"),
    "weave-responses": lambda n: weave(n, WRITTEN_RESPONSE, WRITTEN, TERRA),
    "helicone-one-hour": lambda n: helicone(
        n, {"prompt_tokens": 10, "completion_tokens": 100, "prompt_cache_read_tokens": 8_000,
            "prompt_cache_write_tokens": 2_000}, ANTHROPIC, BY_ANTHROPIC),
    # https://github.com/can1357/oh-my-pi/issues/6876
    "omp-one-hour": lambda n: omp(n, {"cacheWrite": 344_139, "cttl": {"ephemeral1h": 300_000}},
                                  (0, 0, 44_139, 300_000, 0, 0), "claude-opus-5", "anthropic"),
    "omp-searches": lambda n: omp(n, {"input": 10, "server": {"webSearch": 3, "webFetch": 1}}, (10, 0, 0, 0, 0, 3),
                                  "claude-opus-5", "anthropic"),
    # 180,224 + 29 + 5,629 = 185,882
    "omp-orchestration": lambda n: omp(
        n, {"output": 29, "cacheRead": 180_224, "totalTokens": 185_882, "orchestration": {"input": 5_629}},
        (5_629, 180_224, 0, 0, 29, 0), "gpt-5.5", "openai-codex"),
    # https://github.com/traceloop/openllmetry/issues/4449: Bedrock's 5,000 exclude what was cached
    "otel-bedrock": lambda n: otlp(
        n, "opentelemetry.instrumentation.bedrock", (5_000, 2_000, 1_000, 0, 100, 0),
        span(genai("chat", 5_000, 100, **{"gen_ai.usage.cache_read_input_tokens": 2_000,
                                          "gen_ai.usage.cache_creation_input_tokens": 1_000}))),
    "otel-genkit": lambda n: otlp(
        n, "genkit-tracer", (449, 500, 0, 0, 1_239, 0),
        span({"genkit:name": "googleai/gemini-2.5-flash", "genkit:output": json.dumps({"usage": GENKIT})})),
    # the agent's span, and its calls, whose own parent was not exported: 100 + 200, 10 + 20
    "otel-missing-parent": lambda n: otlp(
        n, "agents", (300, 0, 0, 0, 30, 0), span(genai("invoke_agent", 300, 30), "c" * 16),
        span(genai("chat", 100, 10), "d" * 16, "1" * 16), span(genai("chat", 200, 20), "d" * 16, "2" * 16)),
    # entries before the log had counts of cached tokens: the reply alone states them
    "bedrock-reply": lambda n: bedrock(n, {**ANTHROPIC, "input_tokens": 10}, BY_ANTHROPIC),
    # 949 + 290 + 949 = 2,188
    "braintrust-thinking": lambda n: braintrust(
        n, {"prompt_tokens": 949, "completion_tokens": 290, "completion_reasoning_tokens": 949, "tokens": 2_188},
        (949, 0, 0, 0, 1_239, 0), FLASH),
    "langsmith-writes": lambda n: langsmith(
        n, {"input_tokens": 10_000, "output_tokens": 100, "total_tokens": 10_100,
            "input_token_details": {"cache_read": 2_000, "cache_write": 7_000}}, WRITTEN, TERRA),
    # LangChain's names under a service tier: 600 of 1,000 were read from the cache
    "langsmith-priority": lambda n: langsmith(
        n, {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100,
            "input_token_details": {"priority": 400, "priority_cache_read": 600},
            "output_token_details": {"priority": 40, "priority_reasoning": 60}}, (400, 600, 0, 0, 100, 0), "gpt-5.4"),
    "kimi-subagent": lambda n: kimi(n, (20, 5, 0, 0, 2, 0)),
    # Gemini's own names, which Langfuse prices as they come: 949 of input with 500 cached, 290 + 949 of output
    "langfuse-gemini": lambda n: langfuse(
        n, {"prompt_token_count": 949, "candidates_token_count": 290, "thoughts_token_count": 949,
            "cached_content_token_count": 500, "total_token_count": 2_188}, (449, 500, 0, 0, 1_239, 0), FLASH),
    "langfuse-gemini-camel-case": lambda n: langfuse(
        n, {"promptTokenCount": 949, "candidatesTokenCount": 290, "thoughtsTokenCount": 949, "totalTokenCount": 2_188},
        (949, 0, 0, 0, 1_239, 0), FLASH),
    # LangChain's callback takes the parts by medium out of input and output
    "langfuse-modality": lambda n: langfuse(
        n, {"input": 0, "output": 0, "input_modality_1": 949, "output_modality_1": 290, "thoughts_token_count": 949,
            "total": 2_188}, (949, 0, 0, 0, 1_239, 0), FLASH),
    "langfuse-searches": lambda n: langfuse(
        n, {"input": 949, "output": 290, "total": 1_239, "web_search_queries": 3}, (949, 0, 0, 0, 290, 3),
        "gemini-3-pro-preview"),
    "langfuse-realtime": lambda n: langfuse(
        n, {"input_text_tokens": 100, "input_audio_tokens": 200, "input_cached_text_tokens": 50,
            "input_cached_audio_tokens": 60, "output_text_tokens": 10, "output_audio_tokens": 20},
        (100, 50, 0, 0, 10, 0), "gpt-4o-realtime-preview"),  # audio: 200, cached 60, output 20
    # https://github.com/langfuse/codex-observability-plugin/issues/22: 117,231 - 115,584 = 1,647
    "langfuse-codex-plugin-issue-22": lambda n: langfuse(
        n, {"input": 117_231, "cache_read_input_tokens": 115_584, "output": 225, "total": 117_456},
        (1_647, 115_584, 0, 0, 225, 0), "gpt-5.4"),
    # https://github.com/langfuse/langfuse/issues/12306: 130,213 - 128,955 - 1,253 = 5
    "langfuse-issue-12306": lambda n: langfuse(
        n, {"input": 130_213, "cache_read_tokens": 128_955, "cache_write_tokens": 1_253, "output": 100,
            "total": 130_313}, (5, 128_955, 1_253, 0, 100, 0), SONNET),
    "langfuse-reasoning-inside": lambda n: langfuse(
        n, {"input": 1_000, "output": 800, "reasoning_tokens": 700, "total": 1_800}, (1_000, 0, 0, 0, 800, 0),
        "gpt-5-mini"),
    "langfuse-reasoning-beside": lambda n: langfuse(
        n, {"input": 1_000, "output": 800, "reasoning_tokens": 700, "total": 2_500}, (1_000, 0, 0, 0, 1_500, 0),
        "grok-4"),
    # gpt-image-1: 350 = 50 text + 300 of an image to be edited
    "litellm-image": lambda n: with_media(
        litellm(n, {"input_tokens": 350, "output_tokens": 4_160, "total_tokens": 4_510,
                    "input_tokens_details": {"text_tokens": 50, "image_tokens": 300},
                    "output_tokens_details": {"image_tokens": 4_160}},
                (50, 0, 0, 0, 0, 0), "gpt-image-1", "openai"), input_image=300, output_image=4_160),
    "portkey-realtime": lambda n: with_media(
        portkey(n, REALTIME, (59, 60, 0, 0, 30, 0), "gpt-realtime", "openai"),
        input_audio=9, cache_read_audio=4, output_audio=91),
    "apim-audio": lambda n: with_media(apim(n, SPOKEN_CHAT, SPOKEN, "gpt-audio", "openai/v1/chat/completions"), **HEARD),
    # 700 cached, 600 of audio: 300 are uncached, so 300 of the audio at least were cached
    "apim-cached-audio": lambda n: with_media(
        apim(n, {"prompt_tokens": 1_000, "completion_tokens": 20,
                 "prompt_tokens_details": {"cached_tokens": 700, "audio_tokens": 600}},
             (0, 400, 0, 0, 20, 0), "gpt-audio", "openai/v1/chat/completions"), input_audio=300, cache_read_audio=300),
    "mlflow-audio": lambda n: with_media(
        mlflow(n, {"input_tokens": 1_000, "output_tokens": 200, "total_tokens": 1_200, "cache_read_input_tokens": 128},
               SPOKEN_CHAT, SPOKEN, "gpt-audio", "openai"), **HEARD),
    "weave-audio": lambda n: with_media(weave(n, SPOKEN_CHAT, SPOKEN, "gpt-audio"), **HEARD),
    # Helicone takes audio out of prompt and completion
    "helicone-audio": lambda n: with_media(
        helicone(n, {"prompt_tokens": 40, "completion_tokens": 10, "prompt_audio_tokens": 60,
                     "completion_audio_tokens": 90}, {}, (40, 0, 0, 0, 10, 0)), input_audio=60, output_audio=90),
    "vertex-audio": lambda n: with_media(vertex(n, BY_MODALITY, LISTENED), input_audio=460, cache_read_audio=500),
    "vertex-audio-camel-case": lambda n: with_media(
        replace(vertex(n, {}, LISTENED), record={**vertex(n, {}, LISTENED).record,
                                                 "full_response": {"usageMetadata": in_camel_case(BY_MODALITY)}}),
        input_audio=460, cache_read_audio=500),
    "qwen-audio": lambda n: with_media(
        qwen(n, in_camel_case(BY_MODALITY), LISTENED), input_audio=460, cache_read_audio=500),
    "posthog-audio": lambda n: with_media(
        posthog(n, {"input_tokens": 1_000, "output_tokens": 200, "cache_read_input_tokens": 128,
                    "audio_input_tokens": 600, "audio_output_tokens": 150}, SPOKEN), **HEARD),
    "braintrust-audio": lambda n: with_media(
        braintrust(n, {"prompt_tokens": 1_000, "completion_tokens": 200, "tokens": 1_200, "prompt_cached_tokens": 128,
                       "prompt_audio_tokens": 600, "completion_audio_tokens": 150}, SPOKEN, "gpt-audio"), **HEARD),
    "langsmith-audio": lambda n: with_media(
        langsmith(n, {"input_tokens": 1_000, "output_tokens": 200, "total_tokens": 1_200,
                      "input_token_details": {"audio": 600, "cache_read": 128}, "output_token_details": {"audio": 150}},
                  SPOKEN, "gpt-audio"), **HEARD),
    # LangChain's callback numbers Gemini's modalities (4 is audio), and takes what was cached out of each
    "langfuse-cached-modality": lambda n: with_media(
        langfuse(n, {"input": 0, "output": 0, "input_modality_1": 28, "input_modality_4": 460, "cached_modality_1": 12,
                     "cached_modality_4": 500, "output_modality_1": 50}, LISTENED, FLASH),
        input_audio=460, cache_read_audio=500),
    "otel-pydantic-ai-gemini": lambda n: with_media(
        otlp(n, "pydantic-ai", LISTENED, span(genai("chat", 1_000, 50, **{
            "gen_ai.usage.cache_read.input_tokens": 512, "gen_ai.usage.details.text_prompt_tokens": 40,
            "gen_ai.usage.details.audio_prompt_tokens": 960, "gen_ai.usage.details.text_cache_tokens": 12,
            "gen_ai.usage.details.audio_cache_tokens": 500}))), input_audio=460, cache_read_audio=500),
    "otel-openinference-audio": lambda n: with_media(
        otlp(n, "openinference.instrumentation.openai", SPOKEN, span({
            "openinference.span.kind": "LLM", "llm.model_name": "gpt-audio", "llm.token_count.prompt": 1_000,
            "llm.token_count.prompt_details.cache_read": 128, "llm.token_count.prompt_details.audio": 600,
            "llm.token_count.completion": 200, "llm.token_count.completion_details.audio": 150})), **HEARD),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("reported")
    for name, case in CASES.items():
        (folder / f"{name}.jsonl").write_text(json.dumps(case(name).record) + "\n")
    with open_store(folder / "costsim.duckdb") as store:
        load(store, sorted(folder.glob("*.jsonl")))
        yield store


@pytest.mark.parametrize("name", CASES)
def test_each_class_of_a_reported_usage_is_counted_once(store: duckdb.DuckDBPyConnection, name: str) -> None:
    case = CASES[name](name)
    sums = ", ".join(f"sum({c})" for c in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output"))
    sql = f"SELECT {sums}, sum(web_search) FROM usage_event WHERE regexp_matches(event_id, ?)"
    assert store.execute(sql, [f"^[^:]+:{case.key or name}(:|$)"]).fetchone() == case.classes


@pytest.mark.parametrize("name", CASES)
def test_audio_and_images_of_a_reported_usage_are_apart(store: duckdb.DuckDBPyConnection, name: str) -> None:
    case = CASES[name](name)
    if name == "langfuse-realtime":
        case = with_media(case, input_audio=200, cache_read_audio=60, output_audio=20)
    sql = f"SELECT {', '.join(f'sum({c})' for c in MEDIA_CLASSES)} FROM usage_event WHERE regexp_matches(event_id, ?)"
    found = store.execute(sql, [f"^[^:]+:{case.key or name}(:|$)"]).fetchone()
    assert found == tuple(case.media.get(name, 0) for name in MEDIA_CLASSES)


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        # gemini-2.5-flash, millionths: 28 x 0.30 + 460 x 1 (audio) + 12 x 0.03 + 500 x 0.10 + 50 x 2.50 = 643.76
        ("vertex-audio", "0.00064376"),
        # gpt-image-1: 50 x 5 + 300 x 10 + 4,160 x 40 = 169,650 millionths
        ("litellm-image", "0.16965"),
        # gpt-realtime: 59 x 4 + 9 x 32 + (60 + 4) x 0.40 + 30 x 16 + 91 x 64 = 6,853.6 millionths
        ("portkey-realtime", "0.0068536"),
    ],
)
def test_what_such_a_call_costs(tmp_path: Path, name: str, usd: str) -> None:
    file = tmp_path / "call.jsonl"
    file.write_text(json.dumps(CASES[name](name).record))
    with open_store(tmp_path / "costsim.duckdb") as own:
        load(own, [file], strict=True)
        assert spend(own, open_book(), Query(())).total.computed_usd == Decimal(usd)


def test_audio_beyond_the_prompt_is_named_and_counted_no_further(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"audio_tokens": 150}}
    file = tmp_path / "call.jsonl"
    file.write_text(json.dumps(apim("a", usage, SPOKEN, "gpt-audio", "openai/v1/chat/completions").record))
    with open_store(tmp_path / "costsim.duckdb") as own:
        report = load(own, [file])
        assert own.execute("SELECT input, input_audio, output FROM usage_event").fetchall() == [(0, 100, 20)]
    assert [(sign.kind, int(sign.amount)) for sign in report.signs] == [("media beyond their figure", 50)]


def test_audio_that_is_no_number_is_a_reject(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"audio_tokens": "many"}}
    file = tmp_path / "call.jsonl"
    file.write_text(json.dumps(apim("a", usage, SPOKEN, "gpt-audio", "openai/v1/chat/completions").record))
    with open_store(tmp_path / "costsim.duckdb") as own:
        assert load(own, [file]).total("rejected") == 1


def test_nothing_of_it_is_rejected_or_unread_but_what_is_priced_as_text(store: duckdb.DuckDBPyConnection) -> None:
    assert store.execute("SELECT count(*) FROM reject").fetchone() == (0,)
    assert store.execute("SELECT field FROM unread WHERE NOT as_text").fetchall() == []


def test_attempts_that_were_billed_and_thrown_away_are_calls_with_their_part_of_the_cost(tmp_path: Path) -> None:
    # 1,000 x 3 + 200 x 15 = 6,000 and 2,000 x 3 + 340 x 15 = 11,100 millionths: 0.0171 together
    thrown = {"attempts": 2, "input": 2_000, "output": 340, "cacheRead": 0, "cacheWrite": 0, "cost": 0.0111}
    usage = {"input": 1_000, "output": 200, "cost": {"total": 0.0171}, "discarded": thrown}
    file = tmp_path / "s.jsonl"
    file.write_text(json.dumps(omp("a", usage, (0, 0, 0, 0, 0, 0), SONNET, "anthropic").record))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        rows = store.execute("SELECT input, output, recorded_usd FROM usage_event ORDER BY input").fetchall()
    assert rows == [(1_000, 200, Decimal("0.006")), (2_000, 340, Decimal("0.0111"))]


def test_what_amps_ledger_alone_states_is_a_call(tmp_path: Path) -> None:
    # the first event repeats the message, whatever figures it has; the oracle's stands in the ledger alone
    tokens = {"input": 10, "output": 100}
    oracle = {"id": "e2", "timestamp": AT, "model": "gpt-5.4", "tokens": {"input": 500, "output": 50}}
    usage = {"model": SONNET, "inputTokens": 10, "outputTokens": 100, "cacheReadInputTokens": 8_000}
    thread = {"id": "T-1", "created": 1789034400000,
              "messages": [{"role": "assistant", "messageId": 1, "usage": usage}],
              "usageLedger": {"events": [{"id": "e1", "timestamp": AT, "model": SONNET, "toMessageId": 1,
                                          "tokens": tokens}, oracle]}}  # fmt: skip
    file = tmp_path / "T-1.json"
    file.write_text(json.dumps(thread))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        rows = store.execute("SELECT model, input, cache_read, output FROM usage_event ORDER BY input").fetchall()
    assert rows == [(SONNET, 10, 8_000, 100), ("gpt-5.4", 500, 0, 50)]
