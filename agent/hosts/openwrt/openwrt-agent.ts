import { WAN_LOOK_MS } from '../../../broker/contract/numbers.ts';
import { commandTopic, controllerTopic, eventTopic, statusTopic } from '../../../broker/contract/topics.ts';
import { type Agent, createAgent } from '../../core/agent.ts';
import { each } from '../../core/each.ts';
import type { Action, Input } from '../../core/io.ts';
import type { Config } from './config.ts';
import { createGuards } from './guards.ts';
import { connect, type Link } from './link.ts';
import { watchDevice } from './meanwhile.ts';
import { createPreflight } from './preflight.ts';
import { openResults, roomIn } from './results.ts';
import { createSeldom } from './seldom.ts';
import { type Shell, writePrivate } from './shell.ts';
import { after, now } from './timer.ts';
import { countWan, trafficOf } from './wan.ts';

/** What is sent when the agent leaves has this long. With the 2.5 s that the core gives iperf3, a stop takes less than 5 s. */
const GOODBYE_MS = 1500;

/** What the agent needs beside its programs. */
export interface Surroundings {
  /** Version of the agent. */
  version: string;
  random: () => string;
  say: (text: string) => void;
  /** It has said goodbye. */
  onLeft: () => void;
}

export interface OpenwrtAgent {
  stop: () => void;
}

/** The options of mosquitto's clients. Secrets are in files: argv shows in `ps`. */
const clientArgs = (config: Config): string[] => {
  const args = ['-h', config.host, '-p', config.port, '-k', '30'];
  if (config.ca != null) push(args, '--cafile', config.ca);
  if (config.cert != null) push(args, '--cert', config.cert);
  if (config.key != null) push(args, '--key', config.key);
  return args;
};

/** What mosquitto's clients read; false when there is no room for it. */
export const writeSecrets = (config: Config, shell: Shell): boolean => {
  const password = config.password == null ? '' : `-P ${config.password}\n`;
  const text = `-u ${config.username}\n${password}`;
  return writePrivate(`${shell.folder}/mosquitto_sub`, text) && writePrivate(`${shell.folder}/mosquitto_pub`, text);
};

/** The agent on OpenWrt: does what its core decides. Connects at once, with the secrets that have been written. `iperf3`: its version, or null. */
export const startAgent = (config: Config, shell: Shell, iperf3: string | null, around: Surroundings): OpenwrtAgent => {
  const device = config.device;
  const say = around.say;
  const seldom = createSeldom(say);
  const results = openResults(`${config.state}/results`, say);
  const core: Agent = createAgent({
    device,
    boot: shell.boot,
    agent: around.version,
    host: 'openwrt',
    iperf3,
    key_path: `${shell.folder}/server-key.pem`,
    limits: config.limits,
    random: around.random,
    stored: results.load(),
    room: () => roomIn(fs.readfile('/proc/meminfo') ?? ''),
  });
  const state = {
    link: null as Link | null,
    cancelWake: null as (() => void) | null,
    /** Of the iperf3 that runs. */
    meanwhile: watchDevice(config.wan_interface),
    perform: null as ((action: Action) => void) | null,
  };
  const take = (input: Input): void => each(core.handle(input, now()), (action) => state.perform?.(action));

  const guards = createGuards(shell, config.nice, (key, exit) => {
    take({ kind: 'exited', key, ...exit, ...state.meanwhile() });
  });

  const preflight = createPreflight(shell);
  const check = (action: Extract<Action, { kind: 'check' }>): void => {
    const count = action.wan ? countWan(config.wan_interface) : null;
    const began = now();
    preflight(action.host, (found) => {
      const answer = (): void => {
        const wan = count == null ? null : trafficOf(config.wan_interface, count(), now() - began);
        if (count != null && wan == null) seldom('cross-traffic is not looked at: set wan_interface');
        take({ kind: 'checked', key: action.key, iperf3: found.iperf3, resolved: found.resolved, error: null, wan });
      };
      // Who has to decline anyway does so at once.
      if (count == null || found.iperf3 == null || !found.resolved) return answer();
      after(max(0, WAN_LOOK_MS - (now() - began)), answer);
    });
  };

  const perform = (action: Action) => {
    switch (action.kind) {
      case 'wake':
        state.cancelWake?.();
        state.cancelWake = null;
        if (action.at_ms != null) state.cancelWake = after(max(0, action.at_ms - now()), () => take({ kind: 'wake' }));
        return;
      case 'publish':
        return state.link?.publish?.(action);
      case 'check':
        return check(action);
      case 'arm':
        return guards.arm(action);
      case 'disarm':
        return guards.disarm(action.key);
      case 'spawn':
        guards.spawn(action, now());
        // Only now: iperf3 is on its way, and has sent nothing yet.
        state.meanwhile = watchDevice(config.wan_interface);
        return;
      case 'kill':
        return guards.kill(action);
      case 'store_result':
        return results.store(action.result);
      case 'forget_result':
        return results.forget(action.run);
      case 'log':
        if (action.level === 'info') say(action.message);
        if (action.level === 'warn') seldom(action.message);
        return;
      case 'exit':
        return state.link?.close?.(GOODBYE_MS, around.onLeft);
    }
  };
  state.perform = perform;

  const topics: { [name: string]: 'command' | 'status' | 'controller' } = {};
  topics[commandTopic(device)] = 'command';
  topics[statusTopic(device)] = 'status';
  topics[controllerTopic()] = 'controller';
  state.link = connect(shell, {
    device,
    args: clientArgs(config),
    event_topic: eventTopic(device),
    will: { topic: statusTopic(device), text: sprintf('%J', core.lastWill()) },
    topics: keys(topics),
    onConnected: () => take({ kind: 'connected' }),
    onDisconnected: () => take({ kind: 'disconnected' }),
    onMessage: (name, payload) => {
      const topic = topics[name];
      if (topic != null) take({ kind: 'message', topic, payload });
    },
    say,
  });
  return { stop: () => take({ kind: 'stop' }) };
};
