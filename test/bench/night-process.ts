import { systemClock } from '../../broker/clock.ts';
import { nightLap } from './night-lap.ts';

/** A process of its own for each night, so that its memory is its own: `night-process.js DEVICES SERVERS ORGANIZATIONS`, one JSON line. */
const [devices = 0, servers = 0, organizations = 0] = process.argv.slice(2).map(Number);
// The first thousands of steps pay for the compiler; of a small night they would be all there is.
nightLap({ devices: Math.min(devices, 5000), servers: 100, organizations: 10 }, 1, systemClock);
const lap = nightLap({ devices, servers, organizations }, 2, systemClock);
process.stdout.write(`${JSON.stringify(lap)}\n`);
