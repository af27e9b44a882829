import { expect, it } from 'vitest';
import { StoreError } from '../../../controller/store/errors.ts';
import { runAlone, smallController } from './small-controller.ts';

const ADD = ['device', 'add', 'ap-12', '--organization', 'acme', '--tag', 'roof', '--tag', 'north'];

it('device add --json prints the credentials as one object, and the device gets what was asked for', async () => {
  const { cli, service } = await smallController();
  const { code, out, err } = await cli(...ADD, '--uplink-group', 'tower-7', '--json');
  expect([code, err]).toEqual([0, '']);
  expect(Object.keys(JSON.parse(out))).toEqual(['device', 'username', 'password', 'uci', 'install']);
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  expect(service.list).toMatchObject([
    { device: 'ap-12', organization: 'acme', tags: ['roof', 'north'], uplink_group: 'tower-7' },
  ]);
});

it('device add shows a person the credentials once, the lines for OpenWrt, and the file for Node.js', async () => {
  const { cli, service } = await smallController();
  const { code, out } = await cli('device', 'add', 'ap-1');
  expect(code).toBe(0);
  expect(out).toBe(`ap-1 is registered.

  username  ap-1
  password  s3cret

It is stored only as a hash and is never shown again: keep it now.

On an OpenWrt router with the package in /tmp: the first line up to 24.10, the second from 25.12 on.

  opkg install …
  apk add …

Then:

  uci set perfleet.agent=agent
  uci set perfleet.agent.broker='mqtts://perf.example.net:8883'
  uci set perfleet.agent.device='ap-1'
  uci set perfleet.agent.password='s3cret'
  uci set perfleet.agent.tls_ca='/etc/perfleet/ca.pem'
  uci commit perfleet

Copy the certificate of the authority that signed the broker's to /etc/perfleet/ca.pem, or leave tls_ca out if that is a public one.

On any other device, with Node.js: put the password into /etc/perfleet/password, and into /etc/perfleet/agent.yaml:

  device: ap-1
  broker: mqtts://perf.example.net:8883
  password_file: /etc/perfleet/password
  tls: { ca: /etc/perfleet/ca.pem }

and start: perfleet agent --config /etc/perfleet/agent.yaml
`);
  expect(service.list).toMatchObject([{ device: 'ap-1', organization: 'default', tags: [], uplink_group: null }]);
});

it('device add fails for a device that exists', async () => {
  const { cli } = await smallController();
  await cli('device', 'add', 'ap-12');
  expect(await cli('device', 'add', 'ap-12')).toEqual({
    code: 1,
    out: '',
    err: 'perfleet: there is a device ap-12 already\n',
  });
});

it('device add says of a broker on a loopback address that devices elsewhere cannot reach it', async () => {
  const { cli, service } = await smallController();
  const answer = (url: string) => () => {
    const uci = [`uci set perfleet.agent.broker='${url}'`];
    const install = { opkg: '', apk: '' };
    return { ok: true as const, value: { device: 'ap-1', username: 'ap-1', password: 's3cret', uci, install } };
  };
  for (const [url, host] of [
    ['mqtt://127.0.0.1:1883', '127.0.0.1'],
    ['mqtts://[::1]:8883', '::1'],
    ['mqtt://localhost:1883', 'localhost'],
  ] as const) {
    service.devices.add = answer(url);
    expect((await cli('device', 'add', 'ap-1')).out).toContain(
      `\n\nDevices elsewhere cannot reach a broker at ${host}. Set broker.listen (of an external broker: broker.url) to an address that they reach,`,
    );
  }
  service.devices.add = answer('mqtt://CONTROLLER-ADDRESS:1883');
  expect((await cli('device', 'add', 'ap-1')).out).not.toContain('Devices elsewhere');
});

const NAME = 'A name is 1 to 64 letters, digits, "_" or "-".';

it.each([
  ["command-argument value 'a b' is invalid for argument 'device'", NAME, ['device', 'add', 'a b']],
  [
    "command-argument value 'AA:BB:CC:DD:EE:FF' is invalid for argument 'device'",
    'A MAC address has no colons here: write aabbccddeeff',
    ['device', 'add', 'AA:BB:CC:DD:EE:FF'],
  ],
  ["option '--tag <tag>' argument '!' is invalid", NAME, ['device', 'add', 'ap-1', '--tag', '!']],
  ["option '--organization <name>' argument '' is invalid", NAME, ['device', 'add', 'ap-1', '--organization', '']],
  ["option '--uplink-group <name>' argument 'a/b' is invalid", NAME, ['device', 'add', 'x', '--uplink-group', 'a/b']],
  ["command-argument value 'a b' is invalid for argument 'device'", NAME, ['run', 'a b']],
  ["command-argument value 'a b' is invalid for argument 'device'", NAME, ['device', 'show', 'a b']],
  ["option '--server <server>' argument 'a b' is invalid", NAME, ['run', 'ap-1', '--server', 'a b']],
  ["option '--device <device>' argument 'a b' is invalid", NAME, ['results', '--device', 'a b']],
])('a bad name is refused before the controller is asked: %s', async (what, why, argv) => {
  expect(await runAlone(argv)).toEqual({ code: 2, out: '', err: `error: ${what}. ${why}\n` });
});

