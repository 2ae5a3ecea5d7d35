"""OpenAI's official Python client against every vendor behind the gateway."""

import json
import unittest

import openai

from gateway import BAD_KEY, BASE_URL, CITY, KEY, SCHEMA, STREAMED, TEXT, USAGE, VENDORS, model, on_each

ASK = [{"role": "user", "content": "Say hello."}]
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def client(key=KEY):
    return openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key=key, max_retries=0, timeout=30)


def chat(vendor, messages=None, **fields):
    return client().chat.completions.create(
        model=model(vendor), messages=messages or ASK, **fields
    )


class EveryVendor(unittest.TestCase):
    def is_counted(self, usage, vendor):
        prompt, cached, _, completion = USAGE[vendor]
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens), (prompt, completion))
        self.assertEqual(usage.total_tokens, prompt + completion)
        details = usage.prompt_tokens_details
        self.assertEqual((details and details.cached_tokens) or 0, cached)

    @on_each
    def test_an_answer_has_text_and_usage(self, vendor):
        answer = chat(vendor)
        self.assertEqual(answer.choices[0].message.content, TEXT)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.is_counted(answer.usage, vendor)

    @on_each
    def test_a_stream_has_text_and_usage(self, vendor):
        options = {"include_usage": True}
        chunks = list(chat(vendor, stream=True, stream_options=options))
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
        pieces = [choice.delta.content for choice in choices if choice.delta.content]
        self.assertGreater(len(pieces), 1)
        self.assertEqual("".join(pieces), STREAMED[vendor])
        reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
        self.assertEqual(reasons, ["stop"])
        (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
        self.is_counted(usage, vendor)

    @on_each
    def test_a_tool_is_called_and_its_result_answered(self, vendor):
        answer = chat(vendor, tools=[WEATHER])
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        (call,) = answer.choices[0].message.tool_calls
        self.assertEqual(call.function.name, "get_weather")
        self.assertEqual(json.loads(call.function.arguments), {"city": CITY})
        result = {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"}
        history = [*ASK, answer.choices[0].message, result]
        followed = chat(vendor, history, tools=[WEATHER])
        self.assertEqual(followed.choices[0].message.content, TEXT)
        self.assertEqual(followed.choices[0].finish_reason, "stop")

    @on_each
    def test_a_tool_is_called_in_a_stream(self, vendor):
        with client().chat.completions.stream(
            model=model(vendor), messages=ASK, tools=[WEATHER]
        ) as stream:
            choice = stream.get_final_completion().choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        (call,) = choice.message.tool_calls
        self.assertTrue(call.id)
        self.assertEqual(json.loads(call.function.arguments), {"city": CITY})

    @on_each
    def test_thinking_survives_a_tool_loop(self, vendor):
        if vendor == "openai":
            return  # That model does not think.
        answer = chat(vendor, tools=[WEATHER], reasoning_effort="low", max_tokens=4000)
        message = answer.choices[0].message
        self.assertEqual(message.to_dict()["reasoning"], "Let me think.")
        (call,) = message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"}
        history = [*ASK, message.to_dict(), result]
        followed = chat(
            vendor, history, tools=[WEATHER], reasoning_effort="low", max_tokens=4000
        )
        self.assertEqual(followed.choices[0].message.content, TEXT)

    @on_each
    def test_a_response_has_text_and_usage(self, vendor):
        if vendor == "openai":
            return  # OpenAI's own answer passes unchanged.
        answer = client().responses.create(model=model(vendor), input="Say hello.")
        self.assertEqual((answer.status, answer.output_text), ("completed", TEXT))
        prompt, cached, _, completion = USAGE[vendor]
        usage = answer.usage
        self.assertEqual((usage.input_tokens, usage.output_tokens), (prompt, completion))
        self.assertEqual(usage.input_tokens_details.cached_tokens, cached)

    @on_each
    def test_a_streamed_response_is_whole_at_its_end(self, vendor):
        if vendor == "openai":
            return  # OpenAI's own answer passes unchanged.
        with client().responses.stream(model=model(vendor), input="Say hello.") as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))
        self.assertEqual(final.output_text, STREAMED[vendor])

    @on_each
    def test_a_response_calls_a_tool_and_takes_its_result(self, vendor):
        tool = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}
        first = client().responses.create(
            model=model(vendor), input="Weather?", tools=[tool], store=False
        )
        (call,) = [item for item in first.output if item.type == "function_call"]
        self.assertEqual(json.loads(call.arguments), {"city": CITY})
        followed = client().responses.create(
            model=model(vendor),
            tools=[tool],
            store=False,
            input=[
                {"role": "user", "content": "Weather?"},
                *[item.to_dict() for item in first.output],
                {"type": "function_call_output", "call_id": call.call_id, "output": "12"},
            ],
        )
        self.assertTrue(followed.output_text)

    @on_each
    def test_legacy_completions_answer(self, vendor):
        ask = {"model": model(vendor), "prompt": "Once upon", "max_tokens": 50}
        # OpenAI's own mock goes on with the sentence.
        whole, streamed = (
            (" a time", " a time.") if vendor == "openai" else (TEXT, STREAMED[vendor])
        )
        self.assertEqual(client().completions.create(**ask).choices[0].text, whole)
        chunks = client().completions.create(**ask, stream=True)
        texts = [chunk.choices[0].text for chunk in chunks if chunk.choices]
        self.assertEqual("".join(texts), streamed)


