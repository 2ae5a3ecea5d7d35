'use strict';

// A gateway before the mock vendors: BASE_URL (scheme, host, port) and KEY come from the environment.
// Each vendor is reached by an alias of its own; what the mocks say and count is in
// tests/it/support/mock/dialects.
const { test } = require('node:test');
const { BASE_URL, KEY } = process.env;

const TEXT = 'Hello from the mock.';
// One for each format that vendors speak, and then the places where two of them are spoken, too.
const FORMATS = ['openai', 'anthropic', 'gemini', 'bedrock'];
const VENDORS = [...FORMATS, 'vertex', 'vertex-claude', 'bedrock-claude'];
// Tokens: all of the prompt, those read from the cache and written to it, the answer's.
const GEMINI = [21, 5, 0, 9];
const CLAUDE = [36, 6, 5, 15];

module.exports = {
  BASE_URL,
  KEY,
  FORMATS,
  TEXT,
  VENDORS,
  BAD_KEY: `bd-${'A'.repeat(38)}`,
  CITY: 'Zürich 🏔',
  SCHEMA: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  // Two of the mocks say something else in streams, to have letters of several bytes.
  STREAMED: {
    openai: 'Hello wörld 🌍.',
    anthropic: 'Hello wörld',
    gemini: TEXT,
    bedrock: TEXT,
    vertex: TEXT,
    'vertex-claude': 'Hello wörld',
    'bedrock-claude': 'Hello wörld',
  },
  USAGE: {
    openai: [19, 4, 0, 10],
    anthropic: CLAUDE,
    gemini: GEMINI,
    bedrock: [23, 0, 0, 11],
    vertex: GEMINI,
    'vertex-claude': CLAUDE,
    'bedrock-claude': CLAUDE,
  },
  model: (vendor) => `on-${vendor}`,
  onEach: (name, run, vendors = VENDORS) =>
    vendors.forEach((vendor) => test(`${name}: ${vendor}`, () => run(vendor))),
};
