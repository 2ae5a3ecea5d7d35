'use strict';

// OpenAI's official Node client against a gateway.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const OpenAI = require('openai');
const { BASE_URL, BAD_KEY, KEY, UNKNOWN, VECTORS, WORDS } = require('./gateway.cjs');

const messages = [{ role: 'user', content: 'Say hello to the gateway.' }];
const client = (apiKey = KEY) =>
  new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });

async function all(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

test('a chat completion has text and usage', async () => {
  const answer = await client().chat.completions.create({ model: WORDS, messages });
  assert.ok(answer.choices[0].message.content);
  assert.ok(answer.usage.completion_tokens > 0);
});

test('a streamed chat completion is the answer in pieces', async () => {
  const whole = await client().chat.completions.create({ model: WORDS, messages });
  const chunks = await all(client().chat.completions.create({ model: WORDS, messages, stream: true }));
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
  assert.equal(text, whole.choices[0].message.content);
  assert.ok(chunks.length > 3);
});

test('a tool call passes', async () => {
  const answer = await client().chat.completions.create({
    model: WORDS,
    messages: [{ role: 'user', content: 'Use get_weather for Bern.' }],
    tools: [{
      type: 'function',
      function: {
        name: 'get_weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    }],
    tool_choice: { type: 'function', function: { name: 'get_weather' } },
  });
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'get_weather');
  assert.ok('city' in JSON.parse(call.function.arguments));
});

test('completions answer, streamed or not', async () => {
  const prompt = 'Once upon a time';
  const whole = await client().completions.create({ model: WORDS, prompt });
  const chunks = await all(client().completions.create({ model: WORDS, prompt, stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join(''), whole.choices[0].text);
});

test('embeddings come in the form that the client asks for', async () => {
  // This client asks for base64 unless told otherwise, and decodes it.
  const input = ['one text', 'another text'];
  const coded = await client().embeddings.create({ model: VECTORS, input });
  const plain = await client().embeddings.create({ model: VECTORS, input, encoding_format: 'float' });
  assert.equal(coded.data.length, 2);
  assert.equal(coded.data[0].embedding.length, plain.data[0].embedding.length);
  plain.data[0].embedding.forEach((value, at) => {
    assert.ok(Math.abs(value - coded.data[0].embedding[at]) < 1e-6);
  });
});

test('responses answer, streamed or not', async () => {
  const whole = await client().responses.create({ model: WORDS, input: 'Say hello.' });
  assert.ok(whole.output_text);
  const events = await all(client().responses.create({ model: WORDS, input: 'Say hello.', stream: true }));
  assert.equal(events.at(-1).type, 'response.completed');
  const deltas = events.filter((event) => event.type === 'response.output_text.delta');
  assert.equal(deltas.map((event) => event.delta).join(''), whole.output_text);
});

test('models are listed', async () => {
  const ids = (await all(client().models.list())).map((model) => model.id);
  assert.ok(ids.includes(WORDS), ids.join(' '));
});

test('a bad key is an authentication error', async () => {
  await assert.rejects(
    client(BAD_KEY).chat.completions.create({ model: WORDS, messages }),
    (error) => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_api_key',
  );
});

test('an unknown model is not found', async () => {
  await assert.rejects(
    client().chat.completions.create({ model: UNKNOWN, messages }),
    (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found',
  );
});

test('messages that are no array are a bad request', async () => {
  await assert.rejects(
    client().chat.completions.create({ model: WORDS, messages: 'hello' }),
    (error) => error instanceof OpenAI.BadRequestError && error.code === 'invalid_parameters',
  );
});
