import type {Command} from '@oclif/core/command'

type Verb = () => Promise<{default: Command.Class}>

/** Every verb, loaded only when it is asked for. The order is the order of help. */
export const VERBS: Readonly<Record<string, Verb>> = {
  init: () => import('../commands/init.ts'),
  verify: () => import('../commands/verify.ts'),
  lint: () => import('../commands/lint.ts'),
  diagnose: () => import('../commands/diagnose.ts'),
  fix: () => import('../commands/fix.ts'),
  import: () => import('../commands/import.ts'),
  render: () => import('../commands/render.ts'),
  simulate: () => import('../commands/simulate.ts'),
  explain: () => import('../commands/explain.ts'),
  schema: () => import('../commands/schema.ts'),
  doctor: () => import('../commands/doctor.ts'),
}
