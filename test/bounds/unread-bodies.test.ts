import t from 'tap'
import { startGuarded } from '../helper/guarded.ts'
import { rawConnect } from '../helper/raw-client.ts'

t.test('a body that nothing will read is not waited for, nor kept', async (t) => {
  const { url } = await startGuarded(t, { AUTH: 'key' })
  const targets = ['POST /nothing', 'DELETE /livez', 'OPTIONS /livez', 'OPTIONS /nothing', 'POST /docs/x']
  for (const target of targets) {
    const client = await rawConnect(t, url)
    client.socket.write(
      `${target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 20000000\r\n\r\n"`
    )
    await Promise.race([client.until('\r\n\r\n'), new Promise((resolve) => setTimeout(resolve, 1_000))])
    t.match(client.received(), /^HTTP\/1\.1 404 /, `${target}: answered before its body is there`)
    client.socket.destroy()
  }
})
