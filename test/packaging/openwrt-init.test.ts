import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../agent/hosts/node/config.ts';
import { createService, isStarted, MINIMAL, startWith } from './openwrt/service.ts';

describe('the init script of the agent', () => {
  it('writes what the agent reads', () => {
    const { started, log, router } = startWith({
      ...{
        enabled: '1',
        device: 'ap-12',
        broker: 'mqtts://controller.example.net:8883',
        username: 'roof',
        password: 'secret',
      },
      ...{
        max_duration: '60s',
        max_streams: '8',
        max_bitrate: '20M',
        servers: ['iperf1.example.net', 'iperf2.example.net:5202'],
      },
      ...{ wan_interface: 'eth1', nice: '10' },
    });
    expect(log).toEqual([]);
    expect(started()).toEqual({
      ...{
        device: 'ap-12',
        broker: 'mqtts://controller.example.net:8883',
        username: 'roof',
        password: 'secret',
        tls: null,
      },
      limits: {
        ...{ max_duration_s: 60, max_streams: 8, max_bitrate: 20_000_000 },
        servers: ['iperf1.example.net', 'iperf2.example.net:5202'],
      },
      ...{ wan_interface: 'eth1', nice: 10, state: join(router, 'var/run/perfleet/state') },
    });
  });

  it('starts it as a user of its own, for ever, with a file that only this user reads', () => {
    const { procd, calls, config, router } = startWith(MINIMAL);
    expect(procd).toEqual([
      'open_instance',
      'command /usr/sbin/perfleet-agent --config /var/run/perfleet/agent.json',
      'file /var/run/perfleet/agent.json /var/run/perfleet/ca.pem /var/run/perfleet/cert.pem /var/run/perfleet/key.pem',
      'user perfleet',
      'respawn 3600 5 0',
      'term_timeout 10',
      'stdout 1',
      'stderr 1',
      'close_instance',
      'reload_trigger perfleet firewall',
      'raw_trigger interface.*.up 5000 /etc/init.d/perfleet-agent reload',
    ]);
    expect(statSync(config).mode & 0o777).toBe(0o600);
    expect(statSync(join(router, 'var/run/perfleet/state')).mode & 0o777).toBe(0o700);
    expect(calls()).toEqual(
      expect.arrayContaining([
        'chown perfleet:perfleet /var/run/perfleet/state',
        'chown perfleet:perfleet /var/run/perfleet/agent.json.new',
      ]),
    );
  });

  it('calls the device by its MAC address unless it has a name', () => {
    expect(startWith(MINIMAL).started()).toMatchObject({ device: 'aabbcc001122', username: 'aabbcc001122' });
    const service = createService();
    service.set(MINIMAL);
    service.file('sys/class/net/eth0/address', 'aa:bb:cc:00:11:33\n');
    service.start();
    expect(readConfig(service.config).device).toBe('aabbcc001122');
    service.run(['-c', 'rm -r "$ROUTER/sys/class/net/br-lan"']);
    service.start();
    expect(readConfig(service.config).device).toBe('aabbcc001133');
    service.run(['-c', 'rm -r "$ROUTER/sys"']);
    const { procd, log } = service.start();
    expect(isStarted(procd)).toBe(false);
    expect(log).toEqual([expect.stringContaining('device: expected a name, as there is neither br-lan nor eth0')]);
  });

  it.each([' two  words ', `it's "quoted"`, '$(reboot) `reboot` $HOME', '\\back\\slash\\n', '*', 'pass;word&|<>'])(
    'hands over the password %j as it is, and shows it to nobody',
    (password) => {
      const { started, calls } = startWith({ ...MINIMAL, password });
      expect(started().password).toBe(password);
      expect(calls().filter((call) => call.includes(password.trim()) && password !== '*')).toEqual([]);
    },
  );

  it('reads the password of a file that only root may read', () => {
    const service = createService();
    const { broker } = MINIMAL;
    service.set({ broker, password_file: service.file('etc/perfleet/password', 'from a file\n', 0o400) });
    service.start();
    expect(readConfig(service.config).password).toBe('from a file');
  });

  it('gives the agent copies of the certificates', () => {
    const service = createService();
    const files = Object.fromEntries(
      ['ca', 'cert', 'key'].map((name) => [
        `tls_${name}`,
        service.file(`etc/perfleet/${name}.pem`, `${name}\n`, 0o400),
      ]),
    );
    service.set({ ...MINIMAL, ...files });
    service.start();
    expect(readConfig(service.config).tls).toEqual({ ca: 'ca\n', cert: 'cert\n', key: 'key\n' });
    expect(service.calls()).toContain('chown perfleet:perfleet /var/run/perfleet/key.pem.new');
    expect(statSync(join(service.router, 'var/run/perfleet/key.pem')).mode & 0o777).toBe(0o600);
  });

  it('takes the certificates away that are not set any more', () => {
    const service = createService();
    service.set({ ...MINIMAL, tls_key: service.file('etc/perfleet/key.pem', 'key\n', 0o400) });
    service.start();
    expect(service.read('var/run/perfleet/key.pem')).toBe('key\n');
    service.set(MINIMAL);
    service.reload();
    expect(service.read('var/run/perfleet/key.pem')).toBe('');
    expect(readConfig(service.config).tls).toBeNull();
  });

  it('lets an agent go on with what it has when there is no room for what is new, and says so', () => {
    const service = createService();
    service.set(MINIMAL);
    service.start();
    const before = service.read('var/run/perfleet/agent.json');
    service.file('var/run/perfleet/agent.json.new/full', '');
    service.set({ ...MINIMAL, max_bitrate: '20M' });
    const { procd, log } = service.reload();
    expect(isStarted(procd)).toBe(true);
    expect(service.read('var/run/perfleet/agent.json')).toBe(before);
    expect(log).toEqual([expect.stringContaining('/var/run/perfleet/agent.json cannot be written: make room in /tmp')]);
  });

  it.each([
    ...[
      'mqtt://192.0.2.1',
      'mqtts://broker_1.example-net:8883/',
      'mqtt://[2001:db8::1]:1883',
      'mqtt://[fe80::1%br-lan]',
    ],
  ])('takes the broker %s', (broker) => {
    expect(startWith({ ...MINIMAL, broker }).started().broker).toBe(broker);
  });

  it('takes amounts as the agent does', () => {
    const { started } = startWith({ ...MINIMAL, max_bitrate: '1.5G', max_duration: '1.5m' });
    expect(started().limits).toMatchObject({ max_bitrate: 1_500_000_000, max_duration_s: 90 });
  });

  it('takes servers as a list and as words, and no name for a pattern', () => {
    expect(startWith({ ...MINIMAL, servers: 'a.example.net b.example.net:5202' }).started().limits.servers).toEqual([
      ...['a.example.net', 'b.example.net:5202'],
    ]);
    expect(startWith({ ...MINIMAL, servers: ['/*'] }).started().limits.servers).toEqual(['/*']);
    expect(startWith(MINIMAL).started().limits.servers).toBeNull();
  });

  it('names the device of the interface `wan`, which may be another one the next time', () => {
    const service = createService();
    service.set({ ...MINIMAL, wan_interface: 'wan' });
    service.start();
    expect(readConfig(service.config).wan_interface).toBe('wan');
    service.file('devices/wan', 'pppoe-wan\n');
    service.reload();
    expect(readConfig(service.config).wan_interface).toBe('pppoe-wan');
  });

  it('gives the agent the lines about flow offloading, as /etc/config/firewall is for root only', () => {
    const service = createService();
    service.set(MINIMAL);
    service.start();
    expect(service.read('var/run/perfleet/firewall')).toBe('');
    service.file(
      'etc/config/firewall',
      "config defaults\n\toption input 'REJECT'\n\toption flow_offloading '1'\n",
      0o600,
    );
    service.reload();
    expect(service.read('var/run/perfleet/firewall')).toBe("\toption flow_offloading '1'\n");
  });

  it('writes the same on a reload when nothing has changed, so that procd lets the agent be', () => {
    const service = createService();
    service.set(MINIMAL);
    const first = service.start();
    const before = service.read('var/run/perfleet/agent.json');
    expect(service.reload()).toEqual(first);
    expect(service.read('var/run/perfleet/agent.json')).toBe(before);
    service.set({ ...MINIMAL, max_bitrate: '20M' });
    service.reload();
    expect(service.read('var/run/perfleet/agent.json')).not.toBe(before);
  });
});
