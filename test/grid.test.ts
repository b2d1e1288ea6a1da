import {existsSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {CONCERNS, PROXY_NAMES} from '../src/model/catalogue.ts'

const templates = join(dirname(fileURLToPath(import.meta.url)), '../templates')

describe('the grid', () => {
  for (const proxy of PROXY_NAMES)
    it.each(CONCERNS)(`${proxy} × %s is a partial`, concern => {
      expect(existsSync(join(templates, proxy, 'partials', `${concern}.hbs`)), `templates/${proxy}/partials/${concern}.hbs`).toBe(true)
    })
})
