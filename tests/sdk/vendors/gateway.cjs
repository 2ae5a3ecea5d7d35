'use strict';

// A gateway before the mock vendors: BASE_URL (scheme, host, port) and KEY come from the environment.
// Each vendor is reached by an alias of its own; what the mocks say and count is in
// tests/it/support/mock/dialects.
const { test } = require('node:test');
const { BASE_URL, KEY } = process.env;

const TEXT = 'Hello from the mock.';
const VENDORS = ['openai', 'anthropic', 'gemini', 'bedrock'];

module.exports = {
  BASE_URL,
  KEY,
  TEXT,
  VENDORS,
  BAD_KEY: `bd-${'A'.repeat(38)}`,
  CITY: 'Zürich 🏔',
  SCHEMA: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  // Two of the mocks say something else in streams, to have letters of several bytes.
  STREAMED: { openai: 'Hello wörld 🌍.', anthropic: 'Hello wörld', gemini: TEXT, bedrock: TEXT },
  // Tokens: all of the prompt, those read from the cache and written to it, the answer's.
  USAGE: {
    openai: [19, 4, 0, 10],
    anthropic: [36, 6, 5, 15],
    gemini: [21, 5, 0, 9],
    bedrock: [23, 0, 0, 11],
  },
  model: (vendor) => `on-${vendor}`,
  onEach: (name, run) => VENDORS.forEach((vendor) => test(`${name}: ${vendor}`, () => run(vendor))),
};
