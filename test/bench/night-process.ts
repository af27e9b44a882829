import { systemClock } from '../../broker/clock.ts';
import { nightLap } from './night-lap.ts';

/** A process of its own for each night, so that its memory is its own: `night-process.js DEVICES SERVERS ORGANIZATIONS`, one JSON line. */
const [devices = 0, servers = 0, organizations = 0] = process.argv.slice(2).map(Number);
// The compiler's work is done in a night before this one: of a small night it would be most of the cost.
nightLap({ devices: Math.min(devices, 20_000), servers: 200, organizations: 20 }, 1, systemClock);
const lap = nightLap({ devices, servers, organizations }, 2, systemClock);
process.stdout.write(`${JSON.stringify(lap)}\n`);
