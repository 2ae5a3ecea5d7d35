// Puts a brotli variant beside each text of the folder: `node compress-console.mjs <folder>`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const TEXTS = /\.(html|js|mjs|css|svg|json|txt|webmanifest)$/

const folder = process.argv[2]
if (!folder) throw new Error('name the folder')
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !TEXTS.test(entry.name)) continue
  const path = join(entry.parentPath ?? entry.path, entry.name)
  const plain = readFileSync(path)
  const params = {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
  }
  const compressed = brotliCompressSync(plain, { params })
  if (compressed.length < plain.length) writeFileSync(`${path}.br`, compressed)
}
