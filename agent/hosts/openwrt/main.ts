import { WAN_LOOK_MS } from '../../../broker/contract/numbers.ts';
import { commandTopic, controllerTopic, eventTopic, statusTopic } from '../../../broker/contract/topics.ts';
import { type Agent, createAgent } from '../../core/agent.ts';
import { each } from '../../core/each.ts';
import type { Action, Input } from '../../core/io.ts';
import { readVersion } from '../../iperf3/version.ts';
import { type Config, readConfig } from './config.ts';
import { createGuards, GUARD_FIFOS } from './guards.ts';
import { endLeftovers } from './leftovers.ts';
import { connect, type Link } from './link.ts';
import { openResults } from './results.ts';
import { ask, makeFifos, quote, type Shell, start } from './shell.ts';
import { countWan, trafficOf } from './wan.ts';

/**
 * The agent on OpenWrt: does what its core decides. It stops in order at the end of its stdin: ucode of 22.03 hears no signals, so a few
 * lines of sh do (perfleet-agent.sh).
 */

const CHECK = `iperf3 --version 2>&1
echo
case $1 in
*[!0-9.]*) [ "\${1#*:}" != "$1" ] || getent ahosts "$1" >/dev/null 2>&1 || nslookup "$1" 2>/dev/null | grep -q '^Name:' || exit ;;
esac
echo resolved
`;

/** What is sent when the agent leaves has this long. */
const GOODBYE_MS = 1500;

/** The processes are told to end; this long after that the agent is gone. */
const LAST_MS = 300;

const say = (text: string): void => warn(`perfleet: ${text}\n`);

const now = (): number => {
  const time = clock(true);
  return time[0] * 1000 + int(time[1] / 1000000);
};

const randomId = (): string => {
  const file = fs.open('/dev/urandom', 're');
  const id = hexenc(file?.read?.(16) ?? '');
  file?.close?.();
  return id;
};

/** The options of mosquitto's clients. Secrets are in files: argv shows in `ps`. */
const clientArgs = (config: Config): string[] => {
  const args = ['-h', config.host, '-p', config.port, '-k', '30'];
  if (config.ca != null) push(args, '--cafile', config.ca);
  if (config.cert != null) push(args, '--cert', config.cert);
  if (config.key != null) push(args, '--key', config.key);
  return args;
};

const writeSecrets = (config: Config): void => {
  const lines = config.password == null ? '' : `-P ${config.password}\n`;
  each(['mosquitto_sub', 'mosquitto_pub'], (name) => {
    const path = `${config.state}/${name}`;
    fs.writefile(path, '');
    fs.chmod(path, 384);
    fs.writefile(path, `-u ${config.username}\n${lines}`);
  });
};

