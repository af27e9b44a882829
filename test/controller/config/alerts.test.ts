import { describe, expect, test } from 'vitest';
import { BUILT_IN, EVERYTHING } from '../../../controller/config/built-in-alerts.ts';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import { secretFolder } from './secrets.ts';

const accepted = (yaml: string) => {
  const loaded = parseSettings(`http: { token_file: http-token }\n${yaml}`, secretFolder(), {});
  if (!loaded.ok) expect.fail(JSON.stringify(loaded.problems));
  return { alerts: loaded.settings.alerts, warnings: loaded.warnings };
};

const RECEIVERS =
  'receivers: { noc: { webhook: "http://noc.example.net/" }, boss: { webhook: "http://boss.example.net/" } }\n';
const MEASURED = 'servers: { s-1: { host: 127.0.0.1 } }\ndefault_servers: [s-1]\ncheck: { enabled: true }\n';

test('a rule looks at one value, clears at its threshold, is for everything and told to everybody, unless it says otherwise', () => {
  const { alerts } = accepted(`${RECEIVERS}alerts: [{ name: a, metric: udp.upload.jitter_ms, above: 20.5 }]`);
  expect(alerts).toEqual([
    {
      ...{ name: 'a', subject: 'device', metric: 'udp.upload.jitter_ms', breaches: 1, of: 1, severity: 'warning' },
      condition: { kind: 'above', threshold: 20.5, clear: 20.5 },
      ...{ retest: false, where: EVERYTHING, notify: ['noc', 'boss'] },
    },
  ]);
});

test('a rule says all of it itself', () => {
  const { alerts, warnings } = accepted(`${RECEIVERS}uplink_groups: { tower: { capacity: 1 } }
alerts:
  - name: a
    metric: tcp.upload.bits_per_second
    drop: 40%
    clear: 10%
    over: 14d
    for: 3
    severity: critical
    retest: true
    where: { organization: default, tag: lte, device: ap-1, uplink_group: tower }
    notify: [boss]
`);
  expect(alerts).toEqual([
    {
      ...{ name: 'a', subject: 'device', metric: 'tcp.upload.bits_per_second', breaches: 3, of: 3 },
      condition: { kind: 'drop', percent: 40, clear: 10, over_ms: 14 * 86_400_000 },
      ...{ severity: 'critical', retest: true, notify: ['boss'] },
      where: { organization: 'default', tag: 'lte', device: 'ap-1', server: null, uplink_group: 'tower' },
    },
  ]);
  expect(warnings).toEqual([]);
});

test.each([
  ['tcp.upload.bits_per_second', '1.5M', 1.5e6],
  ['tcp.upload.bits_per_second', '20000000', 20e6],
  ['tcp.upload.bytes', '20G', 20e9],
  ['tcp.upload.seconds', '500ms', 0.5],
  ['tcp.upload.seconds', '10s', 10],
  ['tcp.upload.seconds', '1m', 60],
  ['tcp.upload.rtt_ms', '30ms', 30],
  ['udp.upload.jitter_ms', '0.5ms', 0.5],
  ['udp.upload.jitter_ms', '500us', 0.5],
  ['udp.upload.jitter_ms', '0.2s', 200],
  ['udp.upload.lost_percent', '2.5%', 2.5],
  ['udp.upload.cpu_device_percent', '95', 95],
  ['tcp.upload.retransmits', '1000', 1000],
  ['run.success', '0.5', 0.5],
])('a threshold of %s may be written %s', (metric, written, value) => {
  const [rule] = accepted(`alerts: [{ name: a, metric: ${metric}, above: ${written} }]`).alerts;
  expect(rule?.condition).toEqual({ kind: 'above', threshold: value, clear: value });
});

test('a drop is looked for over 7 days, and clear at the drop itself, unless it says otherwise', () => {
  const [rule] = accepted('alerts: [{ name: a, metric: tcp.upload.bits_per_second, drop: 30 }]').alerts;
  expect(rule?.condition).toEqual({ kind: 'drop', percent: 30, clear: 30, over_ms: 7 * 86_400_000 });
});

test('a rule that is not enabled is checked, and not among the rules', () => {
  expect(accepted('alerts: [{ name: a, metric: run.success, below: 1, enabled: false }]')).toEqual({
    alerts: [],
    warnings: [],
  });
});

test('a rule that nobody would be told of is taken with a warning', () => {
  const nobody = accepted(`${RECEIVERS}alerts: [{ name: a, metric: run.success, below: 1, notify: [] }]`);
  expect(nobody.warnings).toEqual([
    'alerts: nobody is told when a fires: name receivers in notify, or under receivers',
  ]);
});

const oddly = (rule: string, more = ''): string[] =>
  accepted(`${RECEIVERS}${more}\nalerts: [{ name: a, ${rule} }]`).warnings;

