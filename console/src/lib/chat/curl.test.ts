import { expect, it } from 'vitest'
import { curlOf } from './curl'

it('the command has the address and the body, and survives apostrophes', () => {
  const command = curlOf(
    { model: 'm', stream: true, messages: [{ role: 'user', content: "It's me" }] },
    'https://llm.example.com/api/llm-gateway',
  )
  expect(command).toContain('curl -N https://llm.example.com/api/llm-gateway/v1/chat/completions')
  expect(command).toContain(`"content": "It'\\''s me"`)
  expect(command).toContain('Bearer $TURNPIKE_KEY')
})
