import { describe, expect, it } from 'vitest';
import { WallWatch } from '../../../controller/runs/wall-watch.ts';
import { JumpingClock } from '../../helpers/jumping-clock.ts';

const MINUTE_MS = 60_000;

const watching = (next: (now_ms: number) => number | null) => {
  const clock = new JumpingClock();
  const begin = clock.wall();
  const looks: number[] = [];
  const watch = new WallWatch(clock, (now_ms) => {
    looks.push(now_ms - begin);
    return next(now_ms);
  });
  return { clock, looks, watch, begin };
};

describe('the wall clock is looked at', () => {
  it('at once, every minute, and at the moment that matters', () => {
    const { clock, looks, watch, begin } = watching((now_ms) => (now_ms < begin + 90_000 ? begin + 90_000 : null));
    watch.look();
    clock.advance(3 * MINUTE_MS);
    expect(looks).toEqual([0, MINUTE_MS, 90_000, 90_000 + MINUTE_MS]);
  });

  it('when somebody asks, and from then on again by itself', () => {
    const { clock, looks, watch } = watching(() => null);
    watch.look();
    clock.advance(30_000);
    watch.look();
    clock.advance(MINUTE_MS);
    expect(looks).toEqual([0, 30_000, 90_000]);
  });

  it('within a minute of a jump, whatever was expected before', () => {
    const { clock, looks, watch, begin } = watching(() => begin + 3_600_000);
    watch.look();
    clock.jump(-86_400_000);
    clock.advance(MINUTE_MS);
    expect(looks).toEqual([0, MINUTE_MS - 86_400_000]);
  });

  it('no more when it was stopped, and stopping what never began does nothing', () => {
    const { clock, looks, watch } = watching(() => null);
    watch.stop();
    watch.look();
    watch.stop();
    clock.advance(10 * MINUTE_MS);
    expect(looks).toEqual([0]);
  });
});
