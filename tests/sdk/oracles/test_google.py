"""Google's official client reads what the mock vendor says: the mock speaks as Gemini does."""

import unittest

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from vendor import CITY, MOCK_URL, SCHEMA, TEXT

MODEL = "gemini-2.5-flash"
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name="get_weather", parameters_json_schema=SCHEMA)
    ]
)
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
NO_CALLS = types.AutomaticFunctionCallingConfig(disable=True)


# A client that nobody holds is closed.
CLIENT = genai.Client(
    api_key="test-key", http_options=types.HttpOptions(base_url=MOCK_URL, timeout=30_000)
)

VERTEX = genai.Client(
    vertexai=True,
    project="p-1",
    location="europe-west4",
    credentials=Credentials(token="test-token"),
    http_options=types.HttpOptions(base_url=MOCK_URL, timeout=30_000),
)


def ask(contents="Say hello.", **config):
    config = types.GenerateContentConfig(automatic_function_calling=NO_CALLS, **config)
    return CLIENT.models.generate_content(model=MODEL, contents=contents, config=config)


def ask_stream(contents="Say hello.", **config):
    config = types.GenerateContentConfig(automatic_function_calling=NO_CALLS, **config)
    stream = CLIENT.models.generate_content_stream(
        model=MODEL, contents=contents, config=config
    )
    return list(stream)


def parts_of(chunks):
    return [part for chunk in chunks for part in chunk.candidates[0].content.parts]


class Google(unittest.TestCase):
    def test_an_answer_has_text_and_usage(self):
        answer = ask()
        self.assertEqual(answer.text, TEXT)
        self.assertEqual(answer.candidates[0].finish_reason, types.FinishReason.STOP)
        self.assertEqual(answer.usage_metadata.prompt_token_count, 21)
        self.assertEqual(answer.usage_metadata.total_token_count, 30)
        self.assertEqual(answer.model_version, MODEL)

    def test_a_stream_is_the_answer_in_pieces(self):
        chunks = ask_stream()
        self.assertGreater(len(chunks), 1)
        self.assertEqual("".join(chunk.text for chunk in chunks), TEXT)
        self.assertEqual(chunks[-1].candidates[0].finish_reason, types.FinishReason.STOP)
        self.assertEqual(chunks[-1].usage_metadata.candidates_token_count, 9)

    def test_a_tool_is_called_and_its_result_answered(self):
        for answer in (ask(tools=[WEATHER]), ask_stream(tools=[WEATHER])[-1]):
            (call,) = answer.function_calls
            self.assertEqual((call.name, call.args), ("get_weather", {"city": CITY}))
            result = types.Part.from_function_response(name=call.name, response={"celsius": 12})
            history = [
                types.Content(role="user", parts=[types.Part(text="Weather?")]),
                answer.candidates[0].content,
                types.Content(role="user", parts=[result]),
            ]
            self.assertEqual(ask(history, tools=[WEATHER]).text, TEXT)

    def test_thinking_is_told_apart(self):
        for parts in (
            parts_of([ask(thinking_config=THINKING)]),
            parts_of(ask_stream(thinking_config=THINKING)),
        ):
            self.assertEqual([part.text for part in parts if part.thought], ["Let me think."])
            self.assertEqual("".join(part.text for part in parts if not part.thought), TEXT)

    def test_a_call_after_thinking_is_signed(self):
        answer = ask(thinking_config=THINKING, tools=[WEATHER])
        signatures = [part.thought_signature for part in parts_of([answer]) if part.function_call]
        self.assertEqual(signatures, [b"mock-signature"])
        self.assertEqual(answer.usage_metadata.thoughts_token_count, 4)

    def test_tokens_are_counted(self):
        count = CLIENT.models.count_tokens(model=MODEL, contents="Say hello.")
        self.assertEqual(count.total_tokens, 14)

    def test_texts_are_embedded(self):
        config = types.EmbedContentConfig(output_dimensionality=4)
        answer = CLIENT.models.embed_content(
            model="gemini-embedding-001", contents=["one", "two"], config=config
        )
        self.assertEqual([len(row.values) for row in answer.embeddings], [4, 4])

    def test_errors_have_googles_own_status(self):
        for status, name in ((400, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED")):
            for way in (ask, ask_stream):
                with self.assertRaises(errors.ClientError) as raised:
                    way(f"answer with status {status}")
                self.assertEqual((raised.exception.code, raised.exception.status), (status, name))
        with self.assertRaises(errors.ServerError):
            ask("answer with status 503")


class Vertex(unittest.TestCase):
    def test_an_answer_is_read_whole_and_in_pieces(self):
        models = VERTEX.models
        answer = models.generate_content(model=MODEL, contents="Say hello.")
        self.assertEqual(answer.text, TEXT)
        chunks = models.generate_content_stream(model=MODEL, contents="Say hello.")
        self.assertEqual("".join(chunk.text for chunk in chunks), TEXT)

    def test_texts_are_embedded(self):
        config = types.EmbedContentConfig(output_dimensionality=4)
        answer = VERTEX.models.embed_content(
            model="text-embedding-005", contents=["one", "two"], config=config
        )
        self.assertEqual([len(row.values) for row in answer.embeddings], [4, 4])

    def test_tokens_are_counted(self):
        count = VERTEX.models.count_tokens(model=MODEL, contents="Say hello.")
        self.assertEqual(count.total_tokens, 14)


if __name__ == "__main__":
    unittest.main()
