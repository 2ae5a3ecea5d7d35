"""Anthropic's official clients for Bedrock and Vertex read what the mock vendor says."""

import unittest

import anthropic

from vendor import CITY, MOCK_URL, SCHEMA

ASK = {"max_tokens": 200, "messages": [{"role": "user", "content": "Say hello."}]}
WEATHER = {"name": "get_weather", "input_schema": SCHEMA}

CLIENTS = {
    "anthropic.claude-sonnet-4-5-20250929-v1:0": anthropic.AnthropicBedrock(
        aws_access_key="AKIATEST",
        aws_secret_key="secret",
        aws_region="eu-west-1",
        base_url=MOCK_URL,
        max_retries=0,
        timeout=30,
    ),
    "claude-sonnet-4-5@20250929": anthropic.AnthropicVertex(
        access_token="test-token",
        project_id="p-1",
        region="europe-west4",
        base_url=f"{MOCK_URL}/v1",
        max_retries=0,
        timeout=30,
    ),
}


class Claude(unittest.TestCase):
    def on_each(self, test):
        for model, client in CLIENTS.items():
            with self.subTest(model=model):
                test(client.messages, model)

    def test_an_answer_is_read_whole(self):
        def test(messages, model):
            answer = messages.create(model=model, **ASK)
            self.assertEqual(answer.content[0].text, "Hello from the mock.")
            self.assertEqual(answer.usage.output_tokens, 15)

        self.on_each(test)

    def test_an_answer_is_read_in_pieces(self):
        def test(messages, model):
            with messages.stream(model=model, **ASK) as stream:
                final = stream.get_final_message()
            self.assertEqual(final.content[0].text, "Hello wörld")
            self.assertEqual(final.usage.output_tokens, 15)

        self.on_each(test)

    def test_a_tool_is_called(self):
        def test(messages, model):
            with messages.stream(model=model, tools=[WEATHER], **ASK) as stream:
                streamed = stream.get_final_message()
            for answer in (messages.create(model=model, tools=[WEATHER], **ASK), streamed):
                self.assertEqual(answer.content[-1].input, {"city": CITY})
                self.assertEqual(answer.stop_reason, "tool_use")

        self.on_each(test)


if __name__ == "__main__":
    unittest.main()
