import { expect, it } from 'vitest'
import type { PreviewSmartModelResult } from '$lib/api/types'
import { decisionText } from './decision'

const decision = (changes: object) =>
  ({
    decision: {
      token_count: 13,
      token_count_estimated: true,
      floor_slot: 0,
      default_slot_on_failure: 1,
      ...changes,
    },
  }) as Pick<PreviewSmartModelResult, 'decision'>

it('a short request goes to the slot of failures, as no model is asked', () => {
  expect(decisionText(decision({}))).toBe(
    'About 13 tokens: its length asks for slot 1 at least, and slot 2 is taken where the choice fails. In earnest, the model that decides may choose a higher slot than 1.',
  )
})

it('a long request goes where its length leads', () => {
  expect(
    decisionText(decision({ token_count: 600_000, token_count_estimated: false, floor_slot: 2 })),
  ).toContain('600,000 tokens: its length asks for slot 3 at least.')
})
