import { join } from 'node:path';
import { expect } from 'vitest';
import { readConfig } from '../../../agent/hosts/node/config.ts';
import { root } from '../../../packaging/root.mjs';
import { createRouter } from './router.ts';

/** Of the section `agent`; a list is a `list` of UCI. */
export type Options = Record<string, string | string[]>;

const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** What the agent cannot do without. */
export const MINIMAL = { broker: 'mqtt://controller.example.net:1883', password: 'secret' };

/** A router with the init script and these options in /etc/config/perfleet. */
export const createService = () => {
  const router = createRouter();
  const script = router.install('etc/init.d/perfleet-agent', 'perfleet-agent.init');
  router.file('sys/class/net/br-lan/address', 'aa:bb:cc:00:11:22\n');
  const set = (options: Options): void => {
    const lines = Object.entries(options).flatMap(([name, value]) =>
      typeof value === 'string'
        ? [`option ${name} ${quoted(value)}`]
        : value.map((item) => `list ${name} ${quoted(item)}`),
    );
    router.file('options', lines.map((line) => `${line}\n`).join(''));
  };
  const run = (action: string) => {
    router.file('procd', '');
    router.file('calls', '');
    const { status, output } = router.run([join(root, 'test/packaging/openwrt/rc.common'), script, action]);
    expect({ status, output }).toEqual({ status: 0, output: '' });
    return {
      procd: router.read('procd').replaceAll(router.router, '').split('\n').filter(Boolean),
      log: router.calls().flatMap((line) => line.match(/^logger -t perfleet -p daemon\.warn (.*)$/)?.[1] ?? []),
    };
  };
  const config = join(router.router, 'var/run/perfleet/agent.json');
  return { ...router, set, config, start: () => run('start'), reload: () => run('reload') };
};

/** The service with these options, once started. */
export const startWith = (options: Options) => {
  const service = createService();
  service.set(options);
  return { ...service, ...service.start(), started: () => readConfig(service.config) };
};

export const isStarted = (procd: string[]): boolean => procd.includes('open_instance');
