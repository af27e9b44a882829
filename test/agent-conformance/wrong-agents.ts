import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { define } from '../../packaging/build/version.mjs';
import { root } from '../../packaging/root.mjs';

/** An agent of ours with one fault: `from` in one file of it is `to`. The cases of `rule` whose title has these words find it. */
export interface Fault {
  what: string;
  file: string;
  from: string;
  to: string;
  rule: string;
  title: string;
}

const NUMBERS = 'broker/contract/numbers.ts';
const CLIENT = 'broker/client.ts';
const NODE = 'agent/hosts/node/node-agent.ts';
const AGENT = 'agent/core/agent.ts';
const STARTING = 'agent/core/starting.ts';
const PREPARING = 'agent/core/preparing.ts';
const RUNNING = 'agent/core/running.ts';
const KEPT = 'agent/core/kept.ts';
const GUARD = 'agent/iperf3/guard.ts';

const fault = (what: string, file: string, from: string, to: string, rule: string, title: string): Fault => {
  return { what, file, from, to, rule, title };
};

export const FAULTS: readonly Fault[] = [
  fault('publishes with QoS 0', CLIENT, 'text, { qos: 1,', 'text, { qos: 0,', 'T2', 'it publishes'),
  fault(
    'sends results as large as they are',
    RUNNING,
    'fitPayload(running.outputs);',
    '',
    'T3',
    'too large for a message',
  ),
  fault(
    'ends at a payload that is no object',
    AGENT,
    'const command = readCommand(payload);',
    "const command = readCommand(payload); if (command.kind === 'bad') process.exit(1);",
    'T5',
    'commands no object',
  ),
  fault(
    'remembers all that it is told',
    NODE,
    'payload: readPayload(bytes) });',
    'payload: readPayload(bytes) }); Object.assign(globalThis, { [Math.random()]: new Array(5000).fill(0.5) });',
    'T5',
    'memory is bounded',
  ),
  fault(
    'takes what is too large',
    'agent/hosts/node/read-payload.ts',
    'bytes.length > MAX',
    'bytes.length < 0 * MAX',
    'T5',
    'too large',
  ),
  fault(
    'subscribes to the topics of all devices',
    NODE,
    'topics.map(({ name }) => name)',
    "['perfleet/1/#']",
    'T7',
    'its user name',
  ),
  fault('has a client id of its own', NODE, 'clientId: device,', 'clientId: `agent_${device}`,', 'T8', 'client ids'),
  fault('keeps its session', CLIENT, 'clean: true,', 'clean: false,', 'T8', 'client ids'),
  fault('has no last will', NODE, 'tls, will, clock', 'tls, clock', 'S1', 'the last will'),
  fault(
    'says online once only',
    AGENT,
    '  publishStatus(state, true);\n  offer',
    '  if (state.status === "") publishStatus(state, true);\n  offer',
    'S1',
    'online: true after each connect',
  ),
  fault(
    'lets its own status be wrong',
    AGENT,
    'return onOwnStatus(state, input.payload);',
    'return;',
    'S2',
    'its own status',
  ),
  fault('leaves without a word', AGENT, '  publishStatus(state, false);\n', '', 'S3', 'TERM: online: false'),
  fault(
    'counts no results',
    'agent/core/status.ts',
    'pending: length(state.kept)',
    'pending: 0',
    'S4',
    'a result that waits',
  ),
  fault(
    'declines nothing',
    PREPARING,
    'limitProblems(command, state.identity.limits)',
    '[]',
    'P1',
    'outside its own limits',
  ),
  fault(
    'takes every host',
    'agent/core/plan.ts',
    "if (!isHost(host)) push(problems, 'server.host: expected a host name or an address');",
    '',
    'P1',
    'a host that begins',
  ),
  fault(
    'shows a password',
    'agent/iperf3/argv.ts',
    "push(args, '--username', target.username,",
    "push(args, '--password', 's3cret', '--username', target.username,",
    'P1',
    'separate arguments',
  ),
  fault(
    'looks for no address',
    PREPARING,
    'if (!found.resolved)',
    'if (found.resolved === null)',
    'P2',
    'does not resolve',
  ),
  fault(
    'prepares while a run runs',
    PREPARING,
    'if (reason != null) return decline(state, run, reason);',
    '',
    'P3',
    'declined as busy',
  ),
  fault(
    'says not that a run was replaced',
    PREPARING,
    'dropPrepared(state, `superseded: run ${run} was prepared`)',
    'unprepare(state)',
    'P3',
    'superseded',
  ),
  fault(
    'takes auto for no limit',
    RUNNING,
    "if (plan.bitrate !== 'auto') return",
    "if (figure == null) return spawn(state, running, plan, null);\n    if (plan.bitrate !== 'auto') return",
    'P4',
    'without a figure',
  ),
  fault(
    'declines for no traffic',
    PREPARING,
    'if (traffic != null) return decline(state, run, traffic);',
    '',
    'P5',
    'with more traffic',
  ),
  fault('is ready before it has looked', NODE, 'wan ? this.#watch() : null', 'null', 'P5', 'it watches for 2 s'),
  fault('uses a nonce again', NODE, 'random: randomId', "random: () => 'once-and-again'", 'R1', 'with a new nonce'),
  fault(
    'says ready once',
    NUMBERS,
    'READY_INTERVAL_MS = 2500',
    'READY_INTERVAL_MS = 2500000',
    'R1',
    'with a new nonce',
  ),
  fault('starts late', NUMBERS, 'START_WINDOW_MS = 5000', 'START_WINDOW_MS = 5000000', 'L1', 'older than 5 s'),
  fault('takes any nonce', PREPARING, 'known.nonce === nonce && ', '', 'L1', 'that it did not send'),
  fault('starts on any server', STARTING, 'if (!isFor(start, prepared))', 'if (false)', 'L1a', 'for another server'),
  fault(
    'runs a start twice',
    STARTING,
    '  state.prepared = null;\n',
    '  if (state.running != null) return;\n',
    'L2',
    'uses up all nonces',
  ),
  fault(
    'declines what it runs',
    STARTING,
    'if (running?.token === start.token && running.command.run === start.run)',
    'if (running?.token === -1)',
    'L2',
    'a start that comes twice',
  ),
  fault(
    'forgets what was over',
    STARTING,
    'if (kept != null) {',
    'if (kept === undefined) {',
    'L2',
    'the start of a run that is over',
  ),
  fault(
    'starts a dead token',
    'agent/core/dead-tokens.ts',
    'push(state.dead, nameOf(run, token));',
    '',
    'L3',
    'a declined token is dead',
  ),
  fault(
    'answers no start that it declines',
    STARTING,
    'return sayDeclined(state, start.run, start.token, start.nonce, verdict as string);',
    'return;',
    'L3',
    'every start is answered',
  ),
  fault('lets a test run on', NUMBERS, 'TEST_GRACE_S = 10', 'TEST_GRACE_S = 100', 'L5', 'a test that does not end'),
  fault(
    'lets a lease run on',
    RUNNING,
    'min(state.now_ms + testLimitMs(plan.duration_s, plan.omit_s), running.lease_end_ms)',
    'state.now_ms + testLimitMs(plan.duration_s, plan.omit_s)',
    'L5',
    'end of the lease',
  ),
  fault('writes down no pid', GUARD, 'echo $pid >"$pidfile" && ', '', 'L7', 'the pid of iperf3'),
  fault(
    'leaves iperf3 when it is killed',
    GUARD,
    'done; stop; } <&3',
    'done; } <&3',
    'L7',
    'iperf3 ends when the agent is killed',
  ),
  fault(
    'leaves its guards waiting',
    PREPARING,
    'disarm(state, state.prepared?.armed ?? null);',
    '',
    'L7',
    'leaves the deck',
  ),
  fault('takes no lock', NODE, 'this.#unlock = lockFolder(state, env);', '', 'L8', 'a second agent'),
  fault(
    'leaves what an earlier one left',
    NODE,
    'await endLeftovers(state, clock, () => this.#stopping)',
    '[]',
    'L8',
    'an earlier instance',
  ),
  fault('tries a busy server once', NUMBERS, '[100, 200, 400, 800]', '[]', 'L16', 'busy is tried again'),
  fault(
    'writes no result down',
    RUNNING,
    "act(state, { kind: 'store_result', result });",
    '',
    'F1',
    'written down before finished',
  ),
  fault(
    'sends a result once',
    AGENT,
    '  offerAgain(state);\n  sendAllKept(state);',
    '  offerAgain(state);',
    'F2',
    'when the agent reconnects',
  ),
  fault(
    'takes any accepted for its own',
    AGENT,
    'if (kept?.result.token === command.token)',
    'if (kept != null)',
    'F2',
    'when the agent reconnects',
  ),
  fault(
    'keeps what was accepted',
    AGENT,
    'if (kept?.result.token === command.token)',
    'if (kept?.result.token === -1)',
    'F2',
    'when the agent reconnects',
  ),
  fault('hears of no new controller', AGENT, 'if (isNew && state.connected)', 'if (false)', 'F2', 'boot changes'),
  fault(
    'drops the newest',
    KEPT,
    'each(slice(state.kept, 0, 1)',
    'each(slice(state.kept, -2, -1)',
    'F3',
    'results that nobody accepts',
  ),
  fault('ignores cancel', AGENT, 'return onCancel(state, command.run);', 'return;', 'C1', 'cancel ends iperf3'),
  fault(
    'says too early that iperf3 is gone',
    STARTING,
    '  endChild(state, state.child);\n',
    "  endChild(state, state.child);\n  sayDeclined(state, run, running.token, running.nonce, 'cancelled: surely');\n",
    'C1',
    'ignores TERM',
  ),
  fault(
    'starts what was cancelled',
    STARTING,
    'if (state.prepared?.command.run === run) unprepare(state);',
    '',
    'C1',
    'that is prepared',
  ),
  fault(
    'keeps the result of what was cancelled',
    STARTING,
    'if (kept != null) forget(state, kept);',
    '',
    'C1',
    'forgets the kept result',
  ),
];

/** Builds the agent with a fault as one file. Throws when the text is not there, or more than once. */
export const buildWrong = async ({ file, from, to }: Fault, outfile: string): Promise<void> => {
  const source = readFileSync(join(root, file), 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file} does not have this once: ${from}`);
  await build({
    absWorkingDir: root,
    entryPoints: ['agent/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    define,
    logLevel: 'warning',
    plugins: [
      {
        name: 'fault',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) =>
            path === join(root, file) ? { contents: source.replace(from, () => to), loader: 'ts' } : null,
          );
        },
      },
    ],
  });
};
