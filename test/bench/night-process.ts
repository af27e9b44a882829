import { systemClock } from '../../broker/clock.ts';
import { Random } from '../simulation/random.ts';
import { cpuSeconds, nightLap } from './night-lap.ts';
import { walkRecords } from './night-records.ts';

/** So many nights come first. A controller runs for months; of its first night, if it is a small one, the compiler is most of the cost. */
const NIGHTS_BEFORE = 5;

/*
 * A process of its own for each night, and for each walk, so that its memory is its own. One JSON line:
 *
 *   night-process.js night DEVICES SERVERS ORGANIZATIONS     the NightLap
 *   night-process.js records DEVICES SERVERS ORGANIZATIONS   µs of CPU time a device, of the memory alone
 */
const [devices = 0, servers = 0, organizations = 0] = process.argv.slice(3).map(Number);
const size = { devices, servers, organizations };
const before = { devices: Math.min(devices, 20_000), servers: 200, organizations: 20 };

/** Five times the small one, then the one that counts, with a seed of its own. */
const afterOthers = <T>(go: (size: typeof before, seed: number) => T): T => {
  for (let night = 1; night <= NIGHTS_BEFORE; night += 1) go(before, night);
  return go(size, 2);
};

const walk = (walked: typeof size, seed: number): number => {
  const began = cpuSeconds();
  walkRecords(walked.devices, walked.servers, new Random(seed));
  return (1e6 * (cpuSeconds() - began)) / walked.devices;
};

const found =
  process.argv[2] === 'records' ? afterOthers(walk) : afterOthers((night, seed) => nightLap(night, seed, systemClock));
process.stdout.write(`${JSON.stringify(found)}\n`);
