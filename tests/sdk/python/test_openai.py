"""OpenAI's official Python client against a gateway."""

import unittest

import openai

from gateway import BAD_KEY, KEY, MOUNTS, UNKNOWN, VECTORS, WORDS

ASK = [{"role": "user", "content": "Say hello to the gateway."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def client(mount=MOUNTS[0], key=KEY):
    return openai.OpenAI(base_url=f"{mount}/v1", api_key=key, max_retries=0, timeout=30)


class ChatCompletions(unittest.TestCase):
    def test_an_answer_has_text_and_usage(self):
        for mount in MOUNTS:
            answer = client(mount).chat.completions.create(model=WORDS, messages=ASK)
            self.assertTrue(answer.choices[0].message.content)
            self.assertEqual(answer.choices[0].finish_reason, "stop")
            self.assertGreater(answer.usage.prompt_tokens, 0)
            self.assertGreater(answer.usage.completion_tokens, 0)

    def test_the_headers_name_the_attempt(self):
        raw = client().chat.completions.with_raw_response.create(model=WORDS, messages=ASK)
        self.assertEqual(raw.headers["x-bd-provider-route-attempt"], "1")
        self.assertEqual(raw.headers["x-bd-provider-failover-count"], "0")
        self.assertTrue(raw.headers["x-request-id"])

    def test_a_stream_is_the_answer_in_pieces(self):
        whole = client().chat.completions.create(model=WORDS, messages=ASK)
        chunks = list(client().chat.completions.create(model=WORDS, messages=ASK, stream=True))
        pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        self.assertGreater(len(pieces), 2)
        self.assertEqual("".join(pieces), whole.choices[0].message.content)
        self.assertEqual([chunk for chunk in chunks if chunk.usage], [], "usage was not asked for")

    def test_a_stream_has_usage_where_it_is_asked_for(self):
        stream = client().chat.completions.create(
            model=WORDS, messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        last = list(stream)[-1]
        self.assertEqual(last.choices, [])
        self.assertGreater(last.usage.completion_tokens, 0)

    def test_a_tool_call_passes(self):
        answer = client().chat.completions.create(
            model=WORDS,
            messages=[{"role": "user", "content": "Use get_weather for Bern."}],
            tools=[WEATHER],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
        )
        call = answer.choices[0].message.tool_calls[0]
        self.assertEqual(call.function.name, "get_weather")
        self.assertIn("city", call.function.arguments)
        followed = client().chat.completions.create(
            model=WORDS,
            messages=[
                {"role": "user", "content": "Use get_weather for Bern."},
                answer.choices[0].message,
                {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"},
            ],
            tools=[WEATHER],
        )
        self.assertTrue(followed.choices[0].message.content)

    def test_a_streamed_tool_call_passes(self):
        stream = client().chat.completions.create(
            model=WORDS,
            messages=[{"role": "user", "content": "Use get_weather for Bern."}],
            tools=[WEATHER],
            tool_choice="required",
            stream=True,
        )
        calls = [
            call
            for chunk in stream
            if chunk.choices
            for call in chunk.choices[0].delta.tool_calls or []
        ]
        self.assertEqual(calls[0].function.name, "get_weather")
        self.assertIn("city", "".join(call.function.arguments or "" for call in calls))


class OtherEndpoints(unittest.TestCase):
    def test_completions(self):
        answer = client().completions.create(model=WORDS, prompt="Once upon a time")
        self.assertTrue(answer.choices[0].text)
        self.assertGreater(answer.usage.total_tokens, 0)
        stream = client().completions.create(model=WORDS, prompt="Once upon a time", stream=True)
        text = "".join(chunk.choices[0].text for chunk in stream if chunk.choices)
        self.assertEqual(text, answer.choices[0].text)

    def test_embeddings(self):
        answer = client().embeddings.create(model=VECTORS, input=["one text", "another text"])
        self.assertEqual([item.index for item in answer.data], [0, 1])
        self.assertEqual(len(answer.data[0].embedding), len(answer.data[1].embedding))
        self.assertNotEqual(answer.data[0].embedding, answer.data[1].embedding)
        self.assertGreater(answer.usage.prompt_tokens, 0)

    def test_responses(self):
        answer = client().responses.create(model=WORDS, input="Say hello.")
        self.assertEqual(answer.status, "completed")
        self.assertTrue(answer.output_text)
        self.assertGreater(answer.usage.output_tokens, 0)

    def test_streamed_responses(self):
        whole = client().responses.create(model=WORDS, input="Say hello.")
        events = list(client().responses.create(model=WORDS, input="Say hello.", stream=True))
        self.assertEqual(events[0].type, "response.created")
        self.assertEqual(events[-1].type, "response.completed")
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        self.assertEqual("".join(deltas), whole.output_text)

    def test_models(self):
        ids = [model.id for model in client().models.list()]
        self.assertIn(WORDS, ids)
        self.assertEqual(len(ids), len(set(ids)))


class Errors(unittest.TestCase):
    def chat(self, key=KEY, **fields):
        return client(key=key).chat.completions.create(
            **{"model": WORDS, "messages": ASK, **fields}
        )

    def test_a_bad_key_is_an_authentication_error(self):
        for key in (BAD_KEY, "bd-short", "sk-of-a-vendor"):
            with self.assertRaises(openai.AuthenticationError) as raised:
                self.chat(key=key)
            self.assertEqual(raised.exception.code, "invalid_api_key")
            self.assertNotIn(key, str(raised.exception))

    def test_an_unknown_model_is_not_found(self):
        with self.assertRaises(openai.NotFoundError) as raised:
            self.chat(model=UNKNOWN)
        self.assertEqual(raised.exception.code, "model_not_found")
        self.assertIn(UNKNOWN, raised.exception.message)

    def test_messages_that_are_no_array_are_a_bad_request(self):
        with self.assertRaises(openai.BadRequestError) as raised:
            self.chat(extra_body={"messages": "hello"})
        self.assertEqual(raised.exception.code, "invalid_parameters")

    def test_a_vendor_that_fails_is_a_502_that_tells_of_the_attempts(self):
        with self.assertRaises(openai.InternalServerError) as raised:
            self.chat(model="sandbox/sandbox-down")
        self.assertEqual(raised.exception.status_code, 502)
        self.assertEqual(raised.exception.code, "all_routes_failed")
        self.assertEqual(raised.exception.body["attempts"][0]["status"], 503)

    def test_a_stream_that_fails_on_its_first_event_fails_before_it_begins(self):
        with self.assertRaises(openai.InternalServerError):
            self.chat(model="sandbox/sandbox-stream-error", stream=True)


if __name__ == "__main__":
    unittest.main()
