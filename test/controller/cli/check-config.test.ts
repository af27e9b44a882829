import { expect, it } from 'vitest';
import { configFile } from './config-file.ts';
import { runAlone } from './small-controller.ts';

const GOOD = `http: { token_file: token }
servers:
  milan-1: { host: iperf1.example.net, port: 5201 }
  milan-2: { host: iperf1.example.net, port: 5202 }
default_servers: [milan-1]
organizations:
  acme: { check: { enabled: true } }
`;
const BAD = 'http: { token_file: token }\nserver: {}\nstore: 7\n';
const ALERTS = `${GOOD}alerts:
  - { name: slow, metric: tcp.download.bits_per_second, below: 20M }
`;

it('check-config sums up a file that is fine', async () => {
  const file = configFile(GOOD);
  expect(await runAlone(['check-config', file])).toEqual({
    code: 0,
    out: `${file} is fine: 2 servers, 2 organizations; measured by schedule: acme\n`,
    err: '',
  });
  const quiet = configFile(GOOD.replace('true', 'false'));
  expect((await runAlone(['check-config', quiet])).out).toContain('nobody is measured by schedule');
  const tagged = configFile(GOOD.replace('enabled: true', 'tags: { lte: { enabled: true } }'));
  expect((await runAlone(['check-config', tagged])).out).toContain('measured by schedule: acme');
});

it('check-config tells warnings on stderr', async () => {
  const { code, err } = await runAlone(['check-config', configFile(ALERTS)]);
  expect([code, err]).toEqual([
    0,
    'warning: alerts: nobody is told when slow fires: name receivers in notify, or under receivers\n',
  ]);
});

it('check-config prints all problems of a bad file on stderr', async () => {
  const file = configFile(BAD);
  const { code, out, err } = await runAlone(['check-config', file]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('line 2, server\n');
  expect(err).toContain('did you mean "servers"?');
  expect(err).toContain('line 3, store\n');
  expect(err).toContain(`2 problems in ${file}\n`);
});

it('check-config --json prints ok, problems and warnings', async () => {
  const good = await runAlone(['check-config', configFile(ALERTS), '--json']);
  expect(good).toEqual({
    code: 0,
    out: '{"ok":true,"problems":[],"warnings":["alerts: nobody is told when slow fires: name receivers in notify, or under receivers"]}\n',
    err: '',
  });
  const bad = await runAlone(['check-config', configFile(BAD), '--json']);
  expect([bad.code, bad.err]).toEqual([1, '']);
  expect(JSON.parse(bad.out)).toMatchObject({
    ok: false,
    problems: [
      { path: 'server', line: 2 },
      { path: 'store', line: 3 },
    ],
    warnings: [],
  });
});
