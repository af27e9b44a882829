import { systemClock } from '../../broker/clock.ts';
import { nightLap } from './night-lap.ts';

/** So many nights come first. A controller runs for months; of its first night, if it is a small one, the compiler is most of the cost. */
const NIGHTS_BEFORE = 5;

/** A process of its own for each night, so that its memory is its own: `night-process.js DEVICES SERVERS ORGANIZATIONS`, one JSON line. */
const [devices = 0, servers = 0, organizations = 0] = process.argv.slice(2).map(Number);
const before = { devices: Math.min(devices, 20_000), servers: 200, organizations: 20 };
for (let night = 1; night <= NIGHTS_BEFORE; night += 1) nightLap(before, night, systemClock);
const lap = nightLap({ devices, servers, organizations }, 2, systemClock);
process.stdout.write(`${JSON.stringify(lap)}\n`);
