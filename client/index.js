export { createClient } from './create-client.js'
export { TurnkeeperError } from './error.js'
