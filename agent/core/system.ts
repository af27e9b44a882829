import type { SystemLoad } from '../../broker/contract/messages.ts';
import { each } from './each.ts';

/** What the device's own files say, each null when it cannot be read. */
export interface SystemTexts {
  /** /proc/stat */
  stat: string | null;
  /** /proc/loadavg */
  loadavg: string | null;
  /** /proc/meminfo */
  meminfo: string | null;
  /** /etc/config/firewall, or only its lines about flow offloading */
  firewall: string | null;
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

/** user, nice, system, idle, iowait, irq, softirq, steal (proc(5)). What follows is time of guests, which is in the first two already. */
const COLUMNS = 8;

const ticksIn = (stat: string | null): Ticks[] => {
  const found: Ticks[] = [];
  each(split(stat ?? '', '\n'), (line) => {
    const parts = match(line, /^(cpu[0-9]*) +([0-9]+( [0-9]+)*)/);
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

/** Whether an option of the firewall is on, in the words that firewall3 and firewall4 take for it. */
const isOn = (firewall: string, option: string): boolean => {
  const on = filter(split(firewall, '\n'), (line) => {
    const parts = match(line, /^[^#a-z]*option[^a-z]+([a-z_]+)[^a-z0-9_]+(1|on|true|yes|enabled)[^a-z0-9_]*$/);
    return parts != null && parts[1] === option;
  });
  return length(on) > 0;
};

/** How busy the device was from the moment at which /proc/stat was `stat` until the one of which the texts are. */
export const systemSince = (stat: string | null, texts: SystemTexts): SystemLoad => {
  const uses = usesBetween(ticksIn(stat), ticksIn(texts.stat));
  const all = filter(uses, (use) => use.name === 'cpu')[0];
  const busiest = busiestOf(uses);
  const firewall = texts.firewall;
  return {
    cpu_percent: all?.busy ?? null,
    cpu_busiest_percent: busiest?.busy ?? null,
    softirq_percent: busiest?.softirq ?? null,
    load: loadIn(texts.loadavg),
    memory_available_bytes: memoryIn(texts.meminfo),
    offload:
      firewall == null
        ? null
        : { flow: isOn(firewall, 'flow_offloading'), hardware: isOn(firewall, 'flow_offloading_hw') },
  };
};
