import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ANSWER_TIMEOUT_MS } from '../../../controller/cli/api-line.ts';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';
import { runRecord } from '../api/sample-run.ts';
import { CapturedIo } from './captured-io.ts';
import { farSide } from './far-side.ts';
import { runAlone, smallController } from './small-controller.ts';

const envFor = (PERFLEET_URL: string) => ({ PERFLEET_URL, PERFLEET_TOKEN: 'correct-horse' });

/** A port that nobody listens on. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

describe('a command that asks the controller', () => {
  it('says that none answers, and what to check', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, out, err } = await runAlone(['device', 'list'], { env: envFor(url) });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      new RegExp(
        `^perfleet: no controller answers at ${url}: is \`perfleet serve\` running\\? \\(connect ECONNREFUSED .*\\)\n$`,
      ),
    );
  });

  it('gives up on one that takes too long', async () => {
    let asked = false;
    const url = await farSide(() => {
      asked = true;
    });
    const clock = new ManualClock();
    const io = new CapturedIo({ env: envFor(url), clock });
    const ended = runCli(['device', 'list'], io);
    await until('it is asked', () => asked);
    clock.advance(ANSWER_TIMEOUT_MS);
    expect(await ended).toBe(1);
    expect(io.stderr.text).toContain(`no controller answers at ${url}`);
    expect(io.stderr.text).toContain('it took too long');
  });

  it('tells when the token is wrong', async () => {
    const { cli, ioFor } = await smallController();
    expect((await cli('device', 'list')).code).toBe(0);
    const io = ioFor({ env: { PERFLEET_TOKEN: 'wrong' } });
    expect(await runCli(['device', 'list'], io)).toBe(1);
    expect(io.stderr.text).toMatch(
      /^perfleet: the controller at http:\/\/\S+ refuses our token\. It comes from http\.token_file/,
    );
  });

  it.each([
    ['a page', 200, '<html>'],
    ['other JSON', 200, '{"hello":1}'],
    ['a page that is not there', 404, '<html>'],
  ])('tells when %s comes back from something else', async (_, status, body) => {
    const url = await farSide((_request, answer) => answer.writeHead(status).end(body));
    expect(await runAlone(['device', 'list'], { env: envFor(url) })).toEqual({
      code: 1,
      out: '',
      err: `perfleet: something answers that is no controller of this version at ${url}: check PERFLEET_URL or http.listen\n`,
    });
  });

  it('takes a URL with a slash at its end', async () => {
    const { url, ioFor } = await smallController();
    expect(await runCli(['device', 'list'], ioFor({ env: { PERFLEET_URL: `${url}/` } }))).toBe(0);
  });
});

describe('a run whose line to the controller breaks', () => {
  const final = `data: ${JSON.stringify({ phase: 'final', run: 'r-1', at: '', record: runRecord() })}\n\n`;

  /** Orders a run, then answers its n-th request for events with `answers[n]`; null cuts the line. */
  const withAnswers = (answers: readonly (string | null)[]) => {
    let asked = 0;
    return farSide((request, answer) => {
      if (request.method === 'POST') return answer.writeHead(202).end('{"run":"r-1"}');
      const text = answers[Math.min(asked, answers.length - 1)] ?? null;
      asked += 1;
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      return text === null ? answer.write(': hello\n\n', () => answer.destroy()) : answer.end(text);
    });
  };

  /** Runs `perfleet run` while its clock is moved on. */
  const runWith = async (url: string) => {
    const clock = new ManualClock();
    const io = new CapturedIo({ env: envFor(url), clock });
    const ended = runCli(['run', 'ap-12', '--json'], io);
    let code: number | undefined;
    const settled = ended.then((value) => {
      code = value;
    });
    await until('it ends', () => {
      clock.advance(100);
      return code !== undefined;
    });
    await settled;
    return { code, out: io.stdout.text, err: io.stderr.text };
  };

  it('is followed again, whether the line is cut or ends too early', async () => {
    const { code, out } = await runWith(await withAnswers([null, ': hello\n\n', final]));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(runRecord());
  });

  it('is left to itself when the controller stays away', async () => {
    expect(await runWith(await withAnswers([null]))).toEqual({
      code: 1,
      out: '',
      err: 'perfleet: lost the controller while run r-1 goes on: `perfleet results` shows it when it is over\n',
    });
  });

  it('fails at once when what is told makes no sense', async () => {
    const { code, err } = await runWith(await withAnswers(['data: {"phase":"flying"}\n\n']));
    expect([code, err]).toEqual([1, expect.stringContaining('something answers that is no controller')]);
  });

  it('fails at once when the run is not known any more', async () => {
    const url = await farSide((request, answer) => {
      if (request.method === 'POST') answer.writeHead(202).end('{"run":"r-1"}');
      else answer.writeHead(404).end('{"error":"not-found","message":"there is no run r-1"}');
    });
    expect(await runWith(url)).toEqual({ code: 1, out: '', err: 'perfleet: there is no run r-1\n' });
  });
});
