import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installLines, uciLines } from '../../../controller/desks/uci-lines.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** What a router's shell calls when somebody pastes these lines: a list of words for each call. */
const pasted = (lines: readonly string[], folder = tempFolder()): string[][] => {
  const file = join(folder, 'calls');
  const record = '{ printf "%s\\0" "$@"; printf "\\n"; }';
  const stub = (name: string) => `${name}() { set -- ${name} "$@"; ${record} >> '${file}'; }`;
  const script = [...['uci', 'opkg', 'apk'].map(stub), ...lines, `cat '${file}'`].join('\n');
  const calls = execFileSync('busybox', ['ash', '-c', script], { encoding: 'utf8' }).trimEnd();
  return calls.split('\0\n').map((call) => call.replace(/\0$/, '').split('\0'));
};

const settingsOnly = (lines: readonly string[]) => lines.filter((line) => line.startsWith('uci '));

it('what is pasted sets each key to its value, whatever that holds', () => {
  const password = `it's "$HOME" \`id\` \\ #;`;
  expect(pasted(settingsOnly(uciLines('ap-12', password, 'mqtt://192.0.2.1:1883')))).toEqual([
    ['uci', 'set', 'perfleet.agent=agent'],
    ['uci', 'set', 'perfleet.agent.device=ap-12'],
    ['uci', 'set', 'perfleet.agent.broker=mqtt://192.0.2.1:1883'],
    ['uci', 'set', `perfleet.agent.password=${password}`],
    ['uci', 'commit', 'perfleet'],
  ]);
});

it('then the service is started', () => {
  expect(uciLines('ap-12', 'x', 'mqtt://192.0.2.1:1883').at(-1)).toBe('/etc/init.d/perfleet-agent restart');
});

it('a broker with TLS needs the certificate of its authority', () => {
  const lines = pasted(settingsOnly(uciLines('ap-12', 'x', 'mqtts://192.0.2.1:8883')));
  expect(lines).toContainEqual(['uci', 'set', 'perfleet.agent.tls_ca=/etc/perfleet/ca.pem']);
});

it('the install line takes the package that is there, and not that of the agent for Node.js', () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'tmp'));
  const names = ['perfleet-agent_0.1.0-r1_all.ipk', 'perfleet-agent-0.1.0-r1.apk'];
  for (const name of [...names, 'perfleet-agent-node_0.1.0-r1_all.ipk', 'perfleet-agent-node-0.1.0-r1.apk'])
    writeFileSync(join(folder, 'tmp', name), '');
  const install = installLines('mqtts://192.0.2.1:8883');
  const here = (line: string) => line.replace('/tmp/', `${folder}/tmp/`);
  const [ipk, apk] = names.map((name) => join(folder, 'tmp', name));
  expect(pasted([here(install.opkg)], tempFolder())).toEqual([
    ['opkg', 'update'],
    ['opkg', 'install', 'mosquitto-client-ssl', ipk],
  ]);
  expect(pasted([here(install.apk)], tempFolder())).toEqual([
    ['apk', 'update'],
    ['apk', 'add', '--allow-untrusted', 'mosquitto-client-ssl', apk],
  ]);
});

it('a broker without TLS needs only the small MQTT client', () => {
  const { opkg, apk } = installLines('mqtt://192.0.2.1:1883');
  expect([opkg, apk].map((line) => /mosquitto-client-\w+/.exec(line)?.[0])).toEqual(
    Array(2).fill('mosquitto-client-nossl'),
  );
});