class Embeddings(unittest.TestCase):
    LENGTHS = {"openai": 2, "gemini": 3, "vertex": 3, "titan": 3, "cohere": 3}

    def test_texts_are_embedded(self):
        for name, length in self.LENGTHS.items():
            with self.subTest(model=name):
                ask = {"model": f"embed-{name}", "input": ["one", "two"]}
                # The client asks for base64 by itself, and decodes it.
                coded = client().embeddings.create(**ask)
                plain = client().embeddings.create(**ask, encoding_format="float")
                self.assertEqual([row.index for row in coded.data], [0, 1])
                for left, right in zip(coded.data, plain.data, strict=True):
                    self.assertEqual(len(left.embedding), length)
                    for one, other in zip(left.embedding, right.embedding, strict=True):
                        self.assertAlmostEqual(one, other, places=5)

    def test_dimensions_are_asked_for(self):
        for name in ("gemini", "vertex", "titan"):
            with self.subTest(model=name):
                answer = client().embeddings.create(
                    model=f"embed-{name}", input="one", dimensions=256
                )
                self.assertEqual(len(answer.data[0].embedding), 256)


class Errors(unittest.TestCase):
    CLASSES = {
        400: openai.BadRequestError,
        404: openai.NotFoundError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        503: openai.InternalServerError,
    }

    def test_a_vendors_error_raises_the_class_of_its_status(self):
        for vendor in VENDORS:
            for status, kind in self.CLASSES.items():
                for stream in (False, True):
                    with self.subTest(vendor=vendor, status=status, stream=stream):
                        ask = [{"role": "user", "content": f"answer with status {status}"}]
                        with self.assertRaises(kind) as raised:
                            chat(vendor, ask, stream=stream)
                        self.assertTrue(raised.exception.body["message"])
                        if status < 429:
                            words = f"the vendor's own words for {status}"
                            self.assertIn(words, raised.exception.message)

    def test_a_vendor_that_refuses_the_gateways_key_is_no_fault_of_the_callers(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor):
                with self.assertRaises(openai.InternalServerError) as raised:
                    chat(vendor, [{"role": "user", "content": "answer with status 401"}])
                self.assertEqual(raised.exception.status_code, 502)

    def test_a_bad_key_is_an_authentication_error(self):
        with self.assertRaises(openai.AuthenticationError):
            client(BAD_KEY).chat.completions.create(model=model("gemini"), messages=ASK)


if __name__ == "__main__":
    unittest.main()
