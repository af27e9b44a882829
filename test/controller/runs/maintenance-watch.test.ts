import { describe, expect, it, onTestFinished } from 'vitest';
import { plainServer } from '../../../controller/config/servers-section.ts';
import type { ServerSettings } from '../../../controller/config/settings.ts';
import { MaintenanceWatch } from '../../../controller/runs/maintenance-watch.ts';
import type { SlotEvent } from '../../../controller/slots/events.ts';
import { worldSettings } from '../../helpers/controller-fixture.ts';
import { JumpingClock } from '../../helpers/jumping-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';

const HOUR_MS = 3_600_000;

/** Sundays at three, for an hour; the manual clock begins on a Sunday at midnight UTC. */
const SUNDAYS = { schedule: '0 3 * * 0', timezone: 'UTC', duration_ms: HOUR_MS };

const watching = (maintenance: ServerSettings['maintenance'] = [SUNDAYS]) => {
  const servers = new Map<string, ServerSettings>([
    ['s-1', { ...plainServer('s-1', '127.0.0.1', 5201), maintenance }],
    ['s-2', plainServer('s-2', '127.0.0.1', 5202)],
  ]);
  const settings = worldSettings({ settings: { servers } });
  const clock = new JumpingClock();
  const log = new RecordedLog();
  const told: SlotEvent[] = [];
  const watch = new MaintenanceWatch({ settings: () => settings, clock, log, handle: (event) => told.push(event) });
  onTestFinished(() => watch.stop());
  /** Moves in steps, as a clock does, and returns what the slots were told on the way. */
  const advance = (ms: number): SlotEvent[] => {
    const before = told.length;
    for (let left = ms; left > 0; left -= 10_000) clock.advance(Math.min(left, 10_000));
    return told.slice(before);
  };
  return { settings, servers, clock, log, told, watch, advance };
};

const told = (under_way: boolean, next_at: number) => ({ type: 'maintenance', server: 's-1', under_way, next_at });

describe('planned maintenance', () => {
  it('is told when it is known, when it begins and when it is over, in monotonic time', () => {
    const { clock, log, watch, advance, told: all } = watching();
    clock.jump(HOUR_MS);
    watch.look();
    expect(all).toEqual([told(false, 2 * HOUR_MS)]);
    expect(advance(2 * HOUR_MS - 1)).toEqual([]);
    expect(advance(1)).toEqual([told(true, 3 * HOUR_MS)]);
    expect(advance(HOUR_MS)).toEqual([told(false, (2 + 7 * 24) * HOUR_MS)]);
    expect(log.of('info').map(({ message, fields }) => [message, fields])).toEqual([
      ['maintenance of a server has begun', { server: 's-1', until: '2026-11-22T04:00:00.000Z' }],
      ['maintenance of a server is over', { server: 's-1' }],
    ]);
  });

  it('is told at the start when it is under way', () => {
    const { clock, watch, told: all } = watching();
    clock.jump(3.5 * HOUR_MS);
    watch.look();
    expect(all).toEqual([told(true, HOUR_MS / 2)]);
  });

  it('is told again within a minute when the clock has jumped', () => {
    const { clock, watch, advance } = watching();
    watch.look();
    clock.jump(3.5 * HOUR_MS);
    expect(advance(60_000)).toEqual([told(true, HOUR_MS / 2)]);
    clock.jump(-2 * HOUR_MS);
    expect(advance(60_000)).toEqual([told(false, 1.5 * HOUR_MS)]);
  });

  it('is told anew when a slow clock has drifted by a second, and not before', () => {
    const { clock, watch, advance } = watching();
    watch.look();
    clock.jump(-600);
    expect(advance(60_000)).toEqual([]);
    clock.jump(-600);
    expect(advance(60_000)).toEqual([told(false, 3 * HOUR_MS + 1200)]);
  });

  it('is over for a server that has none any more, or left the settings', () => {
    const { clock, watch, servers, told: all, advance } = watching();
    clock.jump(3 * HOUR_MS);
    watch.look();
    servers.delete('s-1');
    watch.look();
    expect(all).toEqual([told(true, HOUR_MS), told(false, Number.POSITIVE_INFINITY)]);
    expect(advance(HOUR_MS)).toEqual([]);
  });

  it('is never spoken of where nobody plans any', () => {
    const { watch, advance } = watching([]);
    watch.look();
    expect(advance(HOUR_MS)).toEqual([]);
  });
});
