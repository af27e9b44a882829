import type { TestPlan } from '../../broker/contract/messages.ts';
import type { SshTarget } from '../../controller/drivers/ssh/target.ts';
import type { Memory } from './memory.ts';

/** Of every run and every loop. */
export const PLAN: TestPlan = {
  ...{ test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 2, omit_s: 0, streams: 1 },
  ...{ bitrate: null, length: null, window: null, congestion: null },
};

/** What `ssh-hold` is told: devices by name, how many of them are to wait in each stage, and for which server. */
export interface ToHold {
  targets: Record<string, SshTarget>;
  stages: number[];
  server: { host: string; port: number };
}

/** What it says of each stage: how many wait after ten seconds, how long it took until they did, its memory; or what went wrong. */
export type Held = ({ held: number; took_s: number } & Memory) | { problem: string };
