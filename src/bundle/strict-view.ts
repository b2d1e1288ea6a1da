/**
 * Makes every look-up of an unknown name throw. Handlebars' own `strict` throws for `{{typo}}` only: `{{#if typo}}` and
 * `{{#each typo}}` render as empty (tried with handlebars 4.7).
 */
export function strictView<T extends object>(view: T, path = 'view'): T {
  return new Proxy(view, {
    // `strict` asks before it looks: said to be there, the look-up itself throws, in our words.
    has: (target, name) => typeof name === 'string' || Reflect.has(target, name),
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof name === 'symbol' || Array.isArray(target)) return wrap(value, `${path}[${String(name)}]`)
      if (value === undefined || value === null || !Object.hasOwn(target, name))
        throw new Error(`template asks for ${path}.${name}, the view has ${Object.keys(target).join(', ')}`)
      return wrap(value, `${path}.${name}`)
    },
  })
}

function wrap(value: unknown, path: string): unknown {
  return typeof value === 'object' && value !== null ? strictView(value, path) : value
}
