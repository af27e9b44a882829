import { expect, test } from 'vitest';
import { parseSettings } from '../../../controller/config/load-settings.ts';
import { formatProblems } from '../../../controller/config/problem.ts';
import { SECRET, secretFolder } from './secrets.ts';

const ENV = { TOKEN: `${SECRET}\n`, PASSWORD: 'let me in', USER_NAME: 'perfleet', EMPTY: ' ', LINES: 'a\nb' };
const load = (sections: object) =>
  parseSettings(JSON.stringify({ http: { token_file: 'http-token' }, ...sections }), secretFolder(), ENV);
const accepted = (sections: object) => {
  const loaded = load(sections);
  if (!loaded.ok) expect.fail(formatProblems(loaded.problems, 'perfleet.yaml'));
  return loaded.settings;
};
const problems = (sections: object) => {
  const loaded = load(sections);
  if (loaded.ok) expect.fail('it was accepted');
  expect(JSON.stringify(loaded.problems)).not.toContain(SECRET);
  return loaded.problems.map(({ path, found, expected }) => `${path}: ${found}; ${expected}`);
};

const V1 = { version: 1, url: 'http://influx.example.net', database: 'b' };
const V2 = { version: 2, url: 'http://influx.example.net', organization: 'o', bucket: 'b' };

test('the credentials of InfluxDB may come from variables', () => {
  expect(accepted({ influx: { ...V2, token_env: 'TOKEN' } }).influx).toMatchObject({ token: SECRET });
  const login = { username: 'perfleet', password: 'let me in' };
  for (const user of [{ username: 'perfleet' }, { username_env: 'USER_NAME' }])
    expect(accepted({ influx: { ...V1, ...user, password_env: 'PASSWORD' } }).influx).toMatchObject(login);
});

test('so may those of receivers and SSH', () => {
  const { receivers, ssh_credentials } = accepted({
    receivers: {
      hook: { webhook: 'https://noc.example.net', secret_env: 'TOKEN' },
      bearer: { alertmanager: 'http://127.0.0.1:9093', token_env: 'TOKEN' },
      basic: { alertmanager: 'http://127.0.0.1:9093', username: 'perfleet', password_env: 'PASSWORD' },
    },
    ssh_credentials: {
      routers: { password_env: 'PASSWORD' },
      keys: { key_file: 'key.pem', passphrase_env: 'PASSWORD' },
    },
  });
  expect(receivers.get('hook')).toMatchObject({ secret: SECRET });
  expect(receivers.get('bearer')).toMatchObject({ token: SECRET });
  expect(receivers.get('basic')).toMatchObject({ login: { username: 'perfleet', password: 'let me in' } });
  expect(ssh_credentials.get('routers')?.auth).toEqual({ password: 'let me in' });
  expect(ssh_credentials.get('keys')?.auth).toMatchObject({ passphrase: 'let me in' });
});

const ONE_LINE = 'a variable of the environment with one line of text';

test.each([
  ['NOWHERE', `the variable NOWHERE, which is not set, or empty; ${ONE_LINE}`],
  ['EMPTY', `the variable EMPTY, which is not set, or empty; ${ONE_LINE}`],
  ['LINES', `the variable LINES, which has several lines or control characters; ${ONE_LINE}`],
  [SECRET, 'a text (not shown); the name of a variable of the environment, such as INFLUX_TOKEN'],
])('%s is no variable to take a secret from', (token_env, problem) => {
  expect(problems({ influx: { ...V2, token_env } })).toEqual([`influx.token_env: ${problem}`]);
});

test('a secret comes from one place, and is not left out', () => {
  expect(problems({ influx: { ...V2, token_env: 'TOKEN', token_file: 'influx-token' } })).toEqual([
    'influx.token_env: both token_file and token_env; one of them',
  ]);
  expect(problems({ influx: V2 })).toEqual(['influx.token_file: nothing; the path of a file']);
  const user = { username: 'perfleet', username_env: 'USER_NAME', password_env: 'PASSWORD' };
  expect(problems({ influx: { ...V1, ...user } })).toEqual(['influx: both username and username_env; one of them']);
  expect(problems({ influx: { ...V1, password_env: 'PASSWORD' } })).toEqual([
    'influx: one of username and password_file; both of them, or neither',
  ]);
  const two = { password_env: 'PASSWORD', agent_socket: '/run/agent' };
  expect(problems({ ssh_credentials: { routers: two } })).toEqual([
    'ssh_credentials.routers: password_env and agent_socket; one of key_file, password_file, password_env, agent_socket',
  ]);
  const alone = { passphrase_env: 'PASSWORD', agent_socket: '/run/agent' };
  expect(problems({ ssh_credentials: { routers: alone } })).toEqual([
    'ssh_credentials.routers.passphrase_env: a passphrase without a key; key_file beside it',
  ]);
});
