import { expect, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import { InfluxDesk } from '../../../controller/desks/influx-desk.ts';
import { OutboxDrain } from '../../../controller/influx/drain.ts';
import { writerV2 } from '../../../controller/influx/writer-v2.ts';
import { FarSide } from '../influx/far-side.ts';
import { points } from '../influx/samples.ts';
import { openStore } from '../store/open-store.ts';
import { ending, grant, newRun, resultWrite, T0 } from '../store/samples.ts';

const ALL = { since_ms: 0, until_ms: Number.MAX_SAFE_INTEGER, device: undefined, after: undefined };

const setUp = async () => {
  const store = openStore();
  const { url } = await FarSide.open();
  const writer = writerV2({ version: 2, url, organization: 'wisp', bucket: 'b', token: 't' }, systemClock);
  const log = { info: () => {}, warn: () => {} };
  const drain = new OutboxDrain({ outbox: store.outbox, writer, clock: systemClock, random: () => 1, log });
  return { store, desk: new InfluxDesk({ store, drain }) };
};

/** 300 runs: more than a page. */
const withRuns = async () => {
  const { store, desk } = await setUp();
  store.atomically(() => {
    for (let token = 1; token <= 300; token += 1) {
      store.runs.add([newRun(`r-${token}`)]);
      store.runs.noteGrant(grant(`r-${token}`, token));
      const change = { kind: 'final', ending: ending({ finished_at_ms: T0 + token }) } as const;
      store.results.store(resultWrite(`r-${token}`, token, { change }));
    }
  });
  return { store, desk };
};

test('what was set aside is shown as a line with the reason, also what is no point, and can be tried again', async () => {
  const { store, desk } = await setUp();
  store.atomically(() => store.outbox.add(points(2)));
  const [first, second] = store.outbox.page(2);
  store.outbox.reject([first?.id ?? 0], 'field type conflict');
  expect(desk.status()).toMatchObject({
    value: {
      ...{ waiting: 1, rejected: 1, last_error: null, last_success: null },
      rejected_points: [
        { point: expect.stringMatching(/^iperf3,device=ap-0,.*bytes=117500000i/), error: 'field type conflict' },
      ],
    },
  });
  store.atomically(() => store.outbox.add([{ measurement: 'of another version' } as never]));
  store.outbox.page(9);
  expect(desk.status()).toMatchObject({
    value: {
      rejected_points: [
        { point: '{"measurement":"of another version"}', error: expect.stringContaining('not a point') },
        {},
      ],
    },
  });
  expect(desk.retry()).toEqual({ ok: true, value: { requeued: 2 } });
  expect(store.outbox.page(9).map(({ point }) => point.tags.device)).toEqual([second?.point.tags.device, 'ap-0']);
  expect(desk.status()).toMatchObject({ value: { waiting: 2, rejected: 1 } });
});

test('a backfill puts the points of all runs into the outbox, page by page', async () => {
  const { store, desk } = await withRuns();
  const first = desk.backfill(ALL);
  expect(first).toEqual({ ok: true, value: { runs: 250, points: 500, next: `${T0 + 250}:250` } });
  const after = first.ok ? (first.value.next ?? undefined) : undefined;
  expect(desk.backfill({ ...ALL, after })).toEqual({ ok: true, value: { runs: 50, points: 100, next: null } });
  expect(store.outbox.counts().waiting).toBe(600);
});

test('an export is the same as lines, and needs no InfluxDB', async () => {
  const { store } = await withRuns();
  const desk = new InfluxDesk({ store, drain: null });
  const { runs, lines, next } = desk.export({ ...ALL, since_ms: T0 + 300 });
  expect([runs, next, lines]).toEqual([
    1,
    null,
    [
      expect.stringMatching(/^iperf3,device=ap-12,.* (?=.*bits_per_second=94000000,).*bytes=117500000i,/),
      expect.stringMatching(/^iperf3_run,device=ap-12,.*outcome=success (?=.*run="r-300").*success=1i,/),
    ],
  ]);
});

test('without InfluxDB there is nothing to show, to try again or to send', () => {
  const desk = new InfluxDesk({ store: openStore(), drain: null });
  for (const answer of [desk.status(), desk.retry(), desk.backfill(ALL)]) {
    expect(answer).toMatchObject({ ok: false, problem: { error: 'conflict' } });
  }
});
