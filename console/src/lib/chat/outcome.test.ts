import { expect, it } from 'vitest'
import { newOutcome, withEvent } from './outcome'

const EVENTS = [
  '{"model":"m-2026","choices":[{"delta":{"role":"assistant","content":""}}],"usage":null}',
  '{"choices":[{"delta":{"reasoning":"hm"}}]}',
  '{"choices":[{"delta":{"content":"Hel"}}]}',
  '{"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}',
  '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":3,"completion_tokens":2,"cost_usd_total":0.01,"prompt_tokens_details":{"cached_tokens":1}},"metadata":{"used_model":"m-2026","used_provider":"openai","routing":[{"provider":"azure","model":"m","status_code":503,"error_type":"upstream_error"},{"provider":"openai","model":"m","status_code":200,"error_type":""}]}}',
  '[DONE]',
]

it('a stream becomes its text, its tokens, its cost and its route', () => {
  expect(EVENTS.reduce(withEvent, newOutcome())).toEqual({
    text: 'Hello',
    reasoning: 'hm',
    finishReason: 'stop',
    inputTokens: 3,
    outputTokens: 2,
    cachedTokens: 1,
    cost: 0.01,
    usedModel: 'm-2026',
    usedProvider: 'openai',
    trail: [
      { provider: 'azure', model: 'm', status: 503, errorType: 'upstream_error' },
      { provider: 'openai', model: 'm', status: 200, errorType: '' },
    ],
    error: null,
  })
})

it('an error within a stream is kept, with what came before it', () => {
  const events = [
    '{"choices":[{"delta":{"content":"Hel"}}]}',
    '{"error":{"message":"the vendor broke off"}}',
    'not json',
  ]
  expect(events.reduce(withEvent, newOutcome())).toMatchObject({ text: 'Hel', error: 'the vendor broke off' })
})
