import { Pool } from 'undici'
import { listen } from './listen.ts'

// The usual minimal proxy. It stores nothing.
const pool = new Pool(process.argv[2] ?? '', { headersTimeout: 0, bodyTimeout: 0 })

listen(async (req, res) => {
  try {
    const headers = {
      'content-type': 'application/json',
      ...(req.headers['content-length'] && { 'content-length': req.headers['content-length'] })
    }
    const answer = await pool.request({ method: 'POST', path: req.url ?? '/', headers, body: req })
    const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...rest } = answer.headers
    res.writeHead(answer.statusCode, rest)
    answer.body.on('error', () => res.destroy()).pipe(res)
  } catch {
    res.destroy()
  }
})
