import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../../controller/api/problem.ts';
import { servedApi } from './served-api.ts';

let api: Awaited<ReturnType<typeof servedApi>>;

beforeEach(async () => {
  api = await servedApi();
});

const PATH = '/api/1/suppressions';
const problems = async (answer: Response) => [answer.status, Problem.parse(await answer.json()).problems];

describe('suppressions', () => {
  it('are set, listed and lifted', async () => {
    const set = await api.post(PATH, { scope: 'device', name: 'ap-12', reason: 'on the roof', stop_running: true });
    const suppression = {
      scope: 'device',
      name: 'ap-12',
      until: null,
      reason: 'on the roof',
      since: '2026-11-22T02:00:00.000Z',
    };
    expect([set.status, await set.json()]).toEqual([201, { suppression, stopped: 2, warnings: [] }]);
    expect(await (await api.call(PATH)).json()).toEqual([suppression]);
    const lifted = await api.call(`${PATH}?scope=device&name=ap-12`, { method: 'DELETE' });
    expect([lifted.status, await lifted.json()]).toEqual([200, { resumed: [suppression] }]);
    expect((await api.call(`${PATH}?scope=device&name=ap-12`, { method: 'DELETE' })).status).toBe(404);
  });

  it('can all be lifted at once', async () => {
    await api.post(PATH, { scope: 'fleet' });
    const lifted = await api.call(`${PATH}?all=true`, { method: 'DELETE' });
    expect(await lifted.json()).toMatchObject({ resumed: [{ scope: 'fleet', name: null }] });
  });

  it('end at a time, in whatever zone it is given, or after a length from now', async () => {
    await api.post(PATH, { scope: 'fleet', until: '2126-11-22T07:00:00+01:00' });
    await api.post(PATH, { scope: 'fleet', for: '90m' });
    expect(api.service.suppressionOrders.map(({ until_ms }) => until_ms)).toEqual([
      Date.UTC(2126, 10, 22, 6),
      api.clock.wall() + 5_400_000,
    ]);
  });

  it.each([
    [{ scope: 'fleet', name: 'acme' }, 'name: the fleet has no name'],
    [{ scope: 'tag' }, 'name: expected the name of the tag'],
    [{ scope: 'fleet', until: '2020-01-01T00:00:00Z' }, 'until: is in the past: expected a time to come'],
    [{ scope: 'fleet', for: '0s' }, 'for: is in the past: expected a time to come'],
    [{ scope: 'fleet', for: '99999999d' }, 'for: ends after the year 9999: leave it out for one without an end'],
    [
      { scope: 'fleet', until: '9999-12-31T23:59:59-01:00' },
      'until: ends after the year 9999: leave it out for one without an end',
    ],
    [{ scope: 'fleet', for: 'ever' }, 'for: expected a length such as 2h'],
    [{ scope: 'fleet', for: '2h', until: '2126-11-22T06:00:00Z' }, 'until: expected either a time or a length'],
    [{ scope: 'fleet', for: '2h', colour: 'red' }, 'body: Unrecognized key: "colour"'],
  ])('are refused as %j', async (body, problem) => {
    expect(await problems(await api.post(PATH, body))).toEqual([400, [problem]]);
    expect(api.service.suppressionOrders).toEqual([]);
  });

  it.each(['', '?all=true&scope=fleet'])('say what the query "%s" lacks to lift any', async (query) => {
    const answer = await api.call(`${PATH}${query}`, { method: 'DELETE' });
    expect(await problems(answer)).toEqual([400, ['query: expected scope (and name), or all=true']]);
  });

  it.each(['', '?scope=device', '?scope=fleet&name=a', '?all=no', '?all=true&scope=fleet', '?scope=sever&name=a'])(
    'are not lifted by the query "%s"',
    async (query) => {
      await api.post(PATH, { scope: 'fleet' });
      const [status, [problem]] = (await problems(await api.call(`${PATH}${query}`, { method: 'DELETE' }))) as [
        number,
        string[],
      ];
      expect([status, typeof problem]).toEqual([400, 'string']);
      expect(api.service.suppressed).toHaveLength(1);
    },
  );
});
