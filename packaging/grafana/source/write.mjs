// @ts-check
// Writes the dashboards: node packaging/grafana/source/write.mjs

import { mkdirSync, writeFileSync } from 'node:fs';
import device from './device.mjs';
import fleet from './fleet.mjs';
import { print } from './print.mjs';
import server from './server.mjs';

const folder = new URL('../dashboards/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, dashboard] of Object.entries({ fleet, device, server })) {
  writeFileSync(new URL(`${name}.json`, folder), `${print(dashboard)}\n`);
}
