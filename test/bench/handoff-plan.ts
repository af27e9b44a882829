import type { TestPlan } from '../../broker/contract/messages.ts';

/*
 * What the processes of the hand-off bench agree upon: this one with the agents, the controller's, and the far client's.
 */

export const SERVERS = 4;

/** The most agents that are connected at a time. */
export const MOST_AGENTS = 5_000;

/** Short, as only the hand-off between two runs counts; its output is that of a test of 10 s. */
export const PLAN: TestPlan = {
  ...{ test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 1, omit_s: 0, streams: 1 },
  ...{ bitrate: null, length: null, window: null, congestion: null },
};

/** The API's token, and the password of all. */
export const SECRET = 'of-no-use-to-anybody';

export const HOST = '127.0.0.1';

/** Users whom the bench's broker lets do what the controller may, so that they can talk past it; nobody else listens to their topics. */
export const NEAR = 'bare-near';
export const FAR = 'bare-far';

export const deviceName = (index: number): string => `device-${String(index).padStart(5, '0')}`;

/** No process of the bench lives longer, whatever happens to the others. */
export const LIFE_MS = 280_000;

/** What can't be sent because the bench is over; while it measures, an agent or the far client that is gone shows as a run that never ends. */
export const atTheEnd = (): void => {};
