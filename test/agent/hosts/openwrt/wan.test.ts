import './ucode.ts';
import { describe, expect, it } from 'vitest';
import { countWan, trafficOf } from '../../../../agent/hosts/openwrt/wan.ts';
import { said, withFiles } from './ucode.ts';

const HEADER = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n';
const LAN = 'br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0     \n';
const default4 = (name: string, metric: number, flags = '0003') =>
  `${name}\t00000000\t0101A8C0\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0     \n`;
const ZERO = '0'.repeat(32);
const default6 = (name: string, metric: string, flags = '00000003') =>
  `${ZERO} 00 ${ZERO} 00 fe800000000000000000000000000001 ${metric} 00000001 00000000 ${flags} ${name.padStart(8)}\n`;
const counters = (name: string, received: number, sent: number) =>
  `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
${name.padStart(6)}:${String(received).padStart(8)}    1    0    0    0     0          0         0 ${String(sent).padStart(8)}  1    0    0    0     0       0          0
    lo:   70000     700    0    0    0     0          0         0    70000     700    0    0    0     0       0          0
`;

const ROUTE = '/proc/net/route';
const ROUTE6 = '/proc/net/ipv6_route';
const DEV = '/proc/net/dev';

/** The interface that is watched when the routes are these. */
const found = (route: string, route6: string): string | null => {
  withFiles({ [ROUTE]: HEADER + LAN + route, [ROUTE6]: route6 });
  return trafficOf(null, 1000, 1000)?.interface ?? null;
};

describe('the WAN interface', () => {
  it('is that of the IPv4 default route with the lowest metric', () => {
    expect(found(default4('wwan0', 20) + default4('eth1', 10), default6('eth7', '00000001'))).toBe('eth1');
  });

  it('is that of the IPv6 default route when IPv4 has none; its metric is hexadecimal', () => {
    expect(found('', default6('wwan0', '00000400') + default6('pppoe-wan', '000000ff'))).toBe('pppoe-wan');
  });

  it('is that of a default route for the addresses of one prefix, as OpenWrt makes them for IPv6', () => {
    const route = default6('eth1', '00000200').replace(`${ZERO} 00 fe80`, '20010db8000000000000000000000000 38 fe80');
    expect(found('', route)).toBe('eth1');
  });

  it('is no route that refuses, is down, or leads to a part of the addresses', () => {
    const part = 'tun0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n';
    const route6 = default6('lo', 'ffffffff', '00200200') + default6('tun6', '00000001').replace(' 00 ', ' 03 ');
    expect(found(default4('*', 0, '0201') + default4('eth1', 5, '0002') + part, route6)).toBeNull();
  });

  it('is none where there are no routes', () => {
    withFiles({});
    fs.readfile = () => null;
    expect(trafficOf(null, 1, 1)).toBeNull();
    expect(countWan(null)()).toBeNull();
  });
});

describe('what goes over the WAN', () => {
  it('is counted both ways', () => {
    withFiles({ [ROUTE]: HEADER + default4('eth1', 0), [DEV]: counters('eth1', 1000, 100) });
    const count = countWan(null);
    withFiles({ [DEV]: counters('eth1', 1500, 130) });
    expect(count()).toBe(530);
  });

  it('is counted on the interface that the owner names', () => {
    withFiles({ [ROUTE]: HEADER + default4('eth1', 0), [DEV]: counters('wan', 1000, 100) });
    const count = countWan('wan');
    withFiles({ [DEV]: counters('wan', 1001, 100) });
    expect(count()).toBe(1);
    expect(trafficOf('wan', 1, 1000)).toEqual({ interface: 'wan', bits_per_second: 8 });
  });

  it('is not known when the interface is gone, was not there, or has counted anew', () => {
    withFiles({ [DEV]: counters('wan', 1000, 100) });
    const [count, other] = [countWan('wan'), countWan('eth5')];
    expect(other()).toBeNull();
    withFiles({ [DEV]: counters('wan', 10, 10) });
    expect(count()).toBeNull();
    withFiles({ [DEV]: counters('eth5', 5000, 5000) });
    expect([count(), other()]).toEqual([null, null]);
    expect(trafficOf('wan', null, 1000)).toBeNull();
  });

  it('is told as bits per second, whole ones', () => {
    expect(trafficOf('wan', 1000, 3000)).toEqual({ interface: 'wan', bits_per_second: 2666 });
    expect(said.stderr).toBe('');
  });
});
