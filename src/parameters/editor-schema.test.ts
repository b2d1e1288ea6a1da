import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv} from 'ajv'
import type {AnySchemaObject} from 'ajv'
import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {editorSchema} from './editor-schema.ts'
import {keysOf, shapeAt} from './shape.ts'
import type {Shape} from './shape.ts'

const schema = JSON.parse(editorSchema()) as Shape & AnySchemaObject
const validate = new Ajv({allErrors: true, allowUnionTypes: true}).compile(schema)
const fixtures = 'fixtures/parameters'

describe('the schema that editors use', () => {
  it('names itself, and a draft that every editor knows', () => {
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      $id: 'urn:gms-proxy:parameters',
      additionalProperties: false,
    })
  })

  it.each(readdirSync(fixtures))('accepts %s', name => {
    expect(validate(parse(readFileSync(join(fixtures, name), 'utf8'))), JSON.stringify(validate.errors)).toBe(true)
  })

  it.each([
    'upstream: {nodes: []}',
    'upstream: {nodes: [gms1]}',
    'upstream: {nodes: [{host: gms1}]}',
    'upstream: {nodes: [{host: gms1, port: 8080, weigth: 2}]}',
    'upstream: {nodes: ["gms1:8080"], keepalive: 5s}',
    'polling: {hold: 30}',
    'polling: {hold: 30 seconds}',
    'upload: {maxFileSize: 10 megabytes}',
    'affinity: {mode: cooki}',
    'affinity: {cookie: "a;b"}',
    'listener: {prot: 80}',
    'listener: [{port: 0}]',
    'listener: {serverNames: chat.example.com}',
    'tls: {certificate: chat.pem}',
    'tls: []',
    'access: {paths: [genesys]}',
    'health: {auth: secret}',
    'limits: {chats: many}',
    'version: 1.22',
    'proxy: caddy',
    'hold: 30s',
  ])('does not accept %s', text => {
    const value = parse(text) as Record<string, unknown>
    expect(validate({upstream: {nodes: ['gms1:8080']}, ...value})).toBe(false)
  })

  it('describes every key, with a default or an example where a person would ask for one', () => {
    const lacking: string[] = []
    const walk = (shape: Shape, path: string) => {
      for (const [key, inner] of Object.entries(shape.properties ?? {})) {
        const here = path === '' ? key : `${path}.${key}`
        if (inner.description === undefined) lacking.push(`${here}: description`)
        const known = inner.default ?? inner.examples ?? inner.enum
        const item = inner.items?.examples ?? inner.items?.anyOf?.flatMap(({examples}) => examples ?? [])
        if (known === undefined && item === undefined && keysOf(inner).length === 0 && key !== '$schema') lacking.push(`${here}: example`)
        walk(inner, here)
      }
      for (const alternative of [...(shape.anyOf ?? []), ...(shape.items ? [shape.items] : [])]) walk(alternative, path)
    }
    walk(schema, '')
    expect(lacking).toEqual([])
  })

  it.each([
    ['listener', 'serverNames'],
    ['tls', 'certificate'],
    ['upstream.nodes', 'weight'],
    ['upstream.tls', 'authority'],
    ['snippets.haproxy', 'backend'],
  ])('completes %s, as an object and in a list', (path, key) => {
    expect(keysOf(shapeAt(schema, path.split('.')) ?? {})).toContain(key)
    expect(shapeAt(schema, [...path.split('.'), key])?.description).toMatch(/\S/)
  })
})
