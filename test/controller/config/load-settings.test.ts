import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUILT_IN, EVERYTHING } from '../../../controller/config/built-in-alerts.ts';
import { loadSettings, parseSettings } from '../../../controller/config/load-settings.ts';
import type { Settings } from '../../../controller/config/settings.ts';
import { SECRET, secretFolder } from './secrets.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '../../../packaging/perfleet.example.yaml'), 'utf8');
const DESIGN = readFileSync(join(import.meta.dirname, 'design-example.yaml'), 'utf8');
const HTTP = 'http: { token_file: http-token }\n';

const accepted = (yaml: string, folder = secretFolder(), env = {}): { settings: Settings; warnings: string[] } => {
  const outcome = parseSettings(yaml, folder, env);
  return outcome.ok ? outcome : expect.fail(JSON.stringify(outcome.problems));
};
const check = (yaml: string, organization = 'default') =>
  accepted(HTTP + yaml).settings.organizations.get(organization)?.check;
const tests = (...lines: string[]) =>
  check(`check:\n  tests:\n${lines.map((line) => `    - { ${line} }\n`).join('')}`)?.tests;

const TCP = {
  protocol: 'tcp',
  duration_s: 10,
  omit_s: 1,
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
};
/** What nobody has said anything about. */
const UNSAID = {
  backoff_ms: 30_000,
  priority: 10,
  max_runs_per_day: null,
  spread: 'pack',
  monthly_budget: null,
  max_cross_traffic: null,
};
const DEFAULT_TESTS = [
  { ...TCP, test: 'tcp-upload', direction: 'upload' },
  { ...TCP, test: 'tcp-download', direction: 'download' },
  { ...TCP, test: 'udp-upload', protocol: 'udp', direction: 'upload', bitrate: 'auto' },
];

describe('the example', () => {
  test.each([
    ['of packaging/', EXAMPLE],
    ['of the design', DESIGN],
  ])('%s is accepted and means what it says', (_, text) => {
    const { settings, warnings } = accepted(text.replaceAll('/etc/perfleet/', ''));
    expect(warnings).toEqual([]);
    const server = { host: 'iperf1.example.net', host_group: 'milan', auth: null, max_bitrate: null, maintenance: [] };
    const enabled = { ...UNSAID, schedule: '0 2 * * *', window_ms: 18_000_000, tests: DEFAULT_TESTS, retries: 2 };
    expect(settings).toEqual({
      broker: { kind: 'embedded', host: '127.0.0.1', port: 1883, tls: null },
      http: { host: '127.0.0.1', port: 8080, token: SECRET },
      store: '/var/lib/perfleet',
      influx: { version: 2, url: 'http://127.0.0.1:8086', organization: 'wisp', bucket: 'perfleet', token: SECRET },
      retention: { runs_ms: 400 * 86_400_000, raw_ms: 30 * 86_400_000, raw_bytes: 1024 ** 3 },
      servers: new Map([
        ['milan-1', { ...server, server: 'milan-1', port: 5201 }],
        ['milan-2', { ...server, server: 'milan-2', port: 5202 }],
      ]),
      host_groups: new Map([['milan', { capacity: 1 }]]),
      uplink_groups: new Map([['tower-7', { capacity: 1 }]]),
      organizations: new Map([
        [
          'default',
          {
            organization: 'default',
            ssh: null,
            servers: ['milan-1'],
            check: { ...enabled, enabled: false, timezone: 'UTC' },
            tags: [],
          },
        ],
        [
          'acme',
          {
            organization: 'acme',
            ssh: null,
            servers: ['milan-2', 'milan-1'],
            check: { ...enabled, enabled: true, timezone: 'Europe/Rome' },
            tags: [],
          },
        ],
      ]),
      alerts: [
        ...[...BUILT_IN.values()].map((rule) => ({ ...rule, notify: ['noc'] })),
        {
          name: 'slow-download',
          subject: 'device',
          metric: 'tcp.download.bits_per_second',
          condition: { kind: 'below', threshold: 20e6, clear: 25e6 },
          breaches: 2,
          of: 3,
          severity: 'warning',
          retest: false,
          where: { ...EVERYTHING, organization: 'acme' },
          notify: ['noc'],
        },
      ],
      ssh_credentials: new Map(),
      receivers: new Map([['noc', { kind: 'webhook', url: 'https://noc.example.net/hook', secret: SECRET, ca: null }]]),
    });
  });

  test('changed in any way, it is accepted or refused, and nothing is thrown', () => {
    const folder = secretFolder();
    const text = EXAMPLE.replaceAll('/etc/perfleet/', '');
    const change = fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(30),
      put: fc.oneof(
        fc.constantFrom('', '[', '{', '}', ': ', '- ', '\n', '\t', '&a ', '*a', '"', '!', 'null', '? ', '|'),
        fc.string(),
      ),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let changed = text;
        for (const { at, cut, put } of changes) changed = changed.slice(0, at) + put + changed.slice(at + cut);
        const outcome = parseSettings(changed, folder, {});
        expect(outcome.ok || outcome.problems.length > 0).toBe(true);
        if (!outcome.ok) expect(JSON.stringify(outcome.problems)).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['brackets', '['.repeat(100_000)],
    ['closed mappings', '{a: '.repeat(2000) + '}'.repeat(2000)],
    ['list items', `${'- '.repeat(5000)}1`],
  ])('thousands of nested %s do not exhaust the stack', (_, text) => {
    const found = 'brackets or indentation without end';
    const problems = [{ path: '', line: 1, found, expected: 'YAML 1.2' }];
    expect(parseSettings(text, '/', {})).toEqual({ ok: false, problems });
  });
});

