"""LangChain's two integrations against every format behind the gateway."""

import functools
import unittest

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from gateway import BASE_URL, CITY, FORMATS, KEY, STREAMED, TEXT, USAGE, model


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees in {city}"


def openai(vendor):
    return ChatOpenAI(
        model=model(vendor), base_url=f"{BASE_URL}/v1", api_key=KEY, max_retries=0, timeout=30
    )


def anthropic(vendor):
    return ChatAnthropic(
        model=model(vendor),
        base_url=BASE_URL,
        api_key=KEY,
        max_retries=0,
        timeout=30,
        max_tokens=200,
    )


def on_each(test):
    """The test once for each integration and format, so that one that fails hides no other."""

    @functools.wraps(test)
    def on_all(self):
        for make in (openai, anthropic):
            for vendor in FORMATS:
                with self.subTest(integration=make.__name__, vendor=vendor):
                    test(self, make(vendor), vendor)

    return on_all


class LangChain(unittest.TestCase):
    @on_each
    def test_invoke(self, chat, vendor):
        answer = chat.invoke("Say hello.")
        self.assertEqual(answer.text, TEXT)
        self.assertEqual(answer.usage_metadata["input_tokens"], USAGE[vendor][0])
        self.assertEqual(answer.usage_metadata["output_tokens"], USAGE[vendor][3])

    @on_each
    def test_stream(self, chat, vendor):
        pieces = [chunk.text for chunk in chat.stream("Say hello.") if chunk.text]
        self.assertGreater(len(pieces), 1)
        self.assertEqual("".join(pieces), STREAMED[vendor])

    @on_each
    def test_a_tool_loop(self, chat, _vendor):
        bound = chat.bind_tools([get_weather])
        history = [HumanMessage("Weather?")]
        answer = bound.invoke(history)
        (call,) = answer.tool_calls
        self.assertEqual((call["name"], call["args"]), ("get_weather", {"city": CITY}))
        result = get_weather.invoke(call)
        self.assertIsInstance(result, ToolMessage)
        self.assertEqual(bound.invoke([*history, answer, result]).text, TEXT)


if __name__ == "__main__":
    unittest.main()
