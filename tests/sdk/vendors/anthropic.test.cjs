'use strict';

// Anthropic's official Node client against every vendor behind the gateway.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const Anthropic = require('@anthropic-ai/sdk');
const {
  BAD_KEY, BASE_URL, CITY, KEY, SCHEMA, STREAMED, TEXT, USAGE, VENDORS, model, onEach,
} = require('./gateway.cjs');

const messages = [{ role: 'user', content: 'Say hello.' }];
const tools = [{ name: 'get_weather', input_schema: SCHEMA }];
const client = (apiKey = KEY) =>
  new Anthropic({ baseURL: BASE_URL, apiKey, maxRetries: 0, timeout: 30_000 });
const request = (vendor, fields = {}) => ({ model: model(vendor), max_tokens: 200, messages, ...fields });
const ask = (vendor, fields) => client().messages.create(request(vendor, fields));

function isCounted(usage, vendor) {
  const [prompt, read, written, output] = USAGE[vendor];
  assert.equal(usage.input_tokens, prompt - read - written);
  assert.equal(usage.cache_read_input_tokens ?? 0, read);
  assert.equal(usage.output_tokens, output);
}

onEach('an answer has text and usage', async (vendor) => {
  const answer = await ask(vendor);
  assert.equal(answer.content[0].text, TEXT);
  assert.equal(answer.stop_reason, 'end_turn');
  isCounted(answer.usage, vendor);
});

onEach('a stream has text and usage', async (vendor) => {
  const final = await client().messages.stream(request(vendor)).finalMessage();
  assert.equal(final.content[0].text, STREAMED[vendor]);
  assert.equal(final.stop_reason, 'end_turn');
  isCounted(final.usage, vendor);
});

onEach('a tool is called and its result answered, streamed and not', async (vendor) => {
  const streamed = client().messages.stream(request(vendor, { tools }));
  for (const answer of [await ask(vendor, { tools }), await streamed.finalMessage()]) {
    assert.equal(answer.stop_reason, 'tool_use');
    const call = answer.content.find((block) => block.type === 'tool_use');
    assert.deepEqual(call.input, { city: CITY });
    const result = { type: 'tool_result', tool_use_id: call.id, content: '12 degrees' };
    const history = [
      ...messages,
      { role: 'assistant', content: answer.content },
      { role: 'user', content: [result] },
    ];
    const followed = await ask(vendor, { tools, messages: history });
    assert.equal(followed.content[0].text, TEXT);
  }
});

onEach('an error raises the class of its status', async (vendor) => {
  const classes = {
    400: Anthropic.BadRequestError,
    404: Anthropic.NotFoundError,
    429: Anthropic.RateLimitError,
    503: Anthropic.InternalServerError,
  };
  for (const [status, kind] of Object.entries(classes)) {
    const words = [{ role: 'user', content: `answer with status ${status}` }];
    for (const stream of [false, true]) {
      await assert.rejects(ask(vendor, { messages: words, stream }), kind);
    }
  }
});

test('a bad key is an authentication error', async () => {
  const asked = client(BAD_KEY).messages.create(request(VENDORS[2]));
  await assert.rejects(asked, Anthropic.AuthenticationError);
});
