import { describe, expect, it } from 'vitest'
import { placeOf, setups } from './setups'

const PLACE = placeOf('https://llm.example.com/api/llm-gateway/')

function codeOf(value: string): string {
  const setup = setups(PLACE, 'claude-sonnet-4-5', 'bd-abc').find((each) => each.value === value)
  return (setup?.blocks ?? []).map((block) => block.code).join('\n')
}

describe('what is copied into a program', () => {
  it('has the real address: with /v1 for OpenAI’s clients, without for Anthropic’s', () => {
    expect(codeOf('openai-python')).toContain('base_url="https://llm.example.com/api/llm-gateway/v1"')
    expect(codeOf('openai-node')).toContain('baseURL: "https://llm.example.com/api/llm-gateway/v1"')
    expect(codeOf('langchain')).toContain('base_url="https://llm.example.com/api/llm-gateway/v1"')
    expect(codeOf('anthropic')).toContain('base_url="https://llm.example.com/api/llm-gateway"')
    expect(codeOf('cursor')).toContain('https://llm.example.com/api/llm-gateway/v1')
  })

  it('sets up Claude Code with a key, or with a subscription', () => {
    expect(codeOf('claude-code')).toContain('export ANTHROPIC_AUTH_TOKEN="bd-abc"')
    expect(codeOf('claude-code-oauth')).toContain('export ANTHROPIC_CUSTOM_HEADERS="x-api-key: bd-abc"')
    expect(codeOf('claude-code-oauth')).not.toContain('ANTHROPIC_AUTH_TOKEN')
    for (const mode of ['claude-code', 'claude-code-oauth']) {
      expect(codeOf(mode)).toContain('ANTHROPIC_BASE_URL="https://llm.example.com/api/llm-gateway"')
    }
  })

  it('is curl that works as pasted', () => {
    expect(codeOf('curl')).toContain('curl -N https://llm.example.com/api/llm-gateway/v1/chat/completions')
    expect(codeOf('curl')).toContain('"model": "claude-sonnet-4-5"')
  })
})
