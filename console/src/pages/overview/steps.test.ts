import { expect, it } from 'vitest'
import { stepsFor } from './steps'

const NOTHING = { isAdmin: true, providers: 0, models: 0, keys: 0, hasUsage: false }

it('an admin sets up, then uses', () => {
  expect(stepsFor(NOTHING).map((step) => step.title)).toEqual([
    'Add a provider',
    'Enable its models',
    'Try a model',
    'Create your key',
  ])
})

it('others only use', () => {
  expect(stepsFor({ ...NOTHING, isAdmin: false }).map((step) => step.title)).toEqual([
    'Try a model',
    'Create your key',
  ])
})

it('what there is already is done', () => {
  const done = stepsFor({ isAdmin: true, providers: 1, models: 3, keys: 1, hasUsage: true })
  expect(done.every((step) => step.isDone)).toBe(true)
})
