/** What a field of the catalogue is called, and what it is for. */
export interface FieldText {
  label: string
  hint?: string
  placeholder?: string
  lines?: number
}

const FIELDS: Record<string, FieldText> = {
  api_key: {
    label: 'API key',
    hint: "From the vendor's console. It is sealed at rest and never shown again.",
  },
  access_key_id: { label: 'AWS access key ID', placeholder: 'AKIA…' },
  secret_access_key: { label: 'AWS secret access key', hint: 'Sealed at rest and never shown again.' },
  session_token: {
    label: 'AWS session token',
    hint: 'Only for temporary credentials; they end when AWS says so.',
  },
  iam_role_arn: {
    label: 'IAM role ARN',
    hint: 'The role in your AWS account that the gateway assumes for each request.',
    placeholder: 'arn:aws:iam::123456789012:role/turnpike',
  },
  external_id: {
    label: 'External ID',
    hint: 'Part of the trust policy: it keeps others from using your role.',
  },
  client_email: { label: 'Service account e-mail', hint: '`client_email` in the downloaded JSON file.' },
  private_key: {
    label: 'Private key',
    hint: '`private_key` in the downloaded JSON file. Sealed at rest and never shown again.',
    placeholder: '-----BEGIN PRIVATE KEY-----',
    lines: 4,
  },
  token_uri: {
    label: 'Token URI',
    hint: 'Where tokens are fetched. Leave it empty unless Google told you another.',
  },
  target_service_account: {
    label: 'Service account to impersonate',
    hint: 'Grant the gateway’s identity the role Service Account Token Creator on it.',
    placeholder: 'vertex@my-project.iam.gserviceaccount.com',
  },
  project_id: { label: 'GCP project ID', placeholder: 'my-project' },
  location: { label: 'Vertex AI location', hint: 'A region, or `global`.' },
  region: {
    label: 'AWS region',
    hint: 'Where Bedrock is called. The models must be enabled there.',
    placeholder: 'us-east-1',
  },
  model_api_family: {
    label: 'API family',
    hint: 'Which of the vendor’s APIs reaches the models that you want.',
  },
  endpoint_mode: {
    label: 'Endpoint mode',
    hint: 'Deployments have a path each; v1 is one path, and the model names the deployment.',
  },
  api_version: { label: 'API version', hint: 'Sent as `api-version`.', placeholder: '2024-10-21' },
  base_models: {
    label: 'Models behind other names',
    hint: 'What deployments or profiles stand for, where their names do not tell it.',
    placeholder: 'prod-chat = gpt-5.2, small = gpt-5-mini',
  },
  dialects: { label: 'APIs that it speaks', hint: 'Others are translated into one of these.' },
}

export function fieldText(name: string): FieldText {
  return FIELDS[name] ?? { label: words(name) }
}

const AUTH: Record<string, { label: string; hint: string }> = {
  api_key: { label: 'API key', hint: 'One key that the vendor issued to you.' },
  oauth_passthrough: {
    label: 'The caller’s own OAuth token',
    hint: 'Nothing is stored: each developer’s Claude subscription pays for their own requests.',
  },
  aws_role: {
    label: 'IAM role',
    hint: 'Recommended: the gateway assumes a role in your account; no secret is stored.',
  },
  aws_keys: { label: 'Static AWS keys', hint: 'For pilots, or where no role can be granted.' },
  bedrock_api_key: { label: 'Bedrock API key', hint: 'A key that the Bedrock console issued.' },
  google_adc: {
    label: 'The gateway’s own Google identity',
    hint: 'Grant it the role Vertex AI User on your project. There is nothing to paste.',
  },
  google_service_account: {
    label: 'Service account key',
    hint: 'For pilots: a key that was downloaded as JSON.',
  },
  google_impersonation: {
    label: 'Service account impersonation',
    hint: 'Recommended: the gateway acts as a service account of yours; no secret is stored.',
  },
}

export function authText(authType: string): { label: string; hint: string } {
  return AUTH[authType] ?? { label: words(authType), hint: '' }
}

const VALUES: Record<string, string> = {
  vertex_gemini: 'Gemini generateContent',
  anthropic_messages: 'Claude / Anthropic Messages',
  bedrock_converse: 'Bedrock Converse',
  deployment: 'Deployments',
  v1: 'v1',
  chat_completions: 'Chat completions',
  responses: 'Responses',
  completions: 'Completions (legacy)',
  embeddings: 'Embeddings',
  messages: 'Messages',
  count_tokens: 'Token counting',
}

export function valueText(value: string): string {
  return VALUES[value] ?? value
}

const VENDORS: Record<string, string> = {
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  azure_openai: 'Azure OpenAI',
  google_ai: 'Google AI Studio',
  bedrock: 'Amazon Bedrock',
  vertex: 'Google Vertex AI',
  groq: 'Groq',
  together: 'Together AI',
  mistral: 'Mistral AI',
  cohere: 'Cohere',
  xai: 'xAI',
  fireworks: 'Fireworks AI',
  perplexity: 'Perplexity',
  openrouter: 'OpenRouter',
  deepseek: 'DeepSeek',
  cerebras: 'Cerebras',
  custom: 'Custom',
  sandbox: 'Sandbox (simulated)',
}

export function vendorName(slug: string): string {
  return VENDORS[slug] ?? words(slug)
}

function words(name: string): string {
  const text = name.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
