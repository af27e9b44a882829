import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { findWanInterface } from '../../../../agent/hosts/node/wan-interface.ts';
import { countWan, type Seen, watchWan } from '../../../../agent/hosts/node/wan-traffic.ts';
import { systemClock } from '../../../../broker/clock.ts';
import { ManualClock } from '../../../helpers/manual-clock.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { until } from '../../../helpers/until.ts';

let folder: string;
beforeEach(() => {
  folder = tempFolder();
});

const HEADER = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n';
const LAN = 'br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0     \n';
const default4 = (name: string, metric: number, flags = '0003') =>
  `${name}\t00000000\t0101A8C0\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0     \n`;
const route = (text: string) => writeFileSync(join(folder, 'route'), HEADER + LAN + text);

const ZERO = '0'.repeat(32);
const default6 = (name: string, metric: string, flags = '00000003') =>
  `${ZERO} 00 ${ZERO} 00 fe800000000000000000000000000001 ${metric} 00000001 00000000 ${flags} ${name.padStart(8)}\n`;
const route6 = (text: string) =>
  writeFileSync(
    join(folder, 'ipv6_route'),
    `fd000000000000000000000000000000 40 ${ZERO} 00 ${ZERO} 00000100 00000001 00000000 00000001   br-lan\n${text}`,
  );

describe('the WAN interface', () => {
  it('is that of the IPv4 default route, of several the one with the lowest metric', () => {
    route(default4('wwan0', 20) + default4('eth1', 10) + default4('wlan0', 30));
    route6(default6('eth7', '00000001'));
    expect(findWanInterface(folder)).toBe('eth1');
  });

  it('is that of the IPv6 default route when IPv4 has none; its metric is hexadecimal', () => {
    route('');
    route6(default6('wwan0', '00000400') + default6('pppoe-wan', '000000ff'));
    expect(findWanInterface(folder)).toBe('pppoe-wan');
  });

  it('is that of a default route for the addresses of one prefix, as OpenWrt makes them for IPv6', () => {
    route6(default6('eth1', '00000200').replace(`${ZERO} 00 fe80`, '20010db8000000000000000000000000 38 fe80'));
    expect(findWanInterface(folder)).toBe('eth1');
  });

  it('is found when there is no file of the other family', () => {
    route(default4('eth1', 0));
    expect(findWanInterface(folder)).toBe('eth1');
    rmSync(join(folder, 'route'));
    route6(default6('eth2', '00000400'));
    expect(findWanInterface(folder)).toBe('eth2');
  });

  it('is no route that refuses, is down, or leads to a part of the addresses', () => {
    route(
      `${default4('*', 0, '0201')}${default4('eth1', 5, '0002')}tun0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n`,
    );
    route6(`${default6('lo', 'ffffffff', '00200200')}${default6('tun6', '00000001').replace(' 00 ', ' 03 ')}`);
    expect(findWanInterface(folder)).toBeNull();
  });

  it('is none where there is nothing, and nothing else breaks', () => {
    expect(findWanInterface(join(folder, 'nowhere'))).toBeNull();
    fc.assert(
      fc.property(fc.string(), fc.string(), (four, six) => {
        writeFileSync(join(folder, 'route'), four);
        writeFileSync(join(folder, 'ipv6_route'), six);
        expect(findWanInterface(folder)).toBeNull();
      }),
      { numRuns: 50 },
    );
  });
});

const DEV_HEADER = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;
const line = (name: string, received: number | string, sent: number | string) =>
  `${name.padStart(6)}:${received} 55562 0 0 0 0 0 0 ${sent} 37677 0 0 0 0 0 0\n`;
const counters = (...lines: string[]) => writeFileSync(join(folder, 'dev'), DEV_HEADER + lines.join(''));

/** Watches for `ms` of a clock that is in hand. `then` happens in between. */
const watch = (wanted: string | null, then: () => void, ms = 2_000): Seen[] => {
  const clock = new ManualClock();
  const seen: Seen[] = [];
  watchWan(wanted, folder, clock, (one) => seen.push(one));
  expect(seen).toEqual([]);
  then();
  clock.advance(ms);
  return seen;
};

