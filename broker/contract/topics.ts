/**
 * The MQTT topics of the contract. This file is in the portable subset: the agent's core uses it too.
 * The return types are template literals, so that `PayloadOf` can tell which payload belongs to a topic.
 */

export const TOPIC_PREFIX = 'perfleet/1';

/** Retained: who the agent is and whether it is online; also its last will. */
export const statusTopic = (device: string) => `perfleet/1/device/${device}/status` as const;

/** Commands to the agent, never retained. */
export const commandTopic = (device: string) => `perfleet/1/device/${device}/command` as const;

/** What happens to a run, told by the agent. */
export const eventTopic = (device: string) => `perfleet/1/device/${device}/event` as const;

/** iperf3's output of one run. */
export const resultTopic = (device: string, run: string) => `perfleet/1/device/${device}/result/${run}` as const;

/** Retained: who holds a server's slot, for anyone to watch. */
export const slotTopic = (server: string) => `perfleet/1/server/${server}/slot` as const;

/** Retained: which controller is in charge; also its last will. */
export const controllerTopic = () => 'perfleet/1/controller/status' as const;
