'use strict';

// Where the gateway is: BASE_URL (scheme, host, port) and KEY come from the environment.
const { BASE_URL, KEY } = process.env;

module.exports = {
  BASE_URL,
  KEY,
  WORDS: 'sandbox-small',
  VECTORS: 'sandbox-embedding',
  UNKNOWN: 'no-such-model',
  BAD_KEY: `bd-${'A'.repeat(38)}`,
};
