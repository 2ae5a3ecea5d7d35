/** A program, and what to put into it so that it uses the gateway. */
export interface Setup {
  value: string
  text: string
  /** What to know before. */
  about: string
  blocks: { what: string; code: string }[]
}

export interface Place {
  /** Where OpenAI's clients go, with `/v1`. */
  openai: string
  /** Where Anthropic's clients go, without. */
  anthropic: string
}

/** The addresses of a gateway at `origin`. */
export function placeOf(origin: string): Place {
  const root = origin.replace(/\/+$/, '')
  return { openai: `${root}/v1`, anthropic: root }
}

/** Ready to copy: only the key has to be filled in, from `TURNPIKE_KEY` or in its place. */
export function setups(place: Place, model: string, key = 'bd-…'): Setup[] {
  return [
    claudeCode(place, key),
    claudeCodeOauth(place, model, key),
    cursor(place, model, key),
    openaiPython(place, model),
    openaiNode(place, model),
    anthropicPython(place, model),
    langchain(place, model),
    curl(place, model, key),
  ]
}

function claudeCode(place: Place, key: string): Setup {
  return {
    value: 'claude-code',
    text: 'Claude Code',
    about:
      'With a key of the gateway; the organization’s Anthropic credential pays. Leave ANTHROPIC_API_KEY and ANTHROPIC_CUSTOM_HEADERS unset.',
    blocks: [
      {
        what: 'Shell',
        code: `export ANTHROPIC_BASE_URL="${place.anthropic}"\nexport ANTHROPIC_AUTH_TOKEN="${key}"\nclaude`,
      },
      { what: 'Check what is set', code: "env | grep -E '^ANTHROPIC_|^CLAUDE_CODE_'" },
    ],
  }
}

function claudeCodeOauth(place: Place, model: string, key: string): Setup {
  return {
    value: 'claude-code-oauth',
    text: 'Claude Code (subscription)',
    about:
      'With your own Claude subscription: sign in to Claude Code first, and your administrator needs a provider of the kind “Anthropic (the caller’s own OAuth token)”. Choose a model whose first route is that provider, and leave ANTHROPIC_AUTH_TOKEN and ANTHROPIC_API_KEY unset.',
    blocks: [
      {
        what: 'Shell',
        code: `export ANTHROPIC_BASE_URL="${place.anthropic}"\nexport ANTHROPIC_CUSTOM_HEADERS="x-api-key: ${key}"\nexport ANTHROPIC_DEFAULT_OPUS_MODEL="${model}"\nclaude`,
      },
      { what: 'Check what is set', code: "env | grep -E '^ANTHROPIC_|^CLAUDE_CODE_'" },
    ],
  }
}

function cursor(place: Place, model: string, key: string): Setup {
  return {
    value: 'cursor',
    text: 'Cursor',
    about:
      'Settings → Models → OpenAI API Key: turn on the custom key and “Override OpenAI Base URL”, then add the models by name.',
    blocks: [
      { what: 'Base URL', code: place.openai },
      { what: 'API key', code: key },
      { what: 'Model', code: model },
    ],
  }
}

function openaiPython(place: Place, model: string): Setup {
  return {
    value: 'openai-python',
    text: 'OpenAI SDK (Python)',
    about: 'Streaming, tools, embeddings and Responses work as against OpenAI.',
    blocks: [
      {
        what: 'Python',
        code: `import os
from openai import OpenAI

client = OpenAI(base_url="${place.openai}", api_key=os.environ["TURNPIKE_KEY"])

response = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Say hello"}],
)
print(response.choices[0].message.content)`,
      },
    ],
  }
}

function openaiNode(place: Place, model: string): Setup {
  return {
    value: 'openai-node',
    text: 'OpenAI SDK (TypeScript)',
    about: 'Streaming, tools, embeddings and Responses work as against OpenAI.',
    blocks: [
      {
        what: 'TypeScript',
        code: `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${place.openai}",
  apiKey: process.env.TURNPIKE_KEY,
});

const response = await client.chat.completions.create({
  model: "${model}",
  messages: [{ role: "user", content: "Say hello" }],
});
console.log(response.choices[0]?.message?.content);`,
      },
    ],
  }
}

function anthropicPython(place: Place, model: string): Setup {
  return {
    value: 'anthropic',
    text: 'Anthropic SDK',
    about: 'The SDK adds /v1/messages itself, so the address is without /v1.',
    blocks: [
      {
        what: 'Python',
        code: `import os
import anthropic

client = anthropic.Anthropic(base_url="${place.anthropic}", api_key=os.environ["TURNPIKE_KEY"])

message = client.messages.create(
    model="${model}",
    max_tokens=256,
    messages=[{"role": "user", "content": "Say hello"}],
)
print(message.content[0].text)`,
      },
    ],
  }
}

function langchain(place: Place, model: string): Setup {
  return {
    value: 'langchain',
    text: 'LangChain',
    about: 'ChatAnthropic takes the address without /v1 as anthropic_api_url.',
    blocks: [
      {
        what: 'Python',
        code: `import os
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(
    model="${model}",
    base_url="${place.openai}",
    api_key=os.environ["TURNPIKE_KEY"],
)
print(llm.invoke("Say hello").content)`,
      },
    ],
  }
}

function curl(place: Place, model: string, key: string): Setup {
  return {
    value: 'curl',
    text: 'curl',
    about: 'OpenAI’s API, and Anthropic’s at the same address.',
    blocks: [
      {
        what: 'Chat completion, streamed',
        code: `curl -N ${place.openai}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "stream": true, "messages": [{"role": "user", "content": "Say hello"}]}'`,
      },
      {
        what: 'Messages',
        code: `curl ${place.anthropic}/v1/messages \\
  -H "x-api-key: ${key}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "max_tokens": 256, "messages": [{"role": "user", "content": "Say hello"}]}'`,
      },
    ],
  }
}
