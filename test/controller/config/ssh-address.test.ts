import { expect, test } from 'vitest';
import { parseSshAddress } from '../../../controller/config/ssh-address.ts';

test.each([
  ['root@ap-1.example.net', { user: 'root', host: 'ap-1.example.net', port: 22 }],
  ['192.0.2.1:2222', { user: null, host: '192.0.2.1', port: 2222 }],
  ['admin@[2001:db8::1]:2222', { user: 'admin', host: '2001:db8::1', port: 2222 }],
  ['[2001:db8::1]', { user: null, host: '2001:db8::1', port: 22 }],
  ['admin@2001:db8::1', { user: 'admin', host: '2001:db8::1', port: 22 }],
  ['2001:db8::1', { user: null, host: '2001:db8::1', port: 22 }],
])('%s is an address', (text, address) => {
  expect(parseSshAddress(text)).toEqual(address);
});

test.each([
  '',
  'root@',
  '@host',
  'root@host:',
  'root@host:0',
  'root@host:65536',
  '-oProxyCommand=x@host',
  'root@-host',
  'root:secret@host',
  'ssh://root@host',
  'root@[192.0.2.1]',
  'root@ho\x1b[31mst',
  'root@host\n',
  'a@b@host',
])('%j is none', (text) => {
  expect(parseSshAddress(text)).toBeNull();
});
