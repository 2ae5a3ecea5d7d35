import { defineConfig } from '@playwright/test'
import tests from './playwright.config.ts'

// What is measured and not tested: one at a time, and nothing beside it.
export default defineConfig(tests, { testMatch: '*.bench.ts', workers: 1, timeout: 300_000 })
