import { expect, it } from 'vitest';
import { readLook } from '../../../../controller/drivers/ssh/found.ts';

const ROUTE = `== route
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wan\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
== route6
`;
const dev = (uptime: string, received: number, sent: number): string =>
  `${uptime} 99.00\nInter-|   Receive\n  wan: ${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0\n`;

it('reads version, address and traffic', () => {
  const text = `== version\niperf 3.17.1 (cJSON 1.7.15)\n== ping\nPING a.b (192.0.2.1)\n${ROUTE}== before\n${dev('100.50', 1000, 500)}== after\n${dev('102.50', 251_000, 500)}`;
  expect(readLook(text, true)).toEqual({
    ...{ iperf3: '3.17.1', resolved: true, error: null },
    seen: { wan: { interface: 'wan', bits_per_second: 1_000_000 } },
  });
});

it.each([
  ["ping: bad address 'a.b'"],
  ['ping: a.b: Name or service not known'],
  ['ping: a.b: Temporary failure in name resolution'],
])('knows a name without an address by "%s"', (said) => {
  const look = readLook(`== version\niperf 3.9\n== ping\n${said}\n`, false);
  expect(look).toEqual({ iperf3: '3.9', resolved: false, error: said, seen: null });
});

it.each([
  ['== version\nsh: iperf3: not found\n', /opkg install iperf3/],
  ['== version\n', /opkg install iperf3/],
  ['', /opkg install iperf3/],
  ['== version', /opkg install iperf3/],
  ['== version\niperf3: symbol error\nmore\n', /^iperf3: symbol error$/],
])('says why there is no iperf3 in %j', (text, error) => {
  expect(readLook(text, false)).toMatchObject({ iperf3: null, error: expect.stringMatching(error) });
});

it('says what took too long', () => {
  const late = { resolved: false, seen: null };
  expect(readLook('== version\nhm\n== version-late\n', true)).toEqual({
    ...late,
    iperf3: null,
    error: 'iperf3 --version took longer than 3 s',
  });
  expect(readLook('== version\niperf 3.9\n== ping\n\n== ping-late\n', true)).toEqual({
    ...late,
    iperf3: '3.9',
    error: 'asking for it took longer than 3 s',
  });
});

it.each([
  ['== route\n== before\n', 'there is no default route'],
  [`${ROUTE}== before\n`, 'there are no byte counters of wan'],
  [`${ROUTE}== before\n${dev('1.0', 1, 1)}`, 'interface wan went away while it was watched'],
])('says what is missing to know the traffic', (text, problem) => {
  expect(readLook(`== version\niperf 3.9\n${text}`, true).seen).toEqual({ problem });
});
