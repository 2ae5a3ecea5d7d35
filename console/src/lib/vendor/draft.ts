import type { AuthType, CatalogAuthType, CatalogField, ModelProvider, ProviderTemplate } from '$lib/api/types'

/** What a form says of how a vendor is reached, before it is sent. */
export interface VendorDraft {
  template: ProviderTemplate
  authType: string
  baseUrl: string
  /** Parts of the credential, by their names. */
  credential: Record<string, string>
  /** Settings, by their names; several values are separated by commas, names from values by `=`. */
  settings: Record<string, string>
}

/** The part of a request that both credentials and providers have. */
export interface VendorRequest {
  model_provider: ModelProvider
  auth_type: AuthType
  base_url?: string
  api_key?: string
  credentials?: Record<string, string>
  settings?: Record<string, SettingValue>
}

type SettingValue = string | string[] | Record<string, string>

const LISTS = new Set(['dialects'])
const MAPS = new Set(['base_models'])

/** A draft for `template`; `known` are the settings of what is edited. */
export function draftOf(template: ProviderTemplate, known?: Known): VendorDraft {
  const authType = known?.auth_type ?? template.auth_types[0]?.auth_type ?? 'api_key'
  const settings = textsOf(known?.settings ?? {})
  const auth = authOf(template, authType)
  return {
    template,
    authType,
    baseUrl: known?.base_url ?? '',
    credential: Object.fromEntries(
      (auth?.fields ?? []).map((field) => [field.name, settings[field.name] ?? '']),
    ),
    settings: Object.fromEntries(
      template.settings.map((field) => [field.name, settings[field.name] ?? field.default ?? '']),
    ),
  }
}

interface Known {
  auth_type: string
  base_url: string
  settings: unknown
}

/** What is being edited may be of a template under a vendor's name only. */
export function templateFor(
  templates: ProviderTemplate[],
  wanted: { catalog_id?: string | null; model_provider: string; auth_type: string },
): ProviderTemplate | undefined {
  return (
    templates.find((template) => template.id === wanted.catalog_id) ??
    templates.find(
      (template) => template.model_provider === wanted.model_provider && authOf(template, wanted.auth_type),
    ) ??
    templates.find((template) => template.model_provider === wanted.model_provider)
  )
}

export function authOf(template: ProviderTemplate, authType: string): CatalogAuthType | undefined {
  return template.auth_types.find((auth) => auth.auth_type === authType)
}

/** The fields that have to be filled in and are not. An edit may leave secrets as they are. */
export function missingIn(draft: VendorDraft, isEdit: boolean): string[] {
  const lacks = (values: Record<string, string>) => (field: CatalogField) =>
    field.required && !values[field.name]?.trim()
  const secrets = authOf(draft.template, draft.authType)?.fields ?? []
  const missing = draft.template.settings.filter(lacks(draft.settings))
  const needed = isEdit ? secrets.filter((field) => !field.secret) : secrets
  if (!isEdit || touched(draft)) missing.push(...needed.filter(lacks(draft.credential)))
  const names = missing.map((field) => field.name)
  if (draft.template.base_url === null && !draft.baseUrl.trim()) names.push('base_url')
  return names
}

/** Whether any part of the credential was given. */
function touched(draft: VendorDraft): boolean {
  return Object.values(draft.credential).some((value) => value.trim() !== '')
}

export function requestOf(draft: VendorDraft): VendorRequest {
  const wanted = new Set(authOf(draft.template, draft.authType)?.fields.map((field) => field.name))
  const credential = Object.fromEntries(
    Object.entries(filled(draft.credential)).filter(([name]) => wanted.has(name)),
  )
  const { api_key: apiKey, ...parts } = credential
  const settings = Object.entries(filled(draft.settings)).map(([name, value]) => [name, valueOf(name, value)])
  return {
    model_provider: draft.template.model_provider,
    auth_type: draft.authType as AuthType,
    ...(draft.baseUrl.trim() ? { base_url: draft.baseUrl.trim() } : {}),
    ...(apiKey ? { api_key: apiKey } : {}),
    ...(Object.keys(parts).length > 0 ? { credentials: parts } : {}),
    ...(settings.length > 0
      ? { settings: Object.fromEntries(settings) as Record<string, SettingValue> }
      : {}),
  }
}

function filled(values: Record<string, string>): Record<string, string> {
  const given = Object.entries(values).map(([name, value]) => [name, value.trim()] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== ''))
}

function textsOf(settings: unknown): Record<string, string> {
  if (typeof settings !== 'object' || settings === null) return {}
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, textOf(value)]))
}

function valueOf(name: string, text: string): SettingValue {
  if (LISTS.has(name)) return text.split(',')
  if (!MAPS.has(name)) return text
  const pairs = text.split(',').map((pair) => pair.split('=').map((side) => side.trim()))
  return Object.fromEntries(pairs.map(([key, value]) => [key ?? '', value ?? '']))
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (typeof value !== 'object' || value === null) return String(value ?? '')
  const pairs = Object.entries(value as Record<string, string>)
  return pairs.map(([key, named]) => `${key} = ${named}`).join(', ')
}

/** The policy that lets the gateway assume a role: pasted into AWS as it is. */
export function trustPolicy(principalArn: string, externalId: string): string {
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: principalArn },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': externalId } },
        },
      ],
    },
    null,
    2,
  )
}

/** An external id that nobody can guess. */
export function newExternalId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `turnpike-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
