import { CALM, type Weather } from './network.ts';
import type { Random } from './random.ts';

/** What kind of night it is: how much of each kind of trouble there will be. */
export interface Character {
  /** Nothing goes wrong at all: then no server may be idle while somebody waits for it. */
  is_calm: boolean;
  up: Weather;
  down: Weather;
  controllers: number;
  /** Share of the devices that run agent/core itself. */
  real: number;
  /** Of all devices, but only in some nights: see device.ts. */
  refusing: number;
  deaf: number;
  syn_loss: number;
  link_loss: number;
  /** How often something happens to a device, a controller, a server, a clock, or people do something. */
  device_troubles: number;
  controller_troubles: number;
  server_troubles: number;
  clock_jumps: number;
  people: number;
  /** Runs asked for by people. */
  demands: number;
  maintenance: boolean;
  over_budget: boolean;
  /** What earlier lives of agents and controllers left retained on the broker. */
  leftovers: boolean;
  /** Servers that are started anew after each test. */
  one_off: boolean;
}

const someWeather = (random: Random): Weather =>
  random.chance(0.3)
    ? CALM
    : {
        loss: random.between(0, 0.3),
        doubling: random.between(0, 0.3),
        slow: random.between(0, 0.4),
        slow_ms: random.between(1000, 20_000),
      };

/** Up to `most`, in some nights; in most of them few. */
const some = (random: Random, chance: number, most: number): number =>
  random.chance(chance) ? random.whole(1, random.chance(0.3) ? most : Math.ceil(most / 4)) : 0;

export const CALM_NIGHT: Omit<Character, 'demands' | 'one_off' | 'real' | 'maintenance'> = {
  is_calm: true,
  up: CALM,
  down: CALM,
  controllers: 1,
  refusing: 0,
  deaf: 0,
  syn_loss: 0,
  link_loss: 0,
  device_troubles: 0,
  controller_troubles: 0,
  server_troubles: 0,
  clock_jumps: 0,
  people: 0,
  over_budget: false,
  leftovers: false,
};

export const someCharacter = (random: Random): Character => {
  const demands = random.whole(0, 6);
  const one_off = random.chance(0.2);
  const real = random.chance(0.3) ? 1 : random.chance(0.5) ? 0.5 : 0;
  if (random.chance(0.15)) return { ...CALM_NIGHT, demands, one_off, real, maintenance: random.chance(0.2) };
  return {
    is_calm: false,
    up: someWeather(random),
    down: someWeather(random),
    controllers: random.chance(0.25) ? 2 : 1,
    real,
    refusing: random.chance(0.2) ? 0.1 : 0,
    deaf: random.chance(0.5) ? 0.5 : 0,
    syn_loss: random.chance(0.4) ? 0.3 : 0,
    link_loss: random.chance(0.3) ? 0.1 : 0,
    device_troubles: some(random, 0.8, 24),
    controller_troubles: some(random, 0.7, 12),
    server_troubles: some(random, 0.4, 10),
    clock_jumps: some(random, 0.25, 4),
    people: some(random, 0.4, 8),
    demands,
    maintenance: random.chance(0.15),
    over_budget: random.chance(0.1),
    leftovers: random.chance(0.25),
    one_off,
  };
};
