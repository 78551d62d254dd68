# Node runs the sources as they are: there is nothing to build, only dependencies to install.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

# The integration test, run by `docker compose --profile test`; no part of the image below.
FROM node:24-slim AS test
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci && chown node:node /app
COPY --chown=node:node . .
USER node
CMD ["npm", "run", "test:integration"]

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
# A container's loopback address is out of reach from outside. AUTH=none and AUTH=header, which check nobody, refuse
# this address, so AUTH has to be chosen when the container is started; nobody gets an open server by accident.
ENV HOST=0.0.0.0
COPY --from=dependencies /app/node_modules node_modules
COPY . .
# Where DB_URL points by default: mount a volume here, or set DB_URL.
RUN mkdir data && chown node:node data
USER node
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3001}/livez`).then((res) => process.exit(res.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server.ts"]