it('device add says what is wrong with the store when its disk is full', async () => {
  const { cli, service } = await smallController();
  service.devices.add = () => {
    throw new StoreError('full', 'The store perfleet.db has no room left: free some disk space (disk is full)');
  };
  expect(await cli(...ADD)).toEqual({
    code: 1,
    out: '',
    err: 'perfleet: The store perfleet.db has no room left: free some disk space (disk is full)\n',
  });
});

it('device list --json is an array with the fixed keys, empty when there is none', async () => {
  const { cli } = await smallController();
  expect(await cli('device', 'list', '--json')).toEqual({ code: 0, out: '[]\n', err: '' });
  await cli(...ADD);
  const [device] = JSON.parse((await cli('device', 'list', '--json')).out);
  expect(device).toEqual({
    device: 'ap-12',
    organization: 'acme',
    tags: ['roof', 'north'],
    uplink_group: null,
    via: 'agent',
    online: false,
    agent: null,
    iperf3: null,
    last_run: null,
  });
});

it('device list is an aligned table, or says how to begin', async () => {
  const { cli, service } = await smallController();
  expect(await cli('device', 'list')).toEqual({
    code: 0,
    out: '',
    err: 'no devices yet: add one with `perfleet device add`\n',
  });
  await cli(...ADD);
  await cli('device', 'add', 'ap-9');
  service.list[1] = {
    device: 'ap-9',
    organization: 'default',
    tags: [],
    uplink_group: null,
    via: 'agent',
    online: true,
    agent: '0.1.0',
    iperf3: '3.17.1',
    last_run: '2026-11-22T02:00:01.250Z',
  };
  expect((await cli('device', 'list')).out).toBe(
    `device  organization  via    online  agent  iperf3  last run (UTC)
ap-12   acme          agent  no      -      -       -
ap-9    default       agent  yes     0.1.0  3.17.1  2026-11-22 02:00:01
`,
  );
});

it('device show prints one device, and fails for one that is not there', async () => {
  const { cli, service } = await smallController();
  await cli(...ADD, '--uplink-group', 'tower-7');
  expect((await cli('device', 'show', 'ap-12')).out).toBe(`device        ap-12
organization  acme
tags          roof, north
uplink group  tower-7
via           agent
online        no
agent         -
iperf3        -
last run      -
moved         1.23 GB this month
`);
  expect(JSON.parse((await cli('device', 'show', 'ap-12', '--json')).out)).toEqual({
    ...service.list[0],
    ssh: null,
    moved_this_month: 1_234_567_890,
    monthly_budget: null,
  });
  expect(await cli('device', 'show', 'nowhere')).toEqual({
    code: 1,
    out: '',
    err: 'perfleet: there is no device nowhere\n',
  });
  service.list.push({
    device: 'ap-9',
    organization: 'default',
    tags: [],
    uplink_group: null,
    via: 'agent',
    online: true,
    agent: '0.1.0\x1b[2J',
    iperf3: '3.12',
    last_run: '2026-11-22T02:00:01.250Z',
  });
  service.monthly_budget = 20e9;
  expect((await cli('device', 'show', 'ap-9')).out).toBe(`device        ap-9
organization  default
tags          -
uplink group  -
via           agent
online        yes
agent         0.1.0?[2J
iperf3        3.12
last run      2026-11-22 02:00:01 UTC
moved         1.23 GB this month of 20.0 GB
`);
});

it('device remove asks nothing, removes, and says what happens to the runs', async () => {
  const { cli, service } = await smallController();
  await cli(...ADD);
  expect(await cli('device', 'remove', 'ap-12')).toEqual({
    code: 0,
    out: `ap-12 is removed. Its credentials no longer work and its open runs are cancelled.
Its results stay: perfleet results --device ap-12
`,
    err: '',
  });
  expect(service.list).toEqual([]);
  expect((await cli('device', 'remove', 'ap-12')).code).toBe(1);
  await cli(...ADD);
  expect(await cli('device', 'remove', 'ap-12', '--json')).toEqual({ code: 0, out: '{"device":"ap-12"}\n', err: '' });
});
