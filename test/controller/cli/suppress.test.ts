import { beforeEach, describe, expect, it } from 'vitest';
import { smallController } from './small-controller.ts';

let controller: Awaited<ReturnType<typeof smallController>>;

beforeEach(async () => {
  controller = await smallController();
});

const cli = (...argv: string[]) => controller.cli(...argv);

describe('suppress', () => {
  it('without a scope is of the fleet, until it is resumed', async () => {
    expect(await cli('suppress')).toEqual({
      code: 0,
      out: `the fleet is suppressed until it is resumed: no new run starts.
What runs already goes on to its end; --stop-running stops it at once.
`,
      err: '',
    });
    expect(controller.service.suppressionOrders).toEqual([
      { what: { scope: 'fleet' }, until_ms: null, reason: null, stop_running: false },
    ]);
  });

  it.each(['organization', 'server', 'device', 'tag'])('takes one %s, with an end and a reason', async (scope) => {
    const until = '2126-11-22T06:00:00Z';
    const { code, out } = await cli('suppress', `--${scope}`, 'a-1', '--until', until, '--reason', 'radio work');
    const said = scope === 'tag' ? 'every device with tag a-1' : `${scope} a-1`;
    expect([code, out.split('\n')[0]]).toEqual([
      0,
      `${said} is suppressed until 2126-11-22 06:00:00 UTC: no new run starts.`,
    ]);
    expect(controller.service.suppressionOrders).toEqual([
      { what: { scope, name: 'a-1' }, until_ms: Date.parse(until), reason: 'radio work', stop_running: false },
    ]);
  });

  it('--for is a length from now on', async () => {
    const before = Date.now();
    await cli('suppress', '--for', '2h');
    const until_ms = controller.service.suppressionOrders[0]?.until_ms ?? 0;
    expect(until_ms - before).toBeGreaterThanOrEqual(7_200_000);
    expect(until_ms - before).toBeLessThan(7_260_000);
  });

  it('--stop-running says how many runs it has stopped', async () => {
    expect((await cli('suppress', '--stop-running')).out).toContain('\n2 running runs stopped.\n');
    expect(controller.service.suppressionOrders[0]?.stop_running).toBe(true);
  });

  it('warns on stderr about what looks odd', async () => {
    const { code, err } = await cli('suppress', '--tag', 'lte');
    expect([code, err]).toEqual([0, 'warning: no device has the tag lte\n']);
  });

  it('--json is the answer of the API', async () => {
    expect(JSON.parse((await cli('suppress', '--tag', 'lte', '--json')).out)).toEqual({
      suppression: controller.service.suppressed[0],
      stopped: 0,
      warnings: ['no device has the tag lte'],
    });
  });

  it('an end in the past is refused', async () => {
    expect(await cli('suppress', '--until', '2020-01-01T00:00:00Z')).toEqual({
      code: 1,
      out: '',
      err: `perfleet: the body of the request is not as expected
  until: is in the past: expected a time to come
`,
    });
  });
});

describe('suppress --list', () => {
  it('is a table of what is suppressed, and changes nothing', async () => {
    await cli('suppress');
    await cli('suppress', '--device', 'ap-12', '--until', '2126-11-22T06:00:00Z', '--reason', 'on\x1b[2J the roof');
    expect(await cli('suppress', '--list')).toEqual({
      code: 0,
      out: `suppressed    since (UTC)          until (UTC)          reason
the fleet     2026-11-22 02:00:00  -                    -
device ap-12  2026-11-22 02:00:00  2126-11-22 06:00:00  on?[2J the roof
`,
      err: '',
    });
    expect(controller.service.suppressionOrders).toHaveLength(2);
  });

  it('says that there is none', async () => {
    expect(await cli('suppress', '--list')).toEqual({ code: 0, out: '', err: 'nothing is suppressed\n' });
    expect(await cli('suppress', '--list', '--json')).toEqual({ code: 0, out: '[]\n', err: '' });
  });
});

describe('resume', () => {
  it('lifts the suppression of one scope, without one that of the fleet', async () => {
    await cli('suppress');
    await cli('suppress', '--server', 'milan-1');
    expect(await cli('resume')).toEqual({ code: 0, out: 'the fleet is no longer suppressed.\n', err: '' });
    expect(await cli('resume', '--server', 'milan-1', '--json')).toEqual({
      code: 0,
      out: '{"resumed":[{"scope":"server","name":"milan-1","until":null,"reason":null,"since":"2026-11-22T02:00:00.000Z"}]}\n',
      err: '',
    });
  });

  it('--all lifts every one, and has no objection when there is none', async () => {
    await cli('suppress');
    await cli('suppress', '--device', 'ap-12');
    expect((await cli('resume', '--all')).out).toBe(
      'the fleet is no longer suppressed.\ndevice ap-12 is no longer suppressed.\n',
    );
    expect(await cli('resume', '--all')).toEqual({ code: 0, out: '', err: 'nothing was suppressed\n' });
  });

  it('fails for what is not suppressed', async () => {
    expect(await cli('resume', '--device', 'ap-12')).toEqual({
      code: 1,
      out: '',
      err: 'perfleet: it is not suppressed\n',
    });
  });
});
