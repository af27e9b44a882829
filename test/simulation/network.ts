import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** How bad the network of the devices is, in one direction. */
export interface Weather {
  loss: number;
  doubling: number;
  /** Share of the messages that take up to `slow_ms` instead of up to 100 ms: they are overtaken. */
  slow: number;
  slow_ms: number;
}

/** What a message takes at most in calm weather. */
export const CALM_DELAY_MS = 100;

export const CALM: Weather = { loss: 0, doubling: 0, slow: 0, slow_ms: 0 };

/** Carries the messages between the broker and the devices: delayed, lost, doubled, reordered. */
export class Network {
  weather: Weather;
  readonly #timeline: Timeline;
  readonly #random: Random;

  constructor(timeline: Timeline, random: Random, weather: Weather) {
    this.#timeline = timeline;
    this.#random = random;
    this.weather = weather;
  }

  carry(deliver: () => void): void {
    const { loss, doubling, slow, slow_ms } = this.weather;
    if (this.#random.chance(loss)) return;
    const copies = this.#random.chance(doubling) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const delay = this.#random.between(0, this.#random.chance(slow) ? slow_ms : CALM_DELAY_MS);
      this.#timeline.after(delay, deliver);
    }
  }
}
