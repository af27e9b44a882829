import { commandTopic, controllerTopic, eventTopic, resultTopic, slotTopic, statusTopic } from './contract/topics.ts';

/** Who a connection belongs to, once its password was checked. */
export type Principal = { kind: 'device'; device: string } | { kind: 'controller' };

/** `reason` is a name for logs and counters, not a sentence. */
export type Verdict =
  | { allowed: true }
  | {
      allowed: false;
      reason: 'bad-client-id' | 'not-your-client-id' | 'not-your-topic' | 'must-not-be-retained' | 'wildcard';
    };

const ALLOWED: Verdict = { allowed: true };

/** Two ids and the dash between them. */
const CLIENT_ID = /^[A-Za-z0-9_-]{1,129}$/;

/**
 * A device's client id is its name, or its name, a dash and a suffix: an agent may hold two connections.
 * The broker keeps the client ids of different users apart, so `ap` with the suffix `12` never takes over `ap-12`.
 */
export const mayConnect = (principal: Principal, clientId: string): Verdict => {
  if (!CLIENT_ID.test(clientId)) return { allowed: false, reason: 'bad-client-id' };
  if (principal.kind === 'controller') return ALLOWED;
  const own = clientId === principal.device || clientId.startsWith(`${principal.device}-`);
  return own ? ALLOWED : { allowed: false, reason: 'not-your-client-id' };
};

/** True if `topic` is what `build` makes of some id, which stands at level `level` of the topic. */
const isTopicOfId = (topic: string, level: number, build: (id: string) => string): boolean => {
  const id = topic.split('/')[level] ?? '';
  return /^[A-Za-z0-9_-]{1,64}$/.test(id) && topic === build(id);
};

/** Holds for last wills too. Only topics that the contract retains may be retained, which bounds the broker's memory. */
export const mayPublish = (principal: Principal, topic: string, retain: boolean): Verdict => {
  const { retained, passing } = principal.kind === 'device' ? deviceTopics(principal.device) : controllerTopics;
  if (retained(topic)) return ALLOWED;
  if (!passing(topic)) return { allowed: false, reason: 'not-your-topic' };
  return retain ? { allowed: false, reason: 'must-not-be-retained' } : ALLOWED;
};

const deviceTopics = (device: string) => ({
  retained: (topic: string) => topic === statusTopic(device),
  passing: (topic: string) => topic === eventTopic(device) || isTopicOfId(topic, 5, (run) => resultTopic(device, run)),
});

const controllerTopics = {
  retained: (topic: string) => topic === controllerTopic() || isTopicOfId(topic, 3, slotTopic),
  passing: (topic: string) => isTopicOfId(topic, 3, commandTopic),
};

/** The controller may read everything below `perfleet/1/`; a device exactly three topics. */
export const maySubscribe = (principal: Principal, filter: string): Verdict => {
  if (principal.kind === 'controller') {
    return filter.startsWith('perfleet/1/') ? ALLOWED : { allowed: false, reason: 'not-your-topic' };
  }
  if (/[+#]/.test(filter)) return { allowed: false, reason: 'wildcard' };
  const { device } = principal;
  const own = [commandTopic(device), statusTopic(device), controllerTopic()] as string[];
  return own.includes(filter) ? ALLOWED : { allowed: false, reason: 'not-your-topic' };
};
