import type { SystemLoad } from '../../broker/contract/messages.ts';
import { each } from './each.ts';

/** What the device's own files say when a test begins; null when one cannot be read. */
export interface SystemAtBegin {
  /** /proc/stat */
  stat: string | null;
  /** /etc/config/firewall, or only its lines about flow offloading */
  firewall: string | null;
}

/** And when it ends. */
export interface SystemAtEnd {
  /** /proc/stat */
  stat: string | null;
  /** /proc/loadavg */
  loadavg: string | null;
  /** /proc/meminfo */
  meminfo: string | null;
}

/** Ticks of one CPU since it came up; `name` is "cpu" for all of them together. */
interface Ticks {
  name: string;
  total: number;
  idle: number;
  softirq: number;
}

/** How busy one CPU was, in whole percent; `softirq` is a part of `busy`. */
interface Use {
  name: string;
  busy: number;
  softirq: number;
}

/** Out of the loops: ucode compiles an expression each time that it comes by it. */
const CPU_LINE = /^(cpu[0-9]*) +([0-9]+( [0-9]+)*)/;
const OPTION_ON = /^[^#a-z]*option[^a-z]+([a-z_]+)[^a-z0-9_]+(1|on|true|yes|enabled)[^a-z0-9_]*$/;

/** user, nice, system, idle, iowait, irq, softirq, steal (proc(5)). What follows is time of guests, which is in the first two already. */
const COLUMNS = 8;

const ticksIn = (stat: string | null): Ticks[] => {
  const found: Ticks[] = [];
  each(split(stat ?? '', '\n'), (line) => {
    const parts = match(line, CPU_LINE);
    if (parts == null) return;
    const columns = map(slice(split(parts[2], ' '), 0, COLUMNS), (text) => int(text));
    const sum = { ticks: 0 };
    each(columns, (ticks) => {
      sum.ticks += ticks;
    });
    const idle = (columns[3] ?? 0) + (columns[4] ?? 0);
    push(found, { name: parts[1], total: sum.ticks, idle, softirq: columns[6] ?? 0 });
  });
  return found;
};

/** Rounded. Counters may go back a little: iowait does. Written so that it is the same where integers are divided to integers. */
const percent = (part: number, whole: number): number => max(0, min(100, int((200 * part + whole) / (2 * whole))));

/** How busy each CPU was between two texts. One that was not there both times, or has counted nothing, is left out. */
const usesBetween = (before: Ticks[], after: Ticks[]): Use[] => {
  const uses: Use[] = [];
  each(after, (now) => {
    const then = filter(before, (one) => one.name === now.name)[0];
    if (then == null || now.total <= then.total) return;
    const total = now.total - then.total;
    const busy = percent(total - (now.idle - then.idle), total);
    push(uses, { name: now.name, busy, softirq: percent(now.softirq - then.softirq, total) });
  });
  return uses;
};

const busiestOf = (uses: Use[]): Use | null => {
  const found: { use: Use | null } = { use: null };
  each(uses, (use) => {
    if (use.name !== 'cpu' && use.busy > (found.use?.busy ?? -1)) found.use = use;
  });
  return found.use;
};

const loadIn = (loadavg: string | null): number | null => {
  const parts = match(loadavg ?? '', /^([0-9]+[.][0-9]+) /);
  return parts == null ? null : (json(parts[1]) as number);
};

const memoryIn = (meminfo: string | null): number | null => {
  const parts = match(meminfo ?? '', /MemAvailable: +([0-9]+) kB/);
  return parts == null ? null : int(parts[1]) * 1024;
};

/** What the firewall is told of offloading, in the words that firewall3 and firewall4 take for yes. */
const offloadIn = (firewall: string | null): SystemLoad['offload'] => {
  if (firewall == null) return null;
  const offload = { flow: false, hardware: false };
  each(split(firewall, '\n'), (line) => {
    const parts = index(line, 'flow_offloading') < 0 ? null : match(line, OPTION_ON);
    if (parts == null) return;
    if (parts[1] === 'flow_offloading') offload.flow = true;
    if (parts[1] === 'flow_offloading_hw') offload.hardware = true;
  });
  return offload;
};

/**
 * To be called when a test has begun; the returned function when it has ended: how busy the device was meanwhile. Somebody may be waiting for
 * what follows a test, so as much as can be is done before.
 */
export const watchSystem = (begin: SystemAtBegin): ((end: SystemAtEnd) => SystemLoad) => {
  const before = ticksIn(begin.stat);
  const offload = offloadIn(begin.firewall);
  return (end) => {
    const uses = usesBetween(before, ticksIn(end.stat));
    const all = filter(uses, (use) => use.name === 'cpu')[0];
    const busiest = busiestOf(uses);
    return {
      cpu_percent: all?.busy ?? null,
      cpu_busiest_percent: busiest?.busy ?? null,
      softirq_percent: busiest?.softirq ?? null,
      load: loadIn(end.loadavg),
      memory_available_bytes: memoryIn(end.meminfo),
      offload,
    };
  };
};
