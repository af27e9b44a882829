import { expect, it } from 'vitest';
import type { BackfillOrder, InfluxView } from '../../../controller/api/influx-views.ts';
import { smallController } from './small-controller.ts';

const VIEW: InfluxView = {
  waiting: 64,
  rejected: 5,
  last_error: 'InfluxDB answered 404',
  last_success: '2026-11-22T02:00:01.250Z',
  rejected_points: [1, 2, 3, 4].map((n) => ({ point: `iperf3,device=ap-${n} bytes=1i 1`, error: 'conflict' })),
};

const withInflux = async (view = VIEW) => {
  const small = await smallController();
  const orders: BackfillOrder[] = [];
  small.service.influx = {
    status: () => ({ ok: true, value: view }),
    retry: () => ({ ok: true, value: { requeued: 1 } }),
    backfill: (order) => {
      orders.push(order);
      const next = order.after === undefined ? '17.5:250' : null;
      return { ok: true, value: { runs: 250, points: 1000, next } };
    },
    export: (order) => {
      orders.push(order);
      return { runs: 1, lines: [`line ${orders.length}`, 'b'], next: orders.length < 3 ? `1:${orders.length}` : null };
    },
  };
  return { ...small, orders };
};

it('influx status shows what waits, the newest points that were refused, and how many more', async () => {
  const { cli } = await withInflux();
  expect(await cli('influx', 'status')).toEqual({
    code: 0,
    out: `waiting             64
set aside           5
last success (UTC)  2026-11-22 02:00:01
last error          InfluxDB answered 404

iperf3,device=ap-1 bytes=1i 1
  conflict

iperf3,device=ap-2 bytes=1i 1
  conflict

iperf3,device=ap-3 bytes=1i 1
  conflict

and 2 more
`,
    err: '',
  });
  expect(JSON.parse((await cli('influx', 'status', '--json')).out)).toEqual(VIEW);
});

it('influx status is short when all is well', async () => {
  const { cli } = await withInflux({ ...VIEW, waiting: 0, rejected: 0, last_error: null, rejected_points: [] });
  expect((await cli('influx', 'status')).out).toMatch(/last error {10}-\n$/);
});

it('influx retry says how many points are tried again', async () => {
  const { cli } = await withInflux();
  expect(await cli('influx', 'retry')).toEqual({ code: 0, out: '1 point will be tried again.\n', err: '' });
  expect(JSON.parse((await cli('influx', 'retry', '--json')).out)).toEqual({ requeued: 1 });
});

it('influx backfill asks for page after page, up to now', async () => {
  const { cli, orders } = await withInflux();
  const { out } = await cli('influx', 'backfill', '--since', '2026-11-22T02:00:00Z');
  expect(out).toBe('2000 points of 500 runs will be sent.\n');
  expect(orders).toMatchObject([{ since_ms: Date.UTC(2026, 10, 22, 2), after: undefined }, { after: '17.5:250' }]);
  expect(orders[0]?.until_ms).toBe(orders[1]?.until_ms);
  const until = ['--until', '2026-11-23T00:00:00Z', '--json'];
  expect(JSON.parse((await cli('influx', 'backfill', '--since', '24h', ...until)).out)).toEqual({
    runs: 500,
    points: 2000,
  });
  expect(orders.at(-1)?.until_ms).toBe(Date.UTC(2026, 10, 23));
});

it('export prints the lines of all pages, of one device if that is asked for', async () => {
  const { cli, orders } = await withInflux();
  const asked = await cli('export', '--since', '24h', '--device', 'ap-1');
  expect(asked).toEqual({ code: 0, out: 'line 1\nb\nline 2\nb\nline 3\nb\n', err: '' });
  expect(orders.map(({ device, after }) => [device, after])).toEqual([
    ['ap-1', undefined],
    ['ap-1', '1:1'],
    ['ap-1', '1:2'],
  ]);
  expect((await cli('export', '--since', '24h', '--json')).out).toBe('{"line":"line 4"}\n{"line":"b"}\n');
});

it.each([
  ['influx', 'status'],
  ['influx', 'retry'],
  ['influx', 'backfill', '--since', '1h'],
])('%s %s fails without an influx section', async (...argv) => {
  const { cli } = await smallController();
  expect(await cli(...argv)).toEqual({
    ...{ code: 1, out: '' },
    err: 'perfleet: there is no influx section in the configuration\n',
  });
});

it.each([['export'], ['influx', 'backfill'], ['export', '--since', 'yesterday']])(
  '%s %s %s is a wrong call',
  async (...argv) => {
    const { cli } = await smallController();
    expect((await cli(...argv)).code).toBe(2);
  },
);

it('a page that nobody named, and a time that is none, are refused by the API', async () => {
  const { url } = await smallController();
  const headers = { authorization: 'Bearer correct-horse' };
  for (const query of ['since=1h&after=x', 'since=x', '', 'since=1h&zz=1']) {
    expect((await fetch(`${url}/api/1/export?${query}`, { headers })).status).toBe(400);
  }
  const body = JSON.stringify({ since: 'x' });
  expect((await fetch(`${url}/api/1/influx/backfill`, { method: 'POST', headers, body })).status).toBe(400);
});
