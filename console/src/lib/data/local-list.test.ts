import { describe, expect, it } from 'vitest'
import { viewOf, type Wanted } from './local-list'

interface Model {
  name: string
  cost: number | null
}

const MODELS: Model[] = [
  { name: 'gpt-4o', cost: 2.5 },
  { name: 'claude-10', cost: null },
  { name: 'claude-9', cost: 3 },
]

function view(wanted: Partial<Wanted<Model>>): string[] {
  const defaults = { search: '', textOf: (model: Model) => model.name, page: 1, pageSize: 10 }
  return viewOf(MODELS, { ...defaults, ...wanted }).rows.map((model) => model.name)
}

describe('a list that is held whole', () => {
  it('keeps its order where none is asked for', () => {
    expect(view({})).toEqual(['gpt-4o', 'claude-10', 'claude-9'])
  })

  it('is searched by every word, in any case', () => {
    expect(view({ search: 'CLAUDE 9' })).toEqual(['claude-9'])
    expect(view({ search: 'claude gpt' })).toEqual([])
  })

  it('is sorted as people count', () => {
    expect(view({ sortBy: (model) => model.name })).toEqual(['claude-9', 'claude-10', 'gpt-4o'])
  })

  it('has what is not known last, both ways', () => {
    expect(view({ sortBy: (model) => model.cost })).toEqual(['gpt-4o', 'claude-9', 'claude-10'])
    expect(view({ sortBy: (model) => model.cost, descending: true })).toEqual([
      'claude-9',
      'gpt-4o',
      'claude-10',
    ])
  })

  it('has as many pages as it needs, and one where it is empty', () => {
    const page = viewOf(MODELS, { search: '', page: 2, pageSize: 2 })
    expect(page).toMatchObject({ found: 3, pages: 2, page: 2 })
    expect(page.rows.map((model) => model.name)).toEqual(['claude-9'])
    expect(viewOf([], { search: '', page: 1, pageSize: 2 }).pages).toBe(1)
  })

  it('shows its last page when it has shrunk', () => {
    expect(viewOf(MODELS, { search: '', page: 9, pageSize: 2 }).page).toBe(2)
  })
})
