import type { PreviewSmartModelResult } from '$lib/api/types'
import { count } from '$lib/format/numbers'

/** Why a preview leads where it leads. Slots are counted from 1, as on the form. */
export function decisionText({ decision }: Pick<PreviewSmartModelResult, 'decision'>): string {
  const tokens = `${decision.token_count_estimated ? 'About ' : ''}${count(decision.token_count)} tokens`
  const floor = decision.floor_slot + 1
  const fallback = decision.default_slot_on_failure + 1
  const why =
    floor > fallback
      ? `its length asks for slot ${floor} at least`
      : `its length asks for slot ${floor} at least, and slot ${fallback} is taken where the choice fails`
  return `${tokens}: ${why}. In earnest, the model that decides may choose a higher slot than ${floor}.`
}
