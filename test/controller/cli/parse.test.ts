import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAlone } from './small-controller.ts';

const CORPUS = join(import.meta.dirname, '../../iperf3-corpus');
const corpus = (name: string) => join(CORPUS, name);

describe('parse', () => {
  it('shows the numbers of one test', async () => {
    const file = corpus('v3.12__udp_up.json');
    expect(await runAlone(['parse', file])).toEqual({
      code: 0,
      out: `${file}: iperf3 3.12
test        direction  Mbit/s  jitter ms  loss %  retransmits  rtt ms
udp-upload  upload       20.1      0.010    0.00            -       -
`,
      err: '',
    });
  });

  it('shows why there are none, and exits with 1', async () => {
    const file = corpus('v3.12__err_busy.json');
    expect(await runAlone(['parse', file])).toEqual({
      code: 1,
      out: `${file}: iperf3 3.12, no measurement
failed, busy: the server is busy running a test. try again later (is tried again)
`,
      err: '',
    });
    const { code, out } = await runAlone(['parse', '-'], { stdin: 'not iperf3\n' });
    expect(code).toBe(1);
    expect(out).toMatch(/^stdin: unknown version, no measurement\nfailed, \w+: .* \(is not tried again\)\n/);
  });

  it('--json prints a line for each file, in order, and exits with 1 if one is not ok', async () => {
    const files = [corpus('v3.12__tcp_bidir.json'), corpus('v3.12__err_busy.json'), '/nowhere/a.json'];
    const { code, out, err } = await runAlone(['parse', '--json', ...files]);
    expect(code).toBe(1);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const unreadable = "cannot read /nowhere/a.json: ENOENT: no such file or directory, open '/nowhere/a.json'";
    expect(err).toBe(`perfleet: ${unreadable}\n`);
    expect(lines).toEqual([
      {
        ok: true,
        version: '3.12',
        measurements: [
          expect.objectContaining({ test: 'tcp-bidir', protocol: 'tcp', direction: 'upload' }),
          expect.objectContaining({ test: 'tcp-bidir', protocol: 'tcp', direction: 'download' }),
        ],
        warnings: [],
      },
      {
        ok: false,
        failure: { class: 'busy', message: 'the server is busy running a test. try again later', retryable: true },
      },
      { ok: false, error: unreadable },
    ]);
  });

  it('shows the direction that arrived of a test that failed', async () => {
    const whole = readFileSync(corpus('v3.12__udp_bidir.json'), 'utf8');
    const stdin = whole.replace(/("sum_received_bidir_reverse":\s*\{[^}]*?"bytes":\s*)\d+/, '$10');
    const { code, out } = await runAlone(['parse', '-'], { stdin });
    expect(code).toBe(1);
    expect(out).toMatch(/^stdin: iperf3 3\.12\n.*\nudp-bidir {2}upload .*\nfailed, link-lost: /);
    const json = JSON.parse((await runAlone(['parse', '--json', '-'], { stdin })).out);
    expect(json).toMatchObject({ ok: false, failure: { class: 'link-lost' }, measurements: [{ direction: 'upload' }] });
  });

  it('goes on after a file that cannot be read', async () => {
    const { code, out, err } = await runAlone(['parse', '/nowhere/a.json', corpus('v3.12__tcp_up.json')]);
    expect(code).toBe(1);
    expect(err).toContain('cannot read /nowhere/a.json');
    expect(out).toContain('tcp-upload');
  });

  it('shows warnings about numbers that were dropped', async () => {
    const { out } = await runAlone(['parse', corpus('malformed_nan.json')]);
    expect(out).toMatch(/\nwarning: /);
  });

  it("takes iperf3's stderr into account", async () => {
    const file = corpus('v3.9__err_refused.json');
    const { code, out } = await runAlone(['parse', '--json', '--stderr', file.replace('.json', '.stderr'), file]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, failure: { class: 'unreachable', retryable: true } });
    const missing = await runAlone(['parse', '--stderr', '/nowhere/stderr', file]);
    expect([missing.code, missing.out]).toEqual([1, '']);
    expect(missing.err).toContain('cannot read /nowhere/stderr');
  });

  it('has a line for each file that any iperf3 ever printed', async () => {
    const files = readdirSync(CORPUS)
      .filter((name) => name.endsWith('.json'))
      .map(corpus);
    const { out } = await runAlone(['parse', '--json', ...files]);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(files.length);
    for (const [index, file] of files.entries()) {
      const healthy = /__(tcp|udp)_(up|down|bidir|p4)\.json$/.test(file);
      if (healthy) expect([file, lines[index].ok]).toEqual([file, true]);
    }
  });
});
