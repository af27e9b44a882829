import { each } from '../../core/each.ts';
import { type Config, readConfig } from './config.ts';
import { GUARD_NAMES } from './guards.ts';
import { startLife } from './life.ts';
import { type OpenwrtAgent, startAgent, writeSecrets } from './openwrt-agent.ts';
import { readPipe } from './pipe.ts';
import { createPreflight } from './preflight.ts';
import { type Child, ignore, makeFolders, type Shell } from './shell.ts';

const USAGE = `Usage: perfleet-agent --config FILE

Measures this device with iperf3 when the controller says so.

  --config FILE  JSON: device, broker, username, password_file, tls, limits, wan_interface, nice, state
  --version      print the version
  --help         print this
`;

const say = (text: string): void => warn(`perfleet: ${text}\n`);

/** 128 random bits. */
const randomId = (): string => {
  const file = fs.open('/dev/urandom', 're');
  const id = hexenc(file?.read?.(16) ?? '');
  file?.close?.();
  return id;
};

const outcome = { code: 0 };

/** The exit code of an agent that had begun: for when uloop has ended, as ucode of 22.03 crashes when it exits before. */
export const exitCode = (): number => outcome.code;

/** Takes the lock, ends what an earlier agent left, and only then connects. */
const begin = (config: Config, shell: Shell): void => {
  const state = {
    life: null as Child | null,
    ready: false,
    stopping: false,
    leaving: false,
    agent: null as OpenwrtAgent | null,
  };
  /** The lock's holder cleans up, and ends last. */
  const leave = (): void => {
    state.leaving = true;
    state.life?.end?.();
  };
  const onReady = (left: string) => {
    state.ready = true;
    if (state.agent != null) return;
    if (length(left) > 0) say(`ended what an earlier agent had left running: ${left}`);
    if (!writeSecrets(config, shell)) {
      say(`no room in ${shell.folder}`);
      outcome.code = 1;
      return leave();
    }
    createPreflight(shell)('127.0.0.1', (found) => {
      if (state.stopping) return leave();
      if (found.iperf3 == null) say('no working iperf3: runs will be declined until it is installed');
      const around = { version: VERSION, random: randomId, say, onLeft: leave };
      state.agent = startAgent(config, shell, found.iperf3, around);
    });
  };
  function hold(begins: boolean): void {
    const onEnd = (): void => {
      if (state.leaving) {
        uloop.end();
      } else if (state.ready) {
        state.ready = false;
        hold(state.agent == null);
      } else {
        say(`another agent runs in ${config.state}, or what it left running does not end`);
        outcome.code = 1;
        uloop.end();
      }
    };
    state.life = startLife(shell, begins, { onReady, onEnd });
  }
  hold(true);
  // ucode of 22.03 hears no signals: perfleet-agent.sh hears them for it.
  const stdin = fs.fdopen(0, 'r');
  const onStop = (): void => {
    state.stopping = true;
    state.agent?.stop?.();
  };
  if (stdin != null) readPipe(stdin, ignore, onStop);
};

/** Reads the arguments. Returns the exit code (2 for wrong usage, 1 when it cannot start), or null when the agent has begun: run uloop. */
export const runProgram = (argv: string[]): number | null => {
  outcome.code = 0;
  const option = argv[0];
  if (option === '--help' || option === '--version') {
    print(option === '--help' ? USAGE : `${VERSION}\n`);
    return 0;
  }
  const file = argv[1];
  if (option !== '--config' || file == null || length(argv) !== 2) {
    warn(USAGE);
    return 2;
  }
  const problems: string[] = [];
  const config = readConfig(file, problems);
  if (length(problems) > 0) {
    say(`${file} cannot be used:`);
    each(problems, (problem) => say(`  ${problem}`));
    return 1;
  }
  const boot = randomId();
  const shell = { state: config.state, boot, folder: `${config.state}/run-${boot}` };
  uloop.init();
  if (!makeFolders(shell, ['life', 'event', ...GUARD_NAMES])) {
    say(`the folder ${config.state} cannot be used`);
    return 1;
  }
  begin(config, shell);
  return null;
};
