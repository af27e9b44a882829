import { expect, it } from 'vitest';
import { limitedLog } from '../../controller/limited-log.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';

const setUp = () => {
  const clock = new ManualClock();
  const recorded = new RecordedLog();
  return { clock, recorded, log: limitedLog(recorded, clock) };
};

it('lets twenty warnings of one wording through in ten seconds, and then says how many it kept back', () => {
  const { clock, recorded, log } = setUp();
  for (let index = 0; index < 50; index += 1) log.warn({ index }, 'dropped');
  expect(recorded.lines.map(({ fields }) => fields['index'])).toEqual(Array.from({ length: 20 }, (_, index) => index));
  clock.advance(9_999);
  log.warn({}, 'dropped');
  expect(recorded.lines).toHaveLength(20);
  clock.advance(1);
  log.warn({ index: 51 }, 'dropped');
  expect(recorded.lines.at(-1)).toEqual({ level: 'warn', fields: { index: 51, unlogged: 31 }, message: 'dropped' });
  clock.advance(10_000);
  log.warn({}, 'dropped');
  expect(recorded.lines.at(-1)?.fields).toEqual({});
});

it('keeps wordings apart, and lets every other level through', () => {
  const { recorded, log } = setUp();
  for (let index = 0; index < 25; index += 1) {
    log.warn({}, 'one');
    log.warn({}, 'other');
    log.debug({}, 'debug');
    log.info({}, 'info');
    log.error({}, 'error');
  }
  expect((['warn', 'debug', 'info', 'error'] as const).map((level) => recorded.of(level).length)).toEqual([
    40, 25, 25, 25,
  ]);
});
