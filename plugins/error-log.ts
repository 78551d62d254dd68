/** What a log says of an error. */
interface LoggedError {
  name: string
  code?: string
  message?: string
  constraint?: string
  stack?: string
  cause?: LoggedError
}

/** Errors of ours, whose messages never quote what people say; `test/error-log.test.ts` holds the drivers to it. */
const OWN = new Set(['ApiError', 'ConfigError', 'StoreError'])
const WORD = /^[\w.-]{1,64}$/
/** One line of a stack, and nothing that a message could have put there. */
const FRAME =
  /^ {4}at (?:(?:async |new )?[\w$.<>#[\] ]{1,120} \()?(?:file:\/\/|node:|\/)[^\s()]{1,300}:\d+:\d+\)?$/
const MAX_CAUSES = 4

/**
 * An error for the log. Messages of others are left out: a database quotes values in them, a parser its text, an HTTP
 * client its URL. So is every other field.
 */
export function describeError(err: unknown, depth = 0): LoggedError {
  if (typeof err !== 'object' || err === null) return { name: typeof err }
  const { name, code, message, constraint, stack, cause } = err as Record<string, unknown>
  const own = typeof name === 'string' && OWN.has(name) && typeof message === 'string'
  return {
    name: isWord(name) ? name : 'Error',
    ...(isWord(code) && { code }),
    ...(own && { message }),
    ...(isWord(constraint) && { constraint }),
    ...(typeof stack === 'string' && { stack: framesOf(stack, message) }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: describeError(cause, depth + 1) })
  }
}

/** Options of a logger that says of errors what may be known, whoever logs them. */
export const SAFE_ERRORS = {
  serializers: { err: describeError as (err: unknown) => never },
  hooks: {
    logMethod(this: unknown, args: unknown[], method: (...args: never[]) => void) {
      method.apply(this, withOwnText(args) as never[])
    }
  }
}

/** A log call that is given an error and no words would take its message for the words of the line. */
function withOwnText(args: unknown[]): unknown[] {
  const [first, words] = args
  if (typeof first !== 'object' || first === null || typeof words === 'string') return args
  if (first instanceof Error) return [{ err: first }, 'error']
  return 'err' in first ? [first, 'error'] : args
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value)
}

function framesOf(stack: string, message: unknown): string {
  const head =
    typeof message === 'string' && stack.includes(message) ? stack.indexOf(message) + message.length : 0
  return stack
    .slice(head)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .join('\n')
}
