import { expect, it } from 'vitest'
import { mayActAs } from './types'

it('each role may do what the ones before it may', () => {
  expect(mayActAs('user', 'user')).toBe(true)
  expect(mayActAs('user', 'admin')).toBe(false)
  expect(mayActAs('admin', 'user')).toBe(true)
  expect(mayActAs('admin', 'superadmin')).toBe(false)
  expect(mayActAs('superadmin', 'admin')).toBe(true)
})
