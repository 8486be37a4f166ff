# syntax=docker/dockerfile:1
# The production build: only what the bot needs at run time, under an unprivileged user. Pass CHIMERA_CONFIG,
# and the secrets as NAME_FILE variables (docker secrets). Never pass secrets as build arguments.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY migrations ./migrations
RUN npx tsc -p tsconfig.build.json
# The page at /dashboard.
COPY dashboard ./dashboard
RUN npm run build:dashboard
# What built it stays behind. Foundry is of the tests; some library would take typescript if it is there.
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/@foundry-rs node_modules/typescript

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY config ./config
# Which version of the sources this is, for chimera_build_info: --build-arg COMMIT=$(git rev-parse HEAD)
ARG COMMIT=
RUN if [ -n "$COMMIT" ]; then echo "$COMMIT" > COMMIT; fi
RUN mkdir -p /app/data && chown node:node /app/data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Where much may be used, garbage is left until the heap is four times as large as what is in use; below 2 GB
# it is collected earlier.
CMD ["node", "--enable-source-maps", "--disable-sigusr1", "--max-old-space-size=1024", "dist/src/main.js"]
