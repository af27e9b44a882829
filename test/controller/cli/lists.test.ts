import { describe, expect, it } from 'vitest';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { runRecord } from '../api/sample-run.ts';
import { testSystem } from '../results/test-system.ts';
import { smallController } from './small-controller.ts';

describe('server list', () => {
  it('is an aligned table of the servers and who uses them', async () => {
    const { cli } = await smallController();
    expect(await cli('server', 'list')).toEqual({
      code: 0,
      out: `server   address                  host group  state   device  run  queued
milan-1  iperf1.example.net:5201  milan       leased  ap-12   r-1       2
rome-1   [2001:db8::1]:5202       -           idle    -       -         0
`,
      err: '',
    });
  });

  it('--json is an array of the same', async () => {
    const { cli, service } = await smallController();
    expect(JSON.parse((await cli('server', 'list', '--json')).out)).toEqual(service.servers.list());
  });

  it('says where servers come from when there is none', async () => {
    const { cli, service } = await smallController();
    service.servers.list = () => [];
    expect(await cli('server', 'list')).toEqual({
      code: 0,
      out: '',
      err: 'no servers: list them under `servers` in the configuration\n',
    });
  });
});

describe('results', () => {
  it('are a table, newest first, times in UTC', async () => {
    const { cli, service } = await smallController();
    service.stored.set('r-1', runRecord());
    const none = { server: null, via: null, granted_at: null, measurements: [] };
    service.stored.set(
      'r-2',
      runRecord({ run: 'r-2', device: 'ap-9', outcome: 'skipped', reason: 'offline', ...none }),
    );
    service.stored.set('r-3', runRecord({ run: 'r-3', device: 'ap-9', outcome: null, ...none }));
    expect(await cli('results')).toEqual({
      code: 0,
      out: `started (UTC)        run  device  server   outcome   up Mbit/s  down Mbit/s  jitter ms  loss %  reason
2026-11-22 02:00:01  r-1  ap-12   milan-1  success        94.0          188      0.042    0.25
-                    r-2  ap-9    -        skipped           -            -          -       -  offline
-                    r-3  ap-9    -        not over          -            -          -       -
`,
      err: '',
    });
  });

  it('mark a figure that was measured while a CPU of the device was at its end', async () => {
    const { cli, service } = await smallController();
    const system = [testSystem('tcp-upload', 94), testSystem('tcp-download', 95), testSystem('udp-upload', null)];
    service.stored.set('r-1', runRecord({ system }));
    const { out, err } = await cli('results');
    expect(out).toMatch(/ 94\.0 +188\* /);
    expect(err).toBe('* not the link alone, or not measured as such: perfleet results show RUN says why\n');
  });

  it('--json are an array of run objects', async () => {
    const { cli, service } = await smallController();
    service.stored.set('r-1', runRecord());
    expect(JSON.parse((await cli('results', '--json')).out)).toEqual([runRecord()]);
  });

  it('can be narrowed by device, time and number', async () => {
    const { cli, service } = await smallController();
    service.stored.set('r-1', runRecord());
    const asked = await cli('results', '--device', 'ap-12', '--since', '2026-11-22T02:00:00+01:00', '--limit', '1');
    expect([asked.code, asked.err]).toEqual([0, '']);
    expect(service.filters).toEqual([{ device: 'ap-12', since_ms: Date.UTC(2026, 10, 22, 1), limit: 1 }]);
  });

  it('say when there may be more than nobody asked for', async () => {
    const { cli, service } = await smallController();
    for (let index = 0; index < 1001; index++) service.stored.set(`r-${index}`, runRecord({ run: `r-${index}` }));
    const { code, out, err } = await cli('results', '--json');
    expect([code, JSON.parse(out).length]).toEqual([0, 1000]);
    expect(err).toBe('only the newest 1000 runs: --limit shows more, --since fewer\n');
  });

  it('say so when there is none', async () => {
    const { cli } = await smallController();
    expect(await cli('results', '--since', '24h')).toEqual({ code: 0, out: '', err: 'no such runs\n' });
  });

  it.each([
    ['--since', 'yesterday', 'Expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h.'],
    ['--limit', '0', 'Expected a whole number from 1 to 10000.'],
    ['--limit', '10001', 'Expected a whole number from 1 to 10000.'],
  ])('refuse %s %s as a wrong call', async (option, value, advice) => {
    const { cli, service } = await smallController();
    const { code, err } = await cli('results', option, value);
    expect(code).toBe(2);
    expect(err).toContain(advice);
    expect(service.filters).toEqual([]);
  });

  it('are coloured on a terminal only, and not there when NO_COLOR is set', async () => {
    const { ioFor, service } = await smallController();
    service.stored.set('r-1', runRecord());
    const terminal = ioFor({ isTTY: true });
    await runCli(['results'], terminal);
    expect(terminal.stdout.text).toContain('\x1b[1mdevice\x1b[0m');
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const plain = ioFor({ isTTY: true, env });
      await runCli(['results'], plain);
      expect(plain.stdout.text).not.toContain('\x1b');
    }
  });
});