test('a file with only a token has every default', () => {
  expect(accepted(HTTP)).toEqual({
    ok: true,
    warnings: [],
    settings: {
      broker: { kind: 'embedded', host: '127.0.0.1', port: 1883, tls: null },
      http: { host: '127.0.0.1', port: 8080, token: SECRET },
      store: '/var/lib/perfleet',
      influx: null,
      retention: { runs_ms: 400 * 86_400_000, raw_ms: 30 * 86_400_000, raw_bytes: 1024 ** 3 },
      servers: new Map(),
      host_groups: new Map(),
      uplink_groups: new Map(),
      organizations: new Map([
        [
          'default',
          {
            organization: 'default',
            ssh: null,
            servers: [],
            tags: [],
            check: {
              ...UNSAID,
              enabled: false,
              schedule: '0 2 * * *',
              timezone: 'UTC',
              window_ms: 18_000_000,
              retries: 2,
              tests: DEFAULT_TESTS,
            },
          },
        ],
      ]),
      alerts: [],
      ssh_credentials: new Map(),
      receivers: new Map(),
    },
  });
});

test('null means the same as absent, in every section', () => {
  const sections = ['broker', 'store', 'influx', 'servers', 'host_groups', 'uplink_groups', 'default_servers'];
  const more = ['check', 'organizations', 'alerts', 'receivers'];
  const nothing = [...sections, ...more].map((section) => `${section}:\n`).join('');
  const inside =
    'broker: { listen: null, url: null, tls: null }\norganizations: { default: { servers: null, check: null } }\n';
  const folder = secretFolder();
  expect(accepted(HTTP + nothing, folder)).toEqual(accepted(HTTP, folder));
  expect(accepted(HTTP + inside, folder)).toEqual(accepted(HTTP, folder));
});

