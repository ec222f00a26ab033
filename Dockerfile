# syntax=docker/dockerfile:1
# The images of node and consumer, for any platform that the base image has:
#   docker build --target node --tag skat-node .
#   docker build --target consumer --tag skat-consumer .
# They run without rights, on a root file system that may be read-only: nothing is written but the log, to standard output.
ARG NODE_VERSION=24.21.0

# On the builder's own platform, as its product is the same on every one: JavaScript, WebAssembly, SQL and the page.
FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-bookworm-slim AS tree
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY bench/package.json bench/
COPY functions/package.json functions/
COPY infra/package.json infra/
COPY web/package.json web/
COPY web/sdk/package.json web/sdk/
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY . .
RUN npm run image:tree

# No RUN from here on, so that building for another platform needs no emulator.
FROM node:${NODE_VERSION}-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
USER 1000:1000

FROM runtime AS node
COPY --from=tree /src/dist/image/node ./
ENV PORT=3000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
CMD ["node", "functions/node.mjs"]

FROM runtime AS consumer
COPY --from=tree /src/dist/image/consumer ./
ENV CONSUMER_PORT=3001
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CONSUMER_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
CMD ["node", "functions/consumer.mjs"]
