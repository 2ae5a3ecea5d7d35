'use strict';

// OpenAI's official Node client against every vendor behind the gateway.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const OpenAI = require('openai');
const {
  BAD_KEY, BASE_URL, CITY, KEY, SCHEMA, STREAMED, TEXT, USAGE, VENDORS, model, onEach,
} = require('./gateway.cjs');

const messages = [{ role: 'user', content: 'Say hello.' }];
const tools = [{ type: 'function', function: { name: 'get_weather', parameters: SCHEMA } }];
const client = (apiKey = KEY) =>
  new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });
const chat = (vendor, fields = {}) =>
  client().chat.completions.create({ model: model(vendor), messages, ...fields });

async function all(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

onEach('an answer has text and usage', async (vendor) => {
  const { choices, usage } = await chat(vendor);
  assert.equal(choices[0].message.content, TEXT);
  assert.equal(choices[0].finish_reason, 'stop');
  assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [USAGE[vendor][0], USAGE[vendor][3]]);
});

onEach('a stream has text and usage', async (vendor) => {
  const chunks = await all(chat(vendor, { stream: true, stream_options: { include_usage: true } }));
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
  assert.equal(text, STREAMED[vendor]);
  const [usage, ...more] = chunks.map((chunk) => chunk.usage).filter(Boolean);
  assert.deepEqual(more, []);
  assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [USAGE[vendor][0], USAGE[vendor][3]]);
});

onEach('a tool is called and its result answered, streamed and not', async (vendor) => {
  const streamed = client().chat.completions.stream({ model: model(vendor), messages, tools });
  for (const answer of [await chat(vendor, { tools }), await streamed.finalChatCompletion()]) {
    const { message } = answer.choices[0];
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: CITY });
    const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '12 degrees' };
    const followed = await chat(vendor, { tools, messages: [...messages, message, result] });
    assert.equal(followed.choices[0].message.content, TEXT);
  }
});

onEach('a streamed response is whole at its end', async (vendor) => {
  if (vendor === 'openai') return; // OpenAI's own stream passes unchanged.
  const stream = client().responses.stream({ model: model(vendor), input: 'Say hello.' });
  const final = await stream.finalResponse();
  assert.equal(final.status, 'completed');
  assert.equal(final.output_text, STREAMED[vendor]);
  assert.equal(final.usage.output_tokens, USAGE[vendor][3]);
});

onEach('an error raises the class of its status', async (vendor) => {
  const classes = {
    400: OpenAI.BadRequestError,
    404: OpenAI.NotFoundError,
    429: OpenAI.RateLimitError,
    503: OpenAI.InternalServerError,
  };
  for (const [status, kind] of Object.entries(classes)) {
    const words = [{ role: 'user', content: `answer with status ${status}` }];
    for (const stream of [false, true]) {
      await assert.rejects(chat(vendor, { messages: words, stream }), kind);
    }
  }
});

test('a bad key is an authentication error', async () => {
  const asked = client(BAD_KEY).chat.completions.create({ model: model(VENDORS[2]), messages });
  await assert.rejects(asked, OpenAI.AuthenticationError);
});
