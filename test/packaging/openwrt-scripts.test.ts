import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../packaging/root.mjs';
import { createRouter } from './openwrt/router.ts';

describe('uci-defaults', () => {
  const createSettings = (hasSection: boolean) => {
    const router = createRouter();
    const script = router.install('etc/uci-defaults/90-perfleet', 'perfleet.defaults');
    router.file('answers/uci', `[ "$2" != get ] || exit ${hasSection ? 0 : 1}\n`);
    const config = router.file('etc/config/perfleet', '', 0o644);
    expect(router.run([script])).toEqual({ status: 0, output: '' });
    expect(statSync(config).mode & 0o777).toBe(0o600);
    return router;
  };

  it('makes the section that `uci set` needs', () => {
    expect(createSettings(false).calls()).toEqual([
      'uci -q get perfleet.agent',
      'uci set perfleet.agent=agent',
      'uci commit perfleet',
    ]);
  });

  it('leaves a section that is there alone, but nobody else reads the password', () => {
    expect(createSettings(true).calls()).toEqual(['uci -q get perfleet.agent']);
  });
});

describe('the hotplug script for the clock', () => {
  const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const socket = (state: string, uid: number): string =>
    `   0: 0100007F:A455 0100007F:075B ${state} 00000000:00000000 02:00000AB2 00000000 ${String(uid).padStart(5)}        0 21870 2\n`;
  const SIGNAL = 'ubus call service signal { "name": "perfleet-agent", "signal": 15 }';
  const AGENT = 453;

  const ubusCalls = (action: string, { tcp = '', tcp6 = '', hasUser = true }): string[] => {
    const router = createRouter();
    const script = router.install('etc/hotplug.d/ntp/90-perfleet', 'perfleet.ntp');
    router.file('answers/id', hasUser ? `echo ${AGENT}\n` : 'exit 1\n');
    router.file('proc/net/tcp', HEADER + tcp);
    router.file('proc/net/tcp6', HEADER + tcp6);
    expect(router.run([script], { ACTION: action })).toEqual({ status: 0, output: '' });
    return router.calls().filter((call) => call.startsWith('ubus'));
  };

  it('has an agent without a connection start again, once the clock was set', () => {
    expect(ubusCalls('step', {})).toEqual([SIGNAL]);
    expect(ubusCalls('step', { tcp: socket('01', 0), tcp6: socket('06', AGENT) })).toEqual([SIGNAL]);
  });

  it('lets an agent be that is connected, connects, or measures', () => {
    expect(ubusCalls('step', { tcp: socket('0A', 0) + socket('01', AGENT) })).toEqual([]);
    expect(ubusCalls('step', { tcp6: socket('01', AGENT) })).toEqual([]);
    expect(ubusCalls('step', { tcp: socket('02', AGENT) })).toEqual([]);
  });

  it('does nothing when the clock was only trimmed, or without the package', () => {
    expect(ubusCalls('periodic', {})).toEqual([]);
    expect(ubusCalls('stratum', {})).toEqual([]);
    expect(ubusCalls('step', { hasUser: false })).toEqual([]);
  });
});

it('the example configuration is UCI, enabled, and names every option that the init script knows', () => {
  const folder = join(root, 'packaging/openwrt/files');
  const lines = readFileSync(join(folder, 'perfleet.config'), 'utf8').split('\n').filter(Boolean);
  const active = lines.filter((line) => !/^\s*#/.test(line));
  expect(active).toEqual(["config agent 'agent'", "\toption enabled '1'"]);
  const named = lines.flatMap((line) => /^\t#?(?:option|list) (\w+) '[^']+'$/.exec(line)?.[1] ?? []);
  const known =
    /^OPTIONS='(.*)'$/m.exec(readFileSync(join(folder, 'perfleet-agent.init'), 'utf8'))?.[1]?.split(' ') ?? [];
  expect([...new Set(named)].toSorted()).toEqual(known.toSorted());
});
