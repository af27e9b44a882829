import '../../../../agent/hosts/node/builtins.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { watchFiles } from '../../../../agent/hosts/node/system-files.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const root = () => {
  const folder = tempFolder();
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  return { folder, write };
};

it('the device is looked at when a test begins, and again when it ends', () => {
  const { folder, write } = root();
  write('proc/stat', 'cpu  0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0\n');
  write('proc/loadavg', '0.10 0.00 0.00 1/50 1\n');
  write('etc/config/firewall', "config defaults\n\toption flow_offloading '1'\n");
  const look = watchFiles(folder);
  write('proc/stat', 'cpu  3 0 0 7 0 0 0 0\ncpu0 3 0 0 7 0 0 0 0\n');
  write('proc/loadavg', '0.90 0.00 0.00 1/50 1\n');
  write('proc/meminfo', 'MemAvailable: 2 kB\n');
  expect(look()).toEqual({
    cpu_percent: 30,
    cpu_busiest_percent: 30,
    softirq_percent: 0,
    load: 0.9,
    memory_available_bytes: 2048,
    offload: { flow: true, hardware: false },
  });
});

it('flow offloading is what the init script has put aside, where the configuration is for root alone', () => {
  const { folder, write } = root();
  write('etc/config/firewall', "\toption flow_offloading '1'\n");
  write('var/run/perfleet/firewall', '');
  expect(watchFiles(folder)().offload).toEqual({ flow: false, hardware: false });
});

it('what cannot be read is not known', () => {
  const unknown = { cpu_percent: null, cpu_busiest_percent: null, softirq_percent: null, load: null };
  expect(watchFiles(join(tempFolder(), 'nowhere'))()).toEqual({
    ...unknown,
    memory_available_bytes: null,
    offload: null,
  });
});
