import type { WanTraffic } from './io.ts';

/** Largest first. */
const UNITS = [
  { factor: 1000000000, name: 'Gbit/s' },
  { factor: 1000000, name: 'Mbit/s' },
  { factor: 1000, name: 'kbit/s' },
];

/** Whole bit/s for people, to a tenth: `12.3 Mbit/s`. Rounded down, or up. */
const rateText = (rate: number, up: boolean): string => {
  const unit = filter(UNITS, (one) => rate >= one.factor)[0];
  if (unit == null) return `${rate} bit/s`;
  const tenth = int(unit.factor / 10);
  const tenths = int((up ? rate + tenth - 1 : rate) / tenth);
  const rest = tenths % 10;
  return `${int(tenths / 10)}${rest > 0 ? `.${rest}` : ''} ${unit.name}`;
};

/**
 * Why a run must wait: others use the WAN more than `limit` (bit/s, null for no limit). Null when it need not wait, also when the traffic is
 * not known. What is shown is rounded so that it is over what it is said to be over.
 */
export const crossTraffic = (limit: number | null, wan: WanTraffic | null): string | null => {
  if (limit == null || wan == null || wan.bits_per_second <= limit) return null;
  const rate = rateText(wan.bits_per_second, true);
  return `cross-traffic: ${rate} on ${wan.interface} is over ${rateText(limit, false)}`;
};
