import { each } from '../../core/each.ts';
import type { Publication } from '../../core/io.ts';
import { createInbox } from './inbox.ts';
import { createPosts } from './posts.ts';
import { type Child, PLAIN, type Shell, start } from './shell.ts';
import { after, now } from './timer.ts';

/**
 * The agent's MQTT: one mosquitto_sub, while that is connected one `mosquitto_pub -l` for events (a hand-off waits for no connect), and
 * posts.ts for the rest. mosquitto_sub does not say when it has connected: it is, when the agent's own status comes back. That is
 * retained, so each new connection shows it again. In case the broker has none, a probe is sent: "offline", which is still true. And a new
 * socket is looked for.
 */

const RESTART_FIRST_MS = 1000;
const RESTART_MAX_MS = 30000;

/** Who has lived this long is started again after RESTART_FIRST_MS. */
const LONG_LIFE_MS = 60000;

/** How often it is looked whether mosquitto_sub has another socket … */
const LOOK_MS = 5000;

/** … and, after some looks without a connection, how many there are from probe to probe. */
const PROBE_LOOKS = 4;

/** The retained status comes sooner, most of the time. */
const FIRST_PROBE_MS = 500;

/** mosquitto_sub waits this long before it connects again. */
const RECONNECT_MS = 1000;

/** Problems that are logged between two connections; each only once. */
const MOST_PROBLEMS = 8;

export interface LinkOptions {
  device: string;
  /** Host, port and TLS, for all three. */
  args: string[];
  event_topic: string;
  will: { topic: string; text: string };
  topics: string[];
  onConnected: () => void;
  onDisconnected: () => void;
  onMessage: (topic: string, payload: unknown) => void;
  say: (text: string) => void;
}

export interface Link {
  publish: (publication: Publication) => void;
  /** Calls back when all has left, or after `limit_ms`. Starts nothing any more. */
  close: (limit_ms: number, onClosed: () => void) => void;
}

/** Sockets of a process, by their numbers: with each connection they are others. */
const socketsOf = (pid: string): string => {
  const folder = `/proc/${pid}/fd`;
  const targets = map(fs.lsdir(folder) ?? [], (name) => fs.readlink(`${folder}/${name}`) ?? '');
  return join(
    ' ',
    filter(targets, (target) => index(target, 'socket:') === 0),
  );
};

/** How long to wait before a program is started again that was started at `began_ms`, after `wait_ms` the last time. */
const nextWait = (wait_ms: number, began_ms: number): number =>
  now() - began_ms >= LONG_LIFE_MS ? RESTART_FIRST_MS : max(RESTART_FIRST_MS, min(2 * wait_ms, RESTART_MAX_MS));

export const connect = (shell: Shell, options: LinkOptions): Link => {
  const link = {
    connected: false,
    /** When that began. */
    connected_ms: 0,
    closing: false,
    sub: null as Child | null,
    sub_wait_ms: 0,
    events: null as Child | null,
    events_wait_ms: 0,
    events_killed: false,
    sockets: '',
    looks: 0,
    problems: [] as string[],
  };
  const problem = (text: string): void =>
    each(split(text, '\n'), (line) => {
      const isKnown = length(filter(link.problems, (known) => known === line)) > 0;
      if (isKnown || length(link.problems) >= MOST_PROBLEMS) return;
      push(link.problems, line);
      options.say(line);
    });

  const common = ['-q', '1', ...options.args];
  const posts = createPosts(shell, [...common, '-i', `${options.device}-post`], () => link.connected, problem);
  const probe = (): void => {
    if (!link.connected && link.sub != null)
      posts.send({ what: 'status', topic: options.will.topic, text: options.will.text });
  };

  function startEvents(): void {
    if (link.closing || !link.connected || link.events != null) return;
    const args = ['mosquitto_pub', ...common, '-i', `${options.device}-event`, '-t', options.event_topic, '-l'];
    const began_ms = now();
    const onEnd = (): void => {
      link.events = null;
      // That of the connection before has been killed.
      link.events_wait_ms = link.events_killed ? 0 : nextWait(link.events_wait_ms, began_ms);
      after(link.events_wait_ms, startEvents);
    };
    link.events_killed = false;
    link.events = start(shell, { name: 'event', script: PLAIN, args, fed: true, marked: true }, problem, onEnd);
  }

  const setConnected = (connected: boolean) => {
    if (link.connected === connected) return;
    link.connected = connected;
    options.say(connected ? 'connected to the broker' : 'not connected to the broker');
    if (connected) {
      link.problems = [];
      link.connected_ms = now();
      link.sockets = socketsOf(link.sub?.pid?.() ?? '');
      startEvents();
      return options.onConnected();
    }
    // It may not know yet that its connection is gone, and would lose what it is given.
    link.events?.kill?.();
    link.events_killed = true;
    posts.dropResults();
    options.onDisconnected();
  };

  const inbox = createInbox({
    onMessage: (topic, payload, retained) => {
      const isNew = !link.connected || (retained && now() - link.connected_ms >= RECONNECT_MS);
      if (topic === options.will.topic && isNew) {
        // A new subscription, so a new connection: what was sent on the one before it may be lost.
        setConnected(false);
        setConnected(true);
      } else {
        options.onMessage(topic, payload);
      }
    },
    onProblem: problem,
  });

  function startSub(): void {
    if (link.closing) return;
    const will = [
      '--will-topic',
      options.will.topic,
      '--will-payload',
      options.will.text,
      '--will-qos',
      '1',
      '--will-retain',
    ];
    const args = ['mosquitto_sub', ...common, '-F', '%j', '-i', options.device, ...will];
    each(options.topics, (topic) => push(args, '-t', topic));
    const began_ms = now();
    const onEnd = (): void => {
      link.sub = null;
      inbox('\n');
      setConnected(false);
      link.sub_wait_ms = nextWait(link.sub_wait_ms, began_ms);
      after(link.sub_wait_ms, startSub);
    };
    link.looks = 0;
    after(FIRST_PROBE_MS, probe);
    link.sub = start(shell, { name: 'sub', script: PLAIN, args, fed: false, marked: true }, inbox, onEnd);
  }

  /** Whether its connection is gone. */
  const isCut = (): boolean => link.connected && link.sockets !== socketsOf(link.sub?.pid?.() ?? '');
  const checkSockets = (): void => {
    if (!isCut()) return;
    link.looks = 0;
    setConnected(false);
  };

  function look(): void {
    after(LOOK_MS, look);
    checkSockets();
    if (link.looks <= 1 || link.looks % PROBE_LOOKS === 0) probe();
    link.looks += 1;
  }

  const publish = (publication: Publication): void => {
    const text = sprintf('%J', publication.payload);
    if (publication.what === 'event') link.events?.write?.(`${text}\n`);
    // "online" would come from another connection than the one that hears commands.
    else if (isCut()) after(0, checkSockets);
    else posts.send({ what: publication.what, topic: publication.topic, text });
  };

  const close = (limit_ms: number, onClosed: () => void): void => {
    link.closing = true;
    const finish = (): void => {
      posts.stop();
      onClosed();
    };
    const cancel = after(limit_ms, finish);
    posts.onIdle(() => {
      cancel();
      finish();
    });
  };

  startSub();
  after(LOOK_MS, look);
  return { publish, close };
};