const run = (config: Config, shell: Shell, iperf3: string | null): void => {
  const device = config.device;
  const results = openResults(`${config.state}/results`, say);
  const core: Agent = createAgent({
    device,
    boot: randomId(),
    agent: VERSION,
    host: 'openwrt',
    iperf3,
    key_path: `${config.state}/server-key.pem`,
    limits: config.limits,
    random: randomId,
    stored: results.load(),
  });
  const state = {
    link: null as Link | null,
    timer: null as ReturnType<typeof uloop.timer> | null,
    wanSince: {} as { [key: string]: () => number | null },
    take: (_: Input): void => {},
  };
  const take = (input: Input): void => state.take(input);

  const leave = (): void =>
    state.link?.close?.(GOODBYE_MS, () => {
      uloop.timer(LAST_MS, () => uloop.end());
    });

  const guards = createGuards(shell, (key, ended) => {
    const wan_bytes = state.wanSince[`${key}`]?.() ?? null;
    take({ kind: 'exited', key, exit_code: ended.exit_code, stdout: ended.stdout, stderr: ended.stderr, wan_bytes });
  });

  const check = (action: Extract<Action, { kind: 'check' }>): void => {
    const count = action.wan ? countWan(config.wan_interface) : null;
    const began = now();
    const file = `${config.state}/check`;
    const onEnd = (): void => {
      const text = fs.readfile(file) ?? '';
      const version = readVersion(text);
      const resolved = index(text, '\nresolved') >= 0;
      const answer = (): void => {
        const wan = count == null ? null : trafficOf(config.wan_interface, count(), now() - began);
        if (count != null && wan == null) say('cross-traffic is not looked at: set wan_interface');
        take({ kind: 'checked', key: action.key, iperf3: version, resolved, error: null, wan });
      };
      if (count == null || version == null || !resolved) return answer();
      uloop.timer(max(0, WAN_LOOK_MS - (now() - began)), answer);
    };
    const host = replace(action.host, /%.*$/, '');
    start(shell, 'check', `exec 5>&1 >${quote(file)}; ${CHECK}`, [host], () => {}, onEnd).end();
  };

  const perform = (action: Action): void => {
    switch (action.kind) {
      case 'wake':
        state.timer?.cancel?.();
        state.timer = null;
        if (action.at_ms != null) state.timer = uloop.timer(max(0, action.at_ms - now()), () => take({ kind: 'wake' }));
        return;
      case 'publish':
        return state.link?.publish?.(action);
      case 'check':
        return check(action);
      case 'arm':
        guards.arm(action);
        return;
      case 'disarm':
        return guards.disarm(action.key);
      case 'spawn':
        guards.spawn(action, now());
        state.wanSince[`${action.key}`] = countWan(config.wan_interface);
        return;
      case 'kill':
        return guards.kill(action);
      case 'store_result':
        return results.store(action.result);
      case 'forget_result':
        return results.forget(action.run);
      case 'log':
        if (action.level !== 'debug') say(action.message);
        return;
      case 'exit':
        return leave();
    }
  };
  state.take = (input) => each(core.handle(input, now()), perform);

  const topics: { [name: string]: 'command' | 'status' | 'controller' } = {};
  topics[commandTopic(device)] = 'command';
  topics[statusTopic(device)] = 'status';
  topics[controllerTopic()] = 'controller';
  state.link = connect(shell, {
    device,
    args: clientArgs(config),
    event_topic: eventTopic(device),
    will: { topic: statusTopic(device), text: sprintf('%J', core.lastWill()) },
    probe: sprintf('%J', { ...core.lastWill(), online: true }),
    topics: [commandTopic(device), statusTopic(device), controllerTopic()],
    onConnected: () => take({ kind: 'connected' }),
    onDisconnected: () => take({ kind: 'disconnected' }),
    onMessage: (name, payload) => {
      const topic = topics[name];
      if (topic != null) take({ kind: 'message', topic, payload });
    },
    warn: say,
  });
  const stdin = fs.fdopen(0, 'r');
  if (stdin == null) return;
  const watch = { handle: null as ReturnType<typeof uloop.handle> | null };
  const onStop = (): void => {
    if (length(stdin.read('line') ?? '') > 0) return;
    watch.handle?.['delete']?.();
    take({ kind: 'stop' });
  };
  watch.handle = uloop.handle(stdin, onStop, uloop.ULOOP_READ | uloop.ULOOP_BLOCKING);
  uloop.run();
};

/** The exit code: 0 after an orderly stop, 1 when it cannot start. */
const main = (): number => {
  const problems: string[] = [];
  const config = readConfig(ARGV[0] ?? null, problems);
  if (length(problems) > 0) {
    each(problems, say);
    return 1;
  }
  system(`umask 077; mkdir -p ${quote(config.state)} && chmod 700 ${quote(config.state)}`);
  const lock = fs.open(`${config.state}/lock`, 'w');
  const lock_fd = lock?.fileno?.() ?? 9;
  if (lock == null || system(`flock -n ${lock_fd}`) !== 0) {
    say(`another agent runs in ${config.state}, or the folder cannot be used`);
    return 1;
  }
  const shell: Shell = { state: config.state, lock_fd };
  const ended = endLeftovers(shell);
  if (length(ended) > 0) say(`ended what an earlier agent had left running: ${ended}`);
  writeSecrets(config);
  const iperf3 = readVersion(ask(shell, 'exec iperf3 --version 2>&1', []));
  if (iperf3 == null) say('no working iperf3: runs will be declined until it is installed');
  makeFifos(shell, ['sub', 'event', 'post', 'check', ...GUARD_FIFOS]);
  uloop.init();
  run(config, shell, iperf3);
  endLeftovers(shell);
  lock.close();
  return 0;
};

exit(main());
