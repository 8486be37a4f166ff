/**
 * What the compose specification says of the keys that compose.yaml uses, and of no others: a key that is
 * mistyped is refused. https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json
 */
const text = { type: 'string', minLength: 1 } as const;
const texts = { type: 'array', items: text, minItems: 1 } as const;
const duration = { type: 'string', pattern: '^([0-9]+(us|ms|s|m|h))+$' } as const;
const bytes = { type: 'string', pattern: '^[0-9]+[bkmgBKMG]?$' } as const;

function mapOf(values: object, names = '^[a-z][a-z0-9_-]*$'): object {
  return { type: 'object', patternProperties: { [names]: values }, additionalProperties: false };
}

function section(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

const healthcheck = section(
  {
    test: { type: 'array', items: text, minItems: 2, contains: { enum: ['CMD', 'CMD-SHELL'] } },
    interval: duration,
    timeout: duration,
    start_period: duration,
    retries: { type: 'integer', minimum: 1 },
  },
  ['test', 'interval', 'timeout', 'retries'],
);

const logging = section(
  {
    driver: { const: 'json-file' },
    options: section({ 'max-size': bytes, 'max-file': { type: 'string', pattern: '^[0-9]+$' } }, [
      'max-size',
      'max-file',
    ]),
  },
  ['driver', 'options'],
);

const limits = section(
  { cpus: { type: 'string', pattern: '^[0-9.]+$' }, memory: bytes, pids: { type: 'integer' } },
  ['cpus', 'memory', 'pids'],
);

/** The second half are what every service of ours must have. */
const service = section(
  {
    build: text,
    profiles: texts,
    command: texts,
    environment: mapOf({ type: 'string' }, '^[A-Z][A-Z0-9_]*$'),
    secrets: texts,
    volumes: { type: 'array', items: { type: 'string', pattern: '^[^:]+:/[^:]+(:ro)?$' } },
    tmpfs: { type: 'array', items: { type: 'string', pattern: '^/' } },
    ports: { type: 'array', items: { type: 'string', pattern: '^127\\.0\\.0\\.1:[0-9]+:[0-9]+$' } },
    depends_on: mapOf(section({ condition: { const: 'service_healthy' } }, ['condition'])),
    stop_grace_period: duration,
    shm_size: bytes,
    image: { type: 'string', pattern: '^[a-z0-9/._-]+:v?[0-9]+\\.[0-9]+(\\.[0-9]+)?(-[a-z0-9.]+)?$' },
    user: { type: 'string', pattern: '^[1-9][0-9]*:[0-9]+$' },
    restart: { const: 'unless-stopped' },
    read_only: { const: true },
    cap_drop: { type: 'array', contains: { const: 'ALL' } },
    security_opt: { type: 'array', contains: { const: 'no-new-privileges:true' } },
    ulimits: section({ core: { const: 0 } }, ['core']),
    logging,
    networks: texts,
    healthcheck,
    deploy: section({ resources: section({ limits }, ['limits']) }, ['resources']),
  },
  [
    ...[
      'image',
      'user',
      'restart',
      'read_only',
      'cap_drop',
      'security_opt',
      'ulimits',
      'logging',
      'networks',
    ],
    ...['healthcheck', 'deploy'],
  ],
);

export const COMPOSE_SCHEMA = section(
  {
    name: text,
    services: mapOf(service),
    networks: mapOf(section({ internal: { type: 'boolean' } })),
    volumes: mapOf(section({})),
    secrets: mapOf(section({ file: { type: 'string', pattern: '^\\./secrets/[a-z_]+$' } }, ['file'])),
  },
  ['name', 'services', 'networks', 'volumes', 'secrets'],
);