describe('the broker', () => {
  const broker = (yaml: string) => accepted(`${HTTP}broker: { ${yaml} }\n`);
  const pem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----';

  test.each([
    ['listen: mqtt://127.0.0.1', { host: '127.0.0.1', port: 1883, tls: null }],
    ['listen: "mqtt://[::1]:0"', { host: '::1', port: 0, tls: null }],
    ['listen: mqtt://localhost:1884/', { host: 'localhost', port: 1884, tls: null }],
    [
      'listen: mqtts://0.0.0.0, tls: { cert: cert.pem, key: key.pem }',
      { host: '0.0.0.0', port: 8883, tls: { cert: pem, key: pem, ca: null } },
    ],
    [
      'listen: mqtts://0.0.0.0, tls: { cert: cert.pem, key: key.pem, ca: ca.pem }',
      { host: '0.0.0.0', port: 8883, tls: { cert: pem, key: pem, ca: pem } },
    ],
  ])('embedded with %s', (yaml, expected) => {
    const { settings, warnings } = broker(yaml);
    expect(settings.broker).toEqual({ kind: 'embedded', ...expected });
    expect(warnings).toEqual([]);
  });

  test.each([
    ['url: mqtt://broker.example.net', { url: 'mqtt://broker.example.net:1883' }],
    ['url: "mqtts://[2001:db8::1]"', { url: 'mqtts://[2001:db8::1]:8883' }],
    [
      'url: mqtt://b, username: me, password_file: password',
      { url: 'mqtt://b:1883', username: 'me', password: SECRET },
    ],
    ['url: mqtts://b, tls: { ca: ca.pem }', { url: 'mqtts://b:8883', tls: { ca: pem, cert: null, key: null } }],
    [
      'url: mqtts://b, tls: { cert: cert.pem, key: key.pem }',
      { url: 'mqtts://b:8883', tls: { ca: null, cert: pem, key: pem } },
    ],
  ])('external with %s', (yaml, expected) => {
    const nothing = { username: null, password: null, tls: { ca: null, cert: null, key: null } };
    expect(broker(yaml).settings.broker).toEqual({ kind: 'external', ...nothing, ...expected });
  });

  test('without TLS beyond this machine is accepted with a warning', () => {
    expect(broker('listen: mqtt://0.0.0.0').warnings).toEqual([
      "broker.listen: without TLS (mqtts://) the devices' passwords cross the network in the clear",
    ]);
  });
});

