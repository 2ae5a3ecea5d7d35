"""LlamaIndex against every vendor behind the gateway: BASE_URL and KEY come from the environment."""

import functools
import os
import unittest

from llama_index.core.llms import ChatMessage, LLMMetadata
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI

VENDORS = ("openai", "anthropic", "gemini", "bedrock")
TEXT = "Hello from the mock."


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees in {city}"


WEATHER = FunctionTool.from_defaults(fn=get_weather)


class NamedModel(OpenAI):
    """Their class asks a list of its own what a model can do; these aliases are in none."""

    @property
    def metadata(self):
        return LLMMetadata(
            context_window=100_000,
            is_chat_model=True,
            is_function_calling_model=True,
            model_name=self.model,
        )


def llm(vendor):
    return NamedModel(
        model=f"on-{vendor}",
        api_base=os.environ["BASE_URL"].rstrip("/") + "/v1",
        api_key=os.environ["KEY"],
        max_retries=0,
        timeout=30,
    )


def on_each(test):
    """The test once for each vendor, so that one that fails hides no other."""

    @functools.wraps(test)
    def on_all(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor):
                test(self, llm(vendor))

    return on_all


class LlamaIndex(unittest.TestCase):
    @on_each
    def test_chat(self, chat):
        answer = chat.chat([ChatMessage(role="user", content="Say hello.")])
        self.assertEqual(answer.message.content, TEXT)

    @on_each
    def test_stream(self, chat):
        pieces = list(chat.stream_chat([ChatMessage(role="user", content="Say hello.")]))
        self.assertGreater(len(pieces), 1)
        self.assertTrue(pieces[-1].message.content.startswith("Hello"))

    @on_each
    def test_a_tool_is_called_and_its_result_answered(self, chat):
        # Without this they ask for one call at most, which not every vendor can promise.
        answer = chat.predict_and_call(
            [WEATHER], user_msg="Weather?", allow_parallel_tool_calls=True
        )
        self.assertEqual(answer.response, "12 degrees in Zürich 🏔")


if __name__ == "__main__":
    unittest.main()