test.each([
  ['metric: tcp.download.bits_per_second, below: 20', 'alerts: a is about 20 bit/s: is a unit missing, as in 20M?'],
  [
    'metric: tcp.download.rtt_ms, above: 150ms',
    'alerts: a never fires: downloads have no round trip time: use tcp.upload.rtt_ms',
  ],
  ['metric: udp.download.jitter_ms, above: 5ms', 'alerts: a never fires: no check measures udp.download.jitter_ms'],
])('a rule that is hardly meant so is taken with a warning: %s', (rule, warning) => {
  expect(oddly(rule)).toEqual([warning]);
});

test('a rule that may be meant so is taken without', () => {
  for (const below of ['1k', '20M']) expect(oddly(`metric: tcp.download.bits_per_second, below: ${below}`)).toEqual([]);
  for (const limit of ['above: 99%', 'below: 100%'])
    expect(oddly(`metric: udp.upload.lost_percent, ${limit}`)).toEqual([]);
});

test('a rule of one organization is about what that one measures, for any of its tags', () => {
  const lte = '{ check: { tags: { lte: { tests: [{ protocol: udp, direction: download, bitrate: 1M }] } } } }';
  const rule = (organization: string) =>
    `metric: udp.download.jitter_ms, above: 5ms, where: { organization: ${organization} }`;
  expect(oddly(rule('acme'), `organizations: { acme: ${lte} }`)).toEqual([]);
  expect(oddly(rule('default'), `organizations: { acme: ${lte} }`)).toHaveLength(1);
});

test('a drop that looks further back than runs are kept is taken with a warning', () => {
  const drop = 'metric: tcp.upload.bits_per_second, drop: 30%, over: 30d';
  expect(oddly(drop, 'retention: { runs: 31d }')).toEqual([]);
  expect(oddly(drop, 'retention: { runs: 30d }')).toEqual([
    'alerts: a looks back for 30d, and runs are kept for 30d: set over lower, or retention.runs higher',
  ]);
});

describe('the built-in rules', () => {
  const told = [...BUILT_IN.values()].map((rule) => ({ ...rule, notify: ['noc', 'boss'] }));

  test('are on when somebody is measured by schedule and somebody can be told', () => {
    expect(accepted(MEASURED + RECEIVERS).alerts).toEqual(told);
    expect(accepted(MEASURED).alerts).toEqual([]);
    expect(accepted(RECEIVERS).alerts).toEqual([]);
  });

  test('that about host keys is on as soon as there are SSH credentials, with nobody to tell too', () => {
    const ssh = 'ssh_credentials: { lab: { user: root, password_file: http-token } }\n';
    const { alerts, warnings } = accepted(ssh);
    expect(alerts).toEqual([{ ...BUILT_IN.get('host-key-changed'), notify: [] }]);
    expect(warnings).toEqual([]);
    expect(accepted(`${ssh}alerts: [{ name: host-key-changed, enabled: false }]`).alerts).toEqual([]);
  });

  test('are changed key by key by a rule of the same name', () => {
    const { alerts } = accepted(`${MEASURED}${RECEIVERS}alerts:
  - { name: check-failed, for: 1, severity: info, where: { tag: lte }, notify: [noc], retest: true }
  - { name: server-down, for: 5, where: { server: s-1 } }
  - { name: host-key-changed, severity: warning }
`);
    const [checkFailed, serverDown, hostKeyChanged] = told;
    expect(alerts).toEqual([
      {
        ...checkFailed,
        ...{ breaches: 1, of: 1, severity: 'info', retest: true, notify: ['noc'] },
        where: { ...EVERYTHING, tag: 'lte' },
      },
      { ...serverDown, breaches: 5, of: 5, where: { ...EVERYTHING, server: 's-1' } },
      { ...hostKeyChanged, severity: 'warning' },
    ]);
  });

  test('are switched off, and on where they would not be on by themselves, by such a rule', () => {
    const off = accepted(`${MEASURED}${RECEIVERS}alerts: [{ name: server-down, enabled: false }]`);
    expect(off.alerts.map(({ name }) => name)).toEqual(['check-failed', 'host-key-changed']);
    expect(accepted('alerts: [{ name: check-failed, enabled: true }]').alerts).toMatchObject([
      { name: 'check-failed', breaches: 2, severity: 'warning', notify: [] },
    ]);
    expect(accepted('alerts: [{ name: check-failed, for: 1 }]').alerts).toEqual([]);
  });
});

test.each(['__proto__', 'constructor', 'toString'])('a rule can not be named %s', (name) => {
  const yaml = `http: { token_file: http-token }\n${RECEIVERS}alerts: [{ name: ${name}, metric: run.success, below: 1 }]`;
  expect(parseSettings(yaml, secretFolder(), {})).toMatchObject({
    ok: false,
    problems: [{ path: 'alerts[0].name', expected: 'another name: this one is reserved' }],
  });
});

test('a receiver is named once, as it would be told twice', () => {
  const yaml = `http: { token_file: http-token }\n${RECEIVERS}alerts: [{ name: a, metric: run.success, below: 1, notify: [noc, boss, noc] }]`;
  expect(parseSettings(yaml, secretFolder(), {})).toMatchObject({
    ok: false,
    problems: [{ path: 'alerts[0].notify[2]', expected: 'each receiver once' }],
  });
});
