'use strict';

// Vercel's AI SDK against every format behind the gateway, through each of its two providers.

const assert = require('node:assert/strict');
const { generateText, stepCountIs, streamText, tool } = require('ai');
const { createAnthropic } = require('@ai-sdk/anthropic');
const { createOpenAI } = require('@ai-sdk/openai');
const { z } = require('zod');
const { BASE_URL, CITY, FORMATS, KEY, STREAMED, TEXT, USAGE, model, onEach } = require('./gateway.cjs');

const baseURL = `${BASE_URL}/v1`;
const anthropic = createAnthropic({ baseURL, apiKey: KEY });
const openai = createOpenAI({ baseURL, apiKey: KEY });
const ways = { openai: (name) => openai.chat(name), anthropic };

for (const [way, make] of Object.entries(ways)) {
  const ask = (vendor, fields) => ({ model: make(model(vendor)), maxRetries: 0, prompt: 'Say hello.', ...fields });

  onEach(`text and usage by ${way}`, async (vendor) => {
    const { text, usage } = await generateText(ask(vendor));
    assert.equal(text, TEXT);
    assert.equal(usage.outputTokens, USAGE[vendor][3]);
  }, FORMATS);

  onEach(`a stream by ${way}`, async (vendor) => {
    const stream = streamText({ ...ask(vendor), onError: () => {} });
    const pieces = [];
    for await (const piece of stream.textStream) pieces.push(piece);
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join(''), STREAMED[vendor]);
    assert.equal(await stream.finishReason, 'stop');
  }, FORMATS);

  onEach(`a tool loop by ${way}`, async (vendor) => {
    const cities = [];
    const weather = tool({
      description: 'The weather of a city',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        cities.push(city);
        return '12 degrees';
      },
    });
    const loop = { tools: { get_weather: weather }, stopWhen: stepCountIs(3) };
    const { text, steps } = await generateText(ask(vendor, loop));
    assert.deepEqual(cities, [CITY]);
    assert.equal(steps.length, 2);
    assert.equal(text, TEXT);
  }, FORMATS);
}
