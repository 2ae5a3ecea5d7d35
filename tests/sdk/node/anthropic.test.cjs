'use strict';

// Anthropic's official Node client against a gateway.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const Anthropic = require('@anthropic-ai/sdk');
const { BASE_URL, BAD_KEY, KEY, UNKNOWN, WORDS } = require('./gateway.cjs');

const ask = {
  model: WORDS,
  max_tokens: 200,
  messages: [{ role: 'user', content: 'Say hello to the gateway.' }],
};
const client = (apiKey = KEY) =>
  new Anthropic({ baseURL: BASE_URL, apiKey, maxRetries: 0, timeout: 30_000 });

test('a message has text and usage', async () => {
  const answer = await client().messages.create(ask);
  assert.ok(answer.content[0].text);
  assert.equal(answer.stop_reason, 'end_turn');
  assert.ok(answer.usage.output_tokens > 0);
});

test('a streamed message is the answer in pieces', async () => {
  const whole = await client().messages.create(ask);
  const final = await client().messages.stream(ask).finalMessage();
  assert.equal(final.content[0].text, whole.content[0].text);
  assert.deepEqual(final.usage.output_tokens, whole.usage.output_tokens);
});

test('a tool call passes', async () => {
  const answer = await client().messages.create({
    ...ask,
    messages: [{ role: 'user', content: 'Use get_weather for Bern.' }],
    tools: [{
      name: 'get_weather',
      input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    }],
    tool_choice: { type: 'tool', name: 'get_weather' },
  });
  assert.equal(answer.stop_reason, 'tool_use');
  const call = answer.content.find((block) => block.type === 'tool_use');
  assert.ok('city' in call.input);
});

test('tokens are counted', async () => {
  const { model, messages } = ask;
  const count = await client().messages.countTokens({ model, messages });
  assert.ok(count.input_tokens > 0);
});

test('a bad key is an authentication error', async () => {
  await assert.rejects(client(BAD_KEY).messages.create(ask), Anthropic.AuthenticationError);
});

test('an unknown model is not found', async () => {
  await assert.rejects(
    client().messages.create({ ...ask, model: UNKNOWN }),
    (error) => error instanceof Anthropic.NotFoundError && Boolean(error.requestID),
  );
});

test('messages that are no array are a bad request', async () => {
  await assert.rejects(
    client().messages.create({ ...ask, messages: 'hello' }),
    Anthropic.BadRequestError,
  );
});