describe('the traffic of the WAN', () => {
  it('is what was received and sent within 2 s, per second', () => {
    counters(line('lo', 1, 1), line('eth1', 1_000_000, 2_000_000), line('eth10', 5, 5));
    const then = () => counters(line('lo', 9e9, 9e9), line('eth10', 6e9, 6e9), line('eth1', 1_500_000, 4_500_000));
    expect(watch('eth1', then, 1_999)).toEqual([]);
    counters(line('eth1', 1_000_000, 2_000_000));
    expect(watch('eth1', then)).toEqual([{ wan: { interface: 'eth1', bits_per_second: 12_000_000 } }]);
  });

  it('counts the time that has really passed', () => {
    counters(line('eth1', 0, 0));
    const clock = new ManualClock();
    let late_ms = 0;
    const seen: Seen[] = [];
    const slow = { wall: () => 0, now: () => clock.now() + late_ms, after: clock.after.bind(clock) };
    watchWan('eth1', folder, slow, (one) => seen.push(one));
    counters(line('eth1', 1_000_000, 0));
    late_ms = 6_000;
    clock.advance(2_000);
    expect(seen).toEqual([{ wan: { interface: 'eth1', bits_per_second: 1_000_000 } }]);
  });

  it('is that of the default route when no interface is named', () => {
    route(default4('eth1', 0));
    counters(line('eth1', 10, 10));
    expect(watch(null, () => {})).toEqual([{ wan: { interface: 'eth1', bits_per_second: 0 } }]);
  });

  it('is not known without a default route, an interface of that name or its counters', () => {
    counters(line('lo', 1, 1), line('eth1', 'x', 1), 'eth2: 1 2 3\n');
    expect(watch(null, () => {}, 0)).toEqual([{ problem: 'there is no default route' }]);
    for (const name of ['eth0', 'eth1', 'eth2', 'Inter-|   Receive'])
      expect(watch(name, () => {}, 0)).toEqual([{ problem: `there is no interface ${name} with byte counters` }]);
    rmSync(join(folder, 'dev'));
    mkdirSync(join(folder, 'dev'));
    expect(watch('lo', () => {}, 0)).toEqual([{ problem: 'there is no interface lo with byte counters' }]);
  });

  it.each([
    [5, 4_294_967_000],
    [4_294_967_000, 5],
  ])('is not known when a counter went back: %i received, %i sent', (received, sent) => {
    counters(line('eth1', 4_294_967_000, 4_294_967_000));
    expect(watch('eth1', () => counters(line('eth1', received, sent)))).toEqual([
      { problem: 'the byte counters of eth1 went back while they were watched' },
    ]);
  });

  it('is not known when the interface went away', () => {
    counters(line('eth1', 1, 1));
    expect(watch('eth1', () => counters())).toEqual([{ problem: 'interface eth1 went away while it was watched' }]);
  });

  it('is the sum of the differences, whatever the counters', () => {
    const before = fc.integer({ min: 2 ** 41, max: 2 ** 52 });
    const moved = fc.oneof(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }));
    fc.assert(
      fc.property(before, before, moved, moved, (received, sent, more_received, more_sent) => {
        counters(line('eth1', received, sent));
        const [seen] = watch('eth1', () => counters(line('eth1', received + more_received, sent + more_sent)));
        if (more_received < 0 || more_sent < 0) expect(seen).toHaveProperty('problem');
        else expect(seen).toEqual({ wan: { interface: 'eth1', bits_per_second: 4 * (more_received + more_sent) } });
      }),
      { numRuns: 200 },
    );
  });

  it('is not told after it was cancelled', () => {
    counters(line('eth1', 1, 1));
    for (const name of ['eth1', 'eth2']) {
      const clock = new ManualClock();
      const seen: Seen[] = [];
      watchWan(name, folder, clock, (one) => seen.push(one))();
      clock.advance(5_000);
      expect(seen).toEqual([]);
    }
  });

  it('of loopback has all that a socket moved over it, once in each direction', async () => {
    const BYTES = 20_000_000;
    let received = 0;
    const server = net.createServer((socket) => socket.on('data', (chunk) => (received += chunk.length)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    let lookAgain = () => {};
    const after = (_ms: number, callback: () => void) => {
      lookAgain = callback;
      return () => {};
    };
    const begin = performance.now();
    const seen = new Promise<Seen>((resolve) => watchWan('lo', '/proc/net', { ...systemClock, after }, resolve));
    socket.end(Buffer.alloc(BYTES));
    await until('all is there', () => received === BYTES);
    lookAgain();
    const found = await seen;
    const elapsed_s = (performance.now() - begin) / 1000;
    server.close();
    expect(found).toMatchObject({ wan: { interface: 'lo' } });
    // Others may use loopback, too.
    expect('wan' in found ? found.wan.bits_per_second : 0).toBeGreaterThanOrEqual((2 * 8 * BYTES) / elapsed_s);
  });
});

describe('the bytes that go over the WAN while iperf3 runs', () => {
  it('are those of both directions, of the interface of the default route unless one is named', () => {
    route(default4('eth1', 0));
    counters(line('eth1', 1_000, 2_000), line('eth2', 0, 0));
    const looks = [countWan(null, folder), countWan('eth2', folder)];
    counters(line('eth1', 1_500, 2_070), line('eth2', 3, 4));
    expect(looks.map((look) => look())).toEqual([570, 7]);
  });

  it('are not known without an interface or its counters, before or after, or when a counter went back', () => {
    const none = countWan(null, folder);
    const unknown = countWan('eth1', folder);
    counters(line('eth1', 10, 10));
    expect([none(), unknown()]).toEqual([null, null]);
    const look = countWan('eth1', folder);
    counters(line('eth1', 10, 9));
    expect(look()).toBeNull();
    counters();
    expect(look()).toBeNull();
  });
});