test.each([
  ['"[::1]:8080"', { host: '::1', port: 8080 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['0.0.0.0:65535', { host: '0.0.0.0', port: 65535 }],
])('HTTP listens at %s', (listen, expected) => {
  const { http } = accepted(`http: { token_file: http-token, listen: ${listen} }`).settings;
  expect(http).toEqual({ ...expected, token: SECRET });
});

test('InfluxDB 1 goes with and without credentials', () => {
  const influx = (more: string) =>
    accepted(`${HTTP}influx: { version: 1, url: "http://i:8086", database: p${more} }`).settings.influx;
  const open = { version: 1, url: 'http://i:8086', database: 'p', username: null, password: null };
  expect(influx('')).toEqual(open);
  expect(influx(', username: me, password_file: password')).toEqual({ ...open, username: 'me', password: SECRET });
});

test('a server has iperf3’s port, no group and no credentials, unless they are given', () => {
  const { servers } = accepted(
    `${HTTP}servers:\n  a: { host: "2001:db8::1" }\n  b: { host: 192.0.2.1, auth: { username: me, password_file: password, public_key_file: ca.pem } }\n`,
  ).settings;
  const nothing = { host_group: null, auth: null, max_bitrate: null, maintenance: [] };
  expect(servers.get('a')).toEqual({ server: 'a', host: '2001:db8::1', port: 5201, ...nothing });
  expect(servers.get('b')?.auth).toMatchObject({ username: 'me', password: SECRET });
});

test('a server may have a limit and planned maintenance, in UTC unless it says otherwise', () => {
  const { servers } = accepted(
    `${HTTP}servers:
  a:
    host: h
    max_bitrate: 100M
    maintenance: [{ schedule: "0 3 * * 0", duration: 1h }, { schedule: "0 1 1 * *", duration: 1d, timezone: Europe/Rome }]
`,
  ).settings;
  expect(servers.get('a')).toMatchObject({
    max_bitrate: 1e8,
    maintenance: [
      { schedule: '0 3 * * 0', timezone: 'UTC', duration_ms: 3_600_000 },
      { schedule: '0 1 1 * *', timezone: 'Europe/Rome', duration_ms: 86_400_000 },
    ],
  });
});

test('a group carries one run at a time unless it says otherwise', () => {
  const { host_groups, uplink_groups } = accepted(
    `${HTTP}host_groups: { a:, b: { capacity: 3 } }\nuplink_groups: { c: {} }`,
  ).settings;
  expect(host_groups).toEqual(
    new Map([
      ['a', { capacity: 1 }],
      ['b', { capacity: 3 }],
    ]),
  );
  expect(uplink_groups).toEqual(new Map([['c', { capacity: 1 }]]));
});

describe('a check', () => {
  test('overrides key by key, and false and null undo what everybody has', () => {
    const yaml = `servers: { s: { host: h } }
default_servers: [s]
check: { enabled: true, schedule: "0 3 * * *", timezone: Europe/Rome, window: 1h, retries: 0, tests: [{ protocol: tcp, direction: bidir }] }
organizations:
  same: {}
  off: { check: { enabled: false } }
  later: { servers: [], check: { enabled: null, schedule: "30 4 * * 1-5", window: null, tests: null, retries: null, timezone: null } }
`;
    const everybody = check(yaml);
    expect(everybody).toEqual({
      ...UNSAID,
      enabled: true,
      schedule: '0 3 * * *',
      timezone: 'Europe/Rome',
      window_ms: 3_600_000,
      retries: 0,
      tests: [{ ...TCP, test: 'tcp-bidir', direction: 'bidir' }],
    });
    expect(check(yaml, 'same')).toEqual(everybody);
    expect(check(yaml, 'off')).toEqual({ ...everybody, enabled: false });
    expect(check(yaml, 'later')).toEqual({
      ...UNSAID,
      enabled: false,
      schedule: '30 4 * * 1-5',
      timezone: 'UTC',
      window_ms: 18_000_000,
      retries: 2,
      tests: DEFAULT_TESTS,
    });
  });

  test('takes limits, weights and waits, and null undoes them', () => {
    const yaml = `check: { backoff: 5m, priority: 20, max_runs_per_day: 4, spread: even, monthly_budget: 20GB, max_cross_traffic: 2M }
organizations:
  none: { check: { backoff: null, priority: null, max_runs_per_day: null, spread: null, monthly_budget: null, max_cross_traffic: null } }
`;
    expect(check(yaml)).toMatchObject({
      backoff_ms: 300_000,
      priority: 20,
      max_runs_per_day: 4,
      spread: 'even',
      monthly_budget: 20e9,
      max_cross_traffic: 2e6,
    });
    expect(check(yaml, 'none')).toMatchObject(UNSAID);
  });

  test('of a tag says only what it changes; an organization adds to what everybody has, key by key, and null takes it back', () => {
    const yaml = `check:
  tags:
    lte: { monthly_budget: 5G, spread: even }
    gold: { priority: 50 }
    idle: {}
organizations:
  acme: { check: { tags: { own: { window: 1h }, lte: { spread: pack, retries: null }, gold: null } } }
  none: { check: { tags: null } }
  same: { check: { retries: 1 } }
`;
    const { organizations } = accepted(HTTP + yaml).settings;
    const everybody = [
      { tag: 'lte', check: { monthly_budget: 5e9, spread: 'even' } },
      { tag: 'gold', check: { priority: 50 } },
      { tag: 'idle', check: {} },
    ];
    expect(organizations.get('default')?.tags).toEqual(everybody);
    expect(organizations.get('same')?.tags).toEqual(everybody);
    expect(organizations.get('none')?.tags).toEqual([]);
    expect(organizations.get('acme')?.tags).toEqual([
      { tag: 'lte', check: { monthly_budget: 5e9, spread: 'pack', retries: 2 } },
      { tag: 'gold', check: {} },
      { tag: 'idle', check: {} },
      { tag: 'own', check: { window_ms: 3_600_000 } },
    ]);
  });

  test('has its tags in the order of the file, also when their names are numbers', () => {
    const yaml = `check: { tags: { lte: { retries: 0 }, 2024: { retries: 1 }, 7: { retries: 2 } } }
organizations:
  acme: { check: { tags: { b: &b { retries: 3 }, 1: *b } } }
`;
    const tags = (name: string) =>
      accepted(HTTP + yaml)
        .settings.organizations.get(name)
        ?.tags.map(({ tag }) => tag);
    expect(tags('default')).toEqual(['lte', '2024', '7']);
    expect(tags('acme')).toEqual(['lte', '2024', '7', 'b', '1']);
  });

  test('takes every option of a test', () => {
    expect(
      tests(
        'test: big, protocol: tcp, direction: download, duration: 1h, omit: 1m, streams: 128, bitrate: 1.5G, length: 1M, window: 512M, congestion: bbr',
        'protocol: udp, direction: download, duration: 1s, omit: 0, streams: 1, bitrate: auto, length: 65507, window: 1',
      ),
    ).toEqual([
      {
        test: 'big',
        protocol: 'tcp',
        direction: 'download',
        duration_s: 3600,
        omit_s: 60,
        streams: 128,
        bitrate: 1.5e9,
        length: 1_048_576,
        window: 536_870_912,
        congestion: 'bbr',
      },
      {
        ...TCP,
        test: 'udp-download',
        protocol: 'udp',
        direction: 'download',
        duration_s: 1,
        omit_s: 0,
        bitrate: 'auto',
        length: 65_507,
        window: 1,
      },
    ]);
  });

  test('names tests after what they are, and numbers what would be the same', () => {
    const up = 'protocol: tcp, direction: upload';
    const names = tests(up, up, `test: tcp-upload-3, ${up}`, up, `${up}, bitrate: null`)?.map(({ test }) => test);
    expect(names).toEqual(['tcp-upload', 'tcp-upload-2', 'tcp-upload-3', 'tcp-upload-4', 'tcp-upload-5']);
  });

  test('can share its tests through an anchor', () => {
    const yaml = `check: { tests: &t [{ protocol: tcp, direction: download }] }\norganizations: { acme: { check: { tests: *t } } }\n`;
    expect(check(yaml, 'acme')?.tests).toEqual(check(yaml)?.tests);
  });
});

describe('files', () => {
  test('a secret that everybody can read is taken with a warning', () => {
    const folder = secretFolder();
    chmodSync(join(folder, 'http-token'), 0o644);
    expect(accepted(`http: { token_file: ./http-token }`, folder).warnings).toEqual([
      'http.token_file: everybody on this machine can read ./http-token: chmod o= it',
    ]);
  });

  test('a secret may be a credential of systemd', () => {
    const env = { CREDENTIALS_DIRECTORY: secretFolder() };
    expect(accepted('http: { token_file: $CREDENTIALS_DIRECTORY/http-token }', '/', env).settings.http.token).toBe(
      SECRET,
    );
    const outcome = parseSettings('http: { token_file: $CREDENTIALS_DIRECTORY/http-token }', '/', {});
    expect(outcome).toMatchObject({ problems: [{ found: '$CREDENTIALS_DIRECTORY/http-token does not exist' }] });
  });

  test('a path that the system refuses is a problem with the system’s code', () => {
    const outcome = parseSettings('http: { token_file: http-token/x }', secretFolder(), {});
    expect(outcome).toMatchObject({
      problems: [{ path: 'http.token_file', found: 'a file of that name cannot be read (ENOTDIR)' }],
    });
  });

  test('relative paths count from the folder of the configuration file', () => {
    const folder = secretFolder();
    const file = join(folder, 'perfleet.yaml');
    writeFileSync(file, `${HTTP}store: data\n`);
    expect(loadSettings(file, {})).toMatchObject({
      ok: true,
      settings: { store: join(folder, 'data'), http: { token: SECRET } },
    });
  });

  test('a bad file gives problems while the settings from before stay as they are', () => {
    const folder = secretFolder();
    const file = join(folder, 'perfleet.yaml');
    writeFileSync(file, HTTP);
    const before = loadSettings(file, {});
    const copy = structuredClone(before);
    writeFileSync(file, `${HTTP}check: { enabled: perhaps }\n`);
    expect(loadSettings(file, {})).toMatchObject({ ok: false, problems: [{ path: 'check.enabled', line: 2 }] });
    expect(before).toEqual(copy);
    writeFileSync(file, HTTP);
    expect(loadSettings(file, {})).toEqual(before);
  });

  test('a configuration file that is absent, a folder or not text is a problem', () => {
    const folder = secretFolder();
    const refused = (name: string) => loadSettings(join(folder, name), {});
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
    const expected = 'a YAML file in UTF-8';
    const problem = (found: string) => ({ ok: false, problems: [{ path: '', line: null, found, expected }] });
    expect(refused('absent')).toEqual(problem('a file that cannot be read (ENOENT)'));
    expect(refused('folder')).toEqual(problem('a file that cannot be read (EISDIR)'));
    expect(refused('binary')).toEqual(problem('bytes that are not UTF-8'));
  });
});
