"""AWS's official client reads what the mock vendor says: the mock speaks as Bedrock does."""

import json
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from vendor import CITY, MOCK_URL, SCHEMA, TEXT

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
WEATHER = {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}]}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def client():
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=MOCK_URL,
        region_name="eu-west-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )


def asking(text="Say hello.", **fields):
    return {
        "modelId": MODEL,
        "messages": [{"role": "user", "content": [{"text": text}]}],
        **fields,
    }


def streamed(text="Say hello.", **fields):
    return list(client().converse_stream(**asking(text, **fields))["stream"])


def deltas(events):
    return [
        event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event
    ]


class Converse(unittest.TestCase):
    def test_an_answer_has_text_and_usage(self):
        answer = client().converse(**asking())
        self.assertEqual(answer["output"]["message"]["content"], [{"text": TEXT}])
        self.assertEqual(answer["stopReason"], "end_turn")
        self.assertEqual(answer["usage"]["totalTokens"], 34)

    def test_a_stream_is_the_answer_in_pieces(self):
        events = streamed()
        self.assertEqual(events[0], {"messageStart": {"role": "assistant"}})
        self.assertEqual("".join(delta["text"] for delta in deltas(events)), TEXT)
        self.assertEqual(events[-2], {"messageStop": {"stopReason": "end_turn"}})
        self.assertEqual(events[-1]["metadata"]["usage"]["outputTokens"], 11)

    def test_a_tool_is_called_and_its_result_answered(self):
        answer = client().converse(**asking(toolConfig=WEATHER))
        self.assertEqual(answer["stopReason"], "tool_use")
        call = answer["output"]["message"]["content"][-1]["toolUse"]
        self.assertEqual((call["name"], call["input"]), ("get_weather", {"city": CITY}))
        result = {"toolUseId": call["toolUseId"], "content": [{"json": {"celsius": 12}}]}
        history = [
            {"role": "user", "content": [{"text": "Weather?"}]},
            answer["output"]["message"],
            {"role": "user", "content": [{"toolResult": result}]},
        ]
        followed = client().converse(**{**asking(toolConfig=WEATHER), "messages": history})
        self.assertEqual(followed["output"]["message"]["content"], [{"text": TEXT}])

    def test_a_tool_is_called_in_a_stream(self):
        events = streamed(toolConfig=WEATHER)
        (start,) = [event for event in events if "contentBlockStart" in event]
        self.assertEqual(start["contentBlockStart"]["start"]["toolUse"]["name"], "get_weather")
        arguments = "".join(delta["toolUse"]["input"] for delta in deltas(events))
        self.assertEqual(json.loads(arguments), {"city": CITY})

    def test_thinking_is_told_apart(self):
        answer = client().converse(**asking(additionalModelRequestFields=THINKING))
        first = answer["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]
        self.assertEqual(first, {"text": "Let me think.", "signature": "c2lnLW1vY2s="})
        parts = deltas(streamed(additionalModelRequestFields=THINKING))
        thinking = [part["reasoningContent"] for part in parts if "reasoningContent" in part]
        self.assertEqual(thinking, [{"text": "Let me think."}, {"signature": "c2lnLW1vY2s="}])

    def test_errors_have_the_names_of_the_api(self):
        for status, name in ((400, "ValidationException"), (429, "ThrottlingException")):
            with self.assertRaises(ClientError) as raised:
                client().converse(**asking(f"answer with status {status}"))
            self.assertEqual(raised.exception.response["Error"]["Code"], name)
            with self.assertRaises(ClientError) as raised:
                streamed(f"answer with status {status}")
            self.assertEqual(raised.exception.response["Error"]["Code"], name)


class Invoke(unittest.TestCase):
    BODY = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Say hello."}],
    }

    def invoke(self, model, body):
        answer = client().invoke_model(modelId=model, body=json.dumps(body))
        return json.loads(answer["body"].read())

    def test_claude_answers_in_its_own_words(self):
        answer = self.invoke(MODEL, self.BODY)
        self.assertEqual(answer["content"], [{"type": "text", "text": TEXT}])

    def test_claude_streams_its_own_events(self):
        answer = client().invoke_model_with_response_stream(
            modelId=MODEL, body=json.dumps(self.BODY)
        )
        events = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
        self.assertEqual(events[0]["type"], "message_start")
        self.assertEqual(events[-1]["type"], "message_stop")

    def test_titan_and_cohere_embed(self):
        titan = self.invoke("amazon.titan-embed-text-v2:0", {"inputText": "x", "dimensions": 256})
        self.assertEqual(len(titan["embedding"]), 256)
        texts = {"texts": ["one", "two"], "input_type": "search_document"}
        cohere = self.invoke("cohere.embed-multilingual-v3", texts)
        self.assertEqual(len(cohere["embeddings"]), 2)

    def test_tokens_are_counted(self):
        body = {"converse": {"messages": asking()["messages"]}}
        count = client().count_tokens(modelId=MODEL, input=body)
        self.assertEqual(count["inputTokens"], 14)


if __name__ == "__main__":
    unittest.main()
