import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { AlertView } from '../../../controller/api/alert-views.ts';
import { smallController } from './small-controller.ts';

let controller: Awaited<ReturnType<typeof smallController>>;

const SLOW: AlertView = {
  rule: 'slow-download',
  severity: 'critical',
  metric: 'tcp.download.bits_per_second',
  subject: { kind: 'device', name: 'ap-12' },
  state: 'firing',
  since: '2026-11-22T02:10:31.000Z',
  reason: '18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
  alert: 'slow-download.ap-12.7-1795313431000',
  firing_since: '2026-11-22T02:10:31.000Z',
  hold: null,
};
const OLD: AlertView = {
  ...SLOW,
  rule: 'old',
  severity: null,
  state: 'resolved',
  subject: { kind: 'server', name: 'milan-1' },
};
const WORDS = 'tcp.download.bits_per_second below 20 Mbit/s in 2 of 3 runs, clear at 25 Mbit/s';
const VALUE = { value: 18_200_000, time: '2026-11-22T02:10:12.000Z', run: 'r-af0548a1a75dfb9', server: 'milan-1' };

beforeEach(async () => {
  controller = await smallController();
  controller.service.devices.add({ device: 'ap-12', organization: 'acme', tags: [], uplink_group: null });
});

const cli = (...argv: string[]) => controller.cli(...argv);

describe('alerts', () => {
  it('is a table of what is pending or firing, and with --all of what was', async () => {
    controller.service.listedAlerts.push(SLOW, OLD);
    const table = `since (UTC)          state   severity  of            rule           reason
2026-11-22 02:10:31  firing  critical  device ap-12  slow-download  18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs
`;
    expect(await cli('alerts')).toEqual({ code: 0, out: table, err: '' });
    expect((await cli('alerts', '--all')).out).toMatch(/resolved {2}- +server milan-1 {2}old/);
    expect(JSON.parse((await cli('alerts', '--json', '--all')).out)).toEqual([SLOW, OLD]);
  });

  it('says that there are more than it shows', async () => {
    controller.service.listedAlerts.push(SLOW, SLOW);
    const { out, err } = await cli('alerts', '--limit', '1', '--json');
    expect(JSON.parse(out)).toEqual([SLOW]);
    expect(err).toBe('only the first 1 alerts: there are more, --limit shows up to 10000\n');
    expect(await cli('alerts', '--limit', '2')).toMatchObject({ err: '' });
    expect((await cli('alerts', '--limit', 'all')).err).toMatch(/whole number from 1 to 10000/);
  });

  it('says so when there is nothing', async () => {
    expect(await cli('alerts')).toEqual({ code: 0, out: '', err: 'nothing is pending or firing\n' });
    expect(await cli('alerts', '--all')).toEqual({ code: 0, out: '', err: 'no alerts\n' });
  });
});

describe('alerts explain', () => {
  it('shows each rule in words, its state and why, and its last values', async () => {
    const failed = { ...SLOW, rule: 'check-failed', severity: 'warning', metric: 'run.success' } as const;
    const nothing = { since: null, alert: null, firing_since: null, last_values: [] };
    const ok = { state: 'ok', reason: 'no value yet', rule_in_words: 'run.success below 1 in 2 of 2 runs' } as const;
    const explained = [
      { ...SLOW, rule_in_words: WORDS, last_values: [VALUE, { ...VALUE, value: 9.41e6, server: null }] },
      { ...failed, ...ok, ...nothing },
    ];
    controller.service.explained.push(...explained);
    expect(await cli('alerts', 'explain', 'ap-12')).toEqual({
      code: 0,
      out: `slow-download (critical): ${WORDS}
  firing since 2026-11-22 02:10:31: 18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs
  time (UTC)                 value  server   run
  2026-11-22 02:10:12  18.2 Mbit/s  milan-1  r-af0548a1a75dfb9
  2026-11-22 02:10:12  9.41 Mbit/s  -        r-af0548a1a75dfb9

check-failed (warning): run.success below 1 in 2 of 2 runs
  ok: no value yet
`,
      err: '',
    });
    expect(JSON.parse((await cli('alerts', 'explain', 'ap-12', '--json')).out)).toEqual(explained);
  });

  it('shows plain figures of a rule that is not in force any more', async () => {
    controller.service.explained.push({ ...SLOW, metric: null, rule_in_words: WORDS, last_values: [VALUE] });
    expect((await cli('alerts', 'explain', 'ap-12')).out).toContain('r-af0548a1a75dfb9');
  });

  it('a device without rules, and one that is not there', async () => {
    expect(await cli('alerts', 'explain', 'ap-12')).toEqual({ code: 0, out: '', err: 'no rule is about ap-12\n' });
    expect(await cli('alerts', 'explain', 'nobody')).toMatchObject({
      code: 1,
      err: 'perfleet: there is no device nobody\n',
    });
  });
});

describe('alerts replay', () => {
  const replayed = {
    subject: SLOW.subject,
    firing: SLOW.since,
    reason: SLOW.reason,
    run: VALUE.run,
    resolved: null,
    resolved_reason: null,
  };
  const view = { rule: 'slow-download', rule_in_words: WORDS, since: '2026-11-20T02:00:00.000Z', alerts: [replayed] };
  let file = '';

  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'perfleet-rule-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    file = join(folder, 'slow.yaml');
    writeFileSync(file, 'name: slow-download\n');
  });

  it('sends the rule as it is written, and shows when it would have fired', async () => {
    controller.service.replayed = { ok: true, value: view };
    expect(await cli('alerts', 'replay', '--rule', file, '--since', '2d')).toEqual({
      code: 0,
      out: `firing (UTC)         resolved (UTC)  of            run                reason
2026-11-22 02:10:31  -               device ap-12  r-af0548a1a75dfb9  18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs
`,
      err: `1 alert of 1 subject since 2026-11-20 02:00:00: slow-download, ${WORDS}\n`,
    });
    expect(controller.service.replayOrders).toEqual([{ rule: 'name: slow-download\n', since: '2d' }]);
    expect(JSON.parse((await cli('alerts', 'replay', '--rule', file, '--since', '2d', '--json')).out)).toEqual(view);
    controller.service.replayed = { ok: true, value: { ...view, alerts: [{ ...replayed, run: null }] } };
    expect((await cli('alerts', 'replay', '--rule', file, '--since', '2d')).out).toContain('device ap-12  -  ');
    controller.service.replayed = { ok: true, value: { ...view, alerts: [] } };
    expect(await cli('alerts', 'replay', '--rule', file, '--since', '2d')).toMatchObject({
      out: '',
      err: expect.stringMatching(/^no alert since/),
    });
  });

  it('says what is wrong with the rule, its file or the time', async () => {
    expect(await cli('alerts', 'replay', '--rule', file, '--since', '2d')).toMatchObject({
      code: 1,
      err: 'perfleet: the rule was refused\n',
    });
    expect(await cli('alerts', 'replay', '--rule', `${file}.gone`, '--since', '2d')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^perfleet: the rule can't be read: ENOENT/),
    });
    expect(await cli('alerts', 'replay', '--rule', file, '--since', 'once')).toMatchObject({ code: 2 });
  });
});
