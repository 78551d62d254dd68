import qs from 'qs'

/** Official SDKs write `metadata[key]=value` and `include[]=value`; deeper than that goes nothing. */
export function querystringParser(query: string): Record<string, unknown> {
  return qs.parse(query, { depth: 1, parameterLimit: 100, arrayLimit: 100, plainObjects: true })
}
