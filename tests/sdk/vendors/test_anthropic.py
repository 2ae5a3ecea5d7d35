"""Anthropic's official Python client against every vendor behind the gateway."""

import unittest

import anthropic

from gateway import BAD_KEY, BASE_URL, CITY, KEY, SCHEMA, STREAMED, TEXT, USAGE, VENDORS, model, on_each

ASK = [{"role": "user", "content": "Say hello."}]
WEATHER = {"name": "get_weather", "input_schema": SCHEMA}


def client(key=KEY):
    return anthropic.Anthropic(base_url=BASE_URL, api_key=key, max_retries=0, timeout=30)


def ask(vendor, messages=None, **fields):
    fields = {"max_tokens": 200, **fields}
    return client().messages.create(model=model(vendor), messages=messages or ASK, **fields)


class EveryVendor(unittest.TestCase):
    def is_counted(self, usage, vendor):
        prompt, read, written, output = USAGE[vendor]
        self.assertEqual(usage.output_tokens, output)
        self.assertEqual(usage.input_tokens, prompt - read - written)
        self.assertEqual(usage.cache_read_input_tokens or 0, read)
        self.assertEqual(usage.cache_creation_input_tokens or 0, written)

    @on_each
    def test_an_answer_has_text_and_usage(self, vendor):
        answer = ask(vendor)
        (block,) = answer.content
        self.assertEqual((block.type, block.text), ("text", TEXT))
        self.assertEqual(answer.stop_reason, "end_turn")
        self.is_counted(answer.usage, vendor)

    @on_each
    def test_a_stream_has_text_and_usage(self, vendor):
        with client().messages.stream(
            model=model(vendor), max_tokens=200, messages=ASK
        ) as stream:
            pieces = list(stream.text_stream)
            final = stream.get_final_message()
        self.assertGreater(len(pieces), 1)
        self.assertEqual("".join(pieces), STREAMED[vendor])
        self.assertEqual(final.stop_reason, "end_turn")
        self.is_counted(final.usage, vendor)

    def calls(self, message):
        (call,) = [block for block in message.content if block.type == "tool_use"]
        self.assertEqual((call.name, call.input), ("get_weather", {"city": CITY}))
        self.assertEqual(message.stop_reason, "tool_use")
        return call

    @on_each
    def test_a_tool_is_called_and_its_result_answered(self, vendor):
        answer = ask(vendor, tools=[WEATHER])
        call = self.calls(answer)
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees"}
        history = [
            *ASK,
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result]},
        ]
        followed = ask(vendor, history, tools=[WEATHER])
        self.assertEqual(followed.content[0].text, TEXT)
        self.assertEqual(followed.stop_reason, "end_turn")

    @on_each
    def test_a_tool_is_called_in_a_stream(self, vendor):
        with client().messages.stream(
            model=model(vendor), max_tokens=200, messages=ASK, tools=[WEATHER]
        ) as stream:
            self.calls(stream.get_final_message())

    @on_each
    def test_thinking_survives_a_tool_loop(self, vendor):
        if vendor == "openai":
            return  # That model does not think.
        thinking = {"type": "enabled", "budget_tokens": 1024}
        fields = {"tools": [WEATHER], "thinking": thinking, "max_tokens": 4000}
        answer = ask(vendor, **fields)
        self.assertEqual(answer.content[0].type, "thinking")
        self.assertEqual(answer.content[0].thinking, "Let me think.")
        call = self.calls(answer)
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees"}
        history = [
            *ASK,
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result]},
        ]
        followed = ask(vendor, history, **fields)
        self.assertEqual(followed.content[-1].text, TEXT)

    @on_each
    def test_tokens_are_counted(self, vendor):
        count = client().messages.count_tokens(model=model(vendor), messages=ASK)
        self.assertGreater(count.input_tokens, 0)


class Errors(unittest.TestCase):
    CLASSES = {
        400: anthropic.BadRequestError,
        404: anthropic.NotFoundError,
        429: anthropic.RateLimitError,
        500: anthropic.InternalServerError,
        503: anthropic.InternalServerError,
    }

    def test_a_vendors_error_raises_the_class_of_its_status(self):
        for vendor in VENDORS:
            for status, kind in self.CLASSES.items():
                for stream in (False, True):
                    with self.subTest(vendor=vendor, status=status, stream=stream):
                        words = [{"role": "user", "content": f"answer with status {status}"}]
                        with self.assertRaises(kind) as raised:
                            ask(vendor, words, stream=stream)
                        body = raised.exception.body
                        self.assertEqual(body["type"], "error")
                        if status < 429:
                            self.assertIn(f"own words for {status}", body["error"]["message"])

    def test_a_bad_key_is_an_authentication_error(self):
        with self.assertRaises(anthropic.AuthenticationError):
            client(BAD_KEY).messages.create(
                model=model("gemini"), max_tokens=20, messages=ASK
            )


if __name__ == "__main__":
    unittest.main()
