import { expect, test } from 'vitest';
import { readDevices } from '../../../../controller/cli/import/devices-csv.ts';
import { formatLineProblems } from '../../../../controller/cli/import/line-problems.ts';
import { newKey } from '../../../helpers/ssh-server.ts';

const KEY = newKey('ed25519').public_key.trim();
const FINGERPRINT = `SHA256:${'a'.repeat(43)}`;

const shown = (text: string): string[] =>
  formatLineProblems(readDevices(text).problems, 'd.csv')
    .split('\n')
    .slice(1)
    .map((row) => row.trim());

test('a line is a device; columns may be in any order, and what is empty or not there has its default', () => {
  const text = `ssh,device,tags,host_key,ssh_credentials,organization,uplink_group
root@ap-1:2222,ap-1,roof; lte ;,${KEY} a comment,lab,acme,tower-7
,ap-2
[2001:db8::1],ap-3,,${FINGERPRINT}=
`;
  const nothing = { organization: 'default', tags: [], uplink_group: null, ssh: null, expected: null, isClear: true };
  expect(readDevices(text)).toEqual({
    problems: [],
    devices: [
      {
        line: 2,
        device: 'ap-1',
        organization: 'acme',
        tags: ['roof', 'lte'],
        uplink_group: 'tower-7',
        ssh: { user: 'root', host: 'ap-1', port: 2222, credentials: 'lab' },
        expected: { host_key: KEY },
        isClear: true,
      },
      { ...nothing, line: 3, device: 'ap-2' },
      {
        ...nothing,
        line: 4,
        device: 'ap-3',
        ssh: { user: null, host: '2001:db8::1', port: 22, credentials: null },
        expected: { fingerprint: FINGERPRINT },
      },
    ],
  });
});

test('a byte order mark, line ends of Windows, quoted values, blanks and empty lines are nothing special', () => {
  const text = '\ufeffdevice, tags \r\n\r\n"ap-1","roof;lte"\r\n\r\n ap-2 , roof\r\n';
  expect(readDevices(text).devices).toMatchObject([
    { line: 3, device: 'ap-1', tags: ['roof', 'lte'] },
    { line: 5, device: 'ap-2', tags: ['roof'] },
  ]);
});

test('everything that is wrong is said at once, with its lines', () => {
  const text = `device,organization,tags,uplink_group,ssh,ssh_credentials,host_key
ap 1,a/b,x y,?,root@,l b,SHA256:short
,,,,,,
ap-3,,,,,lab,${FINGERPRINT}
ap-4,,,,root:secret@ap-4,,,,
ap-5
ap-5
ap-\x1b[2J\u202e
${'x'.repeat(100)}
ap-3
`;
  expect(shown(text)).toEqual([
    'line 2: device: "ap 1", expected 1 to 64 letters, digits, "_" or "-"',
    'line 2: organization: "a/b", expected 1 to 64 letters, digits, "_" or "-"',
    'line 2: tags: "x y", expected names with ";" between them',
    'line 2: uplink_group: "?", expected 1 to 64 letters, digits, "_" or "-"',
    'line 2: ssh: "root@", expected user@host or user@host:port',
    'line 2: ssh_credentials: "l b", expected 1 to 64 letters, digits, "_" or "-"',
    'line 2: host_key: "SHA256:short", expected a public host key (its type, and base64), or SHA256:…',
    'line 3: device: it has no name',
    'line 4: ssh_credentials: the device has no address in column ssh',
    'line 4: host_key: the device has no address in column ssh',
    'line 5: 9 values for 7 columns',
    'line 5: ssh: "root:…@ap-4", expected user@host or user@host:port',
    'line 7: device: ap-5 is in line 6 already',
    'line 8: device: "ap-?[2J?", expected 1 to 64 letters, digits, "_" or "-"',
    `line 9: device: "${'x'.repeat(60)}…", expected 1 to 64 letters, digits, "_" or "-"`,
    'line 10: device: ap-3 is in line 4 already',
  ]);
});

test('what many lines have wrong is said once', () => {
  const rows = Array.from({ length: 300 }, (_, index) => `ap-${index},${index === 7 ? '' : 'a b'}`);
  expect(
    formatLineProblems(readDevices(`device,tags\n${rows.join('\n')}\n`).problems, 'd.csv'),
  ).toBe(`d.csv was refused, and no device was added: 299 problems
  299 lines: tags: "a b", expected names with ";" between them
    2-8, 10-301`);
});

test.each([
  ['', ['line 1: there is nothing in it']],
  ['device\n', ['line 2: there is no device']],
  [
    'device;ssh\na;b\n',
    [
      'line 1: there is no column device',
      'line 1: unknown column "device;ssh", expected some of device, organization, tags, uplink_group, ssh, ssh_credentials, host_key (columns are separated by commas)',
    ],
  ],
  [
    'device,hostkey,device,colour\nx\n',
    [
      'line 1: unknown column "hostkey", expected some of device, organization, tags, uplink_group, ssh, ssh_credentials, host_key (did you mean "host_key"?)',
      'line 1: column "device" stands there twice',
      'line 1: unknown column "colour", expected some of device, organization, tags, uplink_group, ssh, ssh_credentials, host_key',
    ],
  ],
])('%j is no list of devices', (text, problems) => {
  expect(shown(text)).toEqual(problems);
});

const QUOTES =
  'its quotes are not right, and nothing from here on was read: a value with a quote in it stands in quotes, with "" for each';

test.each([
  ['{"device": "ap-1"}\n', [`line 1: ${QUOTES}`]],
  ['device,tags\nap-1,"roof\nap 2,x\n', [`line 2: ${QUOTES}`]],
  [
    'device\nap 1\nap"2\nap 3\n',
    ['line 2: device: "ap 1", expected 1 to 64 letters, digits, "_" or "-"', `line 3: ${QUOTES}`],
  ],
])('%j has its quotes wrong, and what stands before that is read', (text, problems) => {
  expect(shown(text)).toEqual(problems);
});
