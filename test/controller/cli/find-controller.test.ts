import { describe, expect, it } from 'vitest';
import { findController } from '../../../controller/cli/find-controller.ts';
import { configFile } from './config-file.ts';
import { runAlone, smallController } from './small-controller.ts';

const listening = (listen: string) => configFile(`http: { listen: "${listen}", token_file: token }\n`);

describe('the controller is found', () => {
  it('by http.listen and http.token_file of the configuration', async () => {
    const { port } = await smallController();
    const file = listening(`127.0.0.1:${port}`);
    expect(await runAlone(['device', 'list', '--json', '--config', file])).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  it('by PERFLEET_URL and PERFLEET_TOKEN, which win over the file', () => {
    const url = 'https://perf.example.net';
    expect(findController('/nowhere', { PERFLEET_URL: url, PERFLEET_TOKEN: 't' })).toEqual({ url, token: 't' });
    const file = listening('127.0.0.1:8080');
    expect(findController(file, { PERFLEET_URL: url })).toEqual({ url, token: 'correct-horse' });
    expect(findController(file, { PERFLEET_TOKEN: 't' })).toEqual({ url: 'http://127.0.0.1:8080', token: 't' });
  });

  it.each([
    ['0.0.0.0:8080', 'http://127.0.0.1:8080'],
    ['[::]:8080', 'http://[::1]:8080'],
    ['[2001:db8::1]:80', 'http://[2001:db8::1]:80'],
  ])('on %s at %s', (listen, url) => {
    expect(findController(listening(listen), {}).url).toBe(url);
  });

  it('also when another section of the file is wrong', () => {
    const file = configFile('http: { token_file: token }\ninflux: { version: 7 }\n');
    expect(findController(file, {})).toEqual({ url: 'http://127.0.0.1:8080', token: 'correct-horse' });
  });
});

describe('the controller is not found', () => {
  it('when there is no file and no environment', async () => {
    const { code, err } = await runAlone(['server', 'list', '--config', '/nowhere/perfleet.yaml']);
    expect(code).toBe(1);
    expect(err).toBe(
      "perfleet: cannot find the controller: ENOENT: no such file or directory, open '/nowhere/perfleet.yaml'. " +
        'Name the right file with --config, or set PERFLEET_URL and PERFLEET_TOKEN\n',
    );
  });

  it.each(['ftp://x', 'http:// x', '127.0.0.1:8080'])('when PERFLEET_URL is %s', (url) => {
    expect(() => findController('/nowhere', { PERFLEET_URL: url, PERFLEET_TOKEN: 't' })).toThrow(
      `PERFLEET_URL is ${url}: expected a URL such as http://127.0.0.1:8080`,
    );
  });

  it('when the token file is not there', () => {
    const file = configFile('http: { token_file: nowhere }\n');
    expect(() => findController(file, {})).toThrow(/line 1, http\.token_file\n.*does not exist/s);
  });

  it.each(['http: [', '- a list\n', ''])('when the file is %j', (yaml) => {
    const file = configFile(yaml);
    expect(() => findController(file, {})).toThrow(`${file} was refused`);
  });
});
