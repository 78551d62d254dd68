import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { listening, startChild } from '../machine/child.ts'
import { freePort } from '../machine/cleanup.ts'
import { nginxVersion } from '../machine/describe.ts'
import type { Target } from './target.ts'

export const nginx: Target = {
  name: 'nginx',
  about: 'one nginx process, `proxy_buffering off`, kept upstream connections: the practical limit',
  missing: () => (nginxVersion() === null ? 'nginx is not installed' : null),

  async start({ upstreamUrl, folder }) {
    const port = await freePort()
    const file = path.join(folder, 'nginx.conf')
    writeFileSync(file, configuration(new URL(upstreamUrl).host, port, folder))
    const child = startChild({ command: ['nginx', '-c', file, '-e', 'stderr'], role: 'target', cwd: folder })
    await listening(child, port)
    return { url: `http://127.0.0.1:${port}`, pid: child.pid, stop: () => child.stop() }
  }
}

function configuration(upstream: string, port: number, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n  ')
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http {
  access_log off;
  ${temporary}
  keepalive_requests 100000000;
  client_max_body_size 20m;
  client_body_buffer_size 1m;
  upstream bench {
    server ${upstream};
    keepalive 4096;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`
}
