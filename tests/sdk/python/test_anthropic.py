"""Anthropic's official Python client against a gateway."""

import unittest

import anthropic

from gateway import BAD_KEY, KEY, MOUNTS, UNKNOWN, WORDS

ASK = [{"role": "user", "content": "Say hello to the gateway."}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def client(mount=MOUNTS[0], key=KEY):
    return anthropic.Anthropic(base_url=mount, api_key=key, max_retries=0, timeout=30)


class Messages(unittest.TestCase):
    def test_an_answer_has_text_and_usage(self):
        for mount in MOUNTS:
            answer = client(mount).messages.create(model=WORDS, max_tokens=200, messages=ASK)
            self.assertEqual(answer.content[0].type, "text")
            self.assertTrue(answer.content[0].text)
            self.assertEqual(answer.stop_reason, "end_turn")
            self.assertGreater(answer.usage.input_tokens, 0)
            self.assertGreater(answer.usage.output_tokens, 0)

    def test_the_key_is_taken_as_a_bearer_token_too(self):
        bearer = anthropic.Anthropic(
            base_url=MOUNTS[0], auth_token=KEY, api_key=None, max_retries=0, timeout=30
        )
        answer = bearer.messages.create(model=WORDS, max_tokens=200, messages=ASK)
        self.assertTrue(answer.content[0].text)

    def test_a_stream_is_the_answer_in_pieces(self):
        whole = client().messages.create(model=WORDS, max_tokens=200, messages=ASK)
        with client().messages.stream(model=WORDS, max_tokens=200, messages=ASK) as stream:
            pieces = list(stream.text_stream)
            final = stream.get_final_message()
        self.assertGreater(len(pieces), 2)
        self.assertEqual("".join(pieces), whole.content[0].text)
        self.assertEqual(final.stop_reason, "end_turn")
        self.assertEqual(final.usage.output_tokens, whole.usage.output_tokens)

    def test_the_events_of_a_stream_come_in_order(self):
        events = [
            event.type
            for event in client().messages.create(
                model=WORDS, max_tokens=200, messages=ASK, stream=True
            )
        ]
        self.assertEqual(events[0], "message_start")
        self.assertEqual(events[-2:], ["message_delta", "message_stop"])
        self.assertIn("content_block_delta", events)

    def test_a_tool_call_passes(self):
        answer = client().messages.create(
            model=WORDS,
            max_tokens=200,
            messages=[{"role": "user", "content": "Use get_weather for Bern."}],
            tools=[WEATHER],
            tool_choice={"type": "tool", "name": "get_weather"},
        )
        self.assertEqual(answer.stop_reason, "tool_use")
        call = next(block for block in answer.content if block.type == "tool_use")
        self.assertEqual(call.name, "get_weather")
        self.assertIn("city", call.input)

    def test_tokens_are_counted(self):
        count = client().messages.count_tokens(model=WORDS, messages=ASK)
        answer = client().messages.create(model=WORDS, max_tokens=200, messages=ASK)
        self.assertEqual(count.input_tokens, answer.usage.input_tokens)


class Errors(unittest.TestCase):
    def ask(self, key=KEY, **fields):
        return client(key=key).messages.create(
            **{"model": WORDS, "max_tokens": 200, "messages": ASK, **fields}
        )

    def test_a_bad_key_is_an_authentication_error(self):
        with self.assertRaises(anthropic.AuthenticationError) as raised:
            self.ask(key=BAD_KEY)
        self.assertEqual(raised.exception.body["error"]["type"], "authentication_error")

    def test_an_unknown_model_is_not_found(self):
        with self.assertRaises(anthropic.NotFoundError) as raised:
            self.ask(model=UNKNOWN)
        self.assertEqual(raised.exception.body["error"]["type"], "not_found_error")
        self.assertTrue(raised.exception.request_id)

    def test_messages_that_are_no_array_are_a_bad_request(self):
        with self.assertRaises(anthropic.BadRequestError) as raised:
            self.ask(extra_body={"messages": "hello"})
        self.assertEqual(raised.exception.body["error"]["type"], "invalid_request_error")

    def test_what_the_vendor_refuses_is_the_callers_own_error(self):
        with self.assertRaises(anthropic.BadRequestError):
            self.ask(extra_body={"max_tokens": -1})


if __name__ == "__main__":
    unittest.main()
