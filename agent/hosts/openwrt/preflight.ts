import { readVersion } from '../../iperf3/version.ts';
import { type Shell, start } from './shell.ts';
import { after } from './timer.ts';

/** `iperf3 --version` and a lookup have this long together. */
const LOOK_LIMIT_MS = 4000;

/** Says the version, and `resolved` when the host is an address or has one. OpenWrt has no getent; nslookup does not look into /etc/hosts. */
const LOOK = `iperf3 --version 2>&1
echo
case $1 in
*[!0-9.]*)
  [ "\${1#*:}" != "$1" ] || getent ahosts "$1" >/dev/null 2>&1 || grep -qwF "$1" /etc/hosts ||
    nslookup "$1" 2>/dev/null | grep -q '^Name:' || exit
  ;;
esac
echo resolved
`;

export interface Preflight {
  iperf3: string | null;
  resolved: boolean;
}

/** Looks for iperf3 and resolves `host`, and calls back once, within LOOK_LIMIT_MS. */
const lookAt = (shell: Shell, host: string, onFound: (found: Preflight) => void): void => {
  const look = { text: '', answered: false };
  const answer = (): void => {
    if (look.answered) return;
    look.answered = true;
    onFound({ iperf3: readVersion(look.text), resolved: index(look.text, '\nresolved') >= 0 });
  };
  const args = [replace(host, /%.*$/, '')];
  const onText = (text: string): void => {
    look.text = `${look.text}${text}`;
  };
  const child = { kill: null as (() => void) | null };
  const cancel = after(LOOK_LIMIT_MS, () => {
    child.kill?.();
    answer();
  });
  const onEnd = (): void => {
    cancel();
    answer();
  };
  child.kill = start(shell, { name: 'look', script: LOOK, args, fed: false, marked: true }, onText, onEnd).kill;
};

interface Question {
  host: string;
  onFound: (found: Preflight) => void;
}

/**
 * Looks at one host at a time, and then at the one that was asked for last; who asked in between is not answered. However fast commands come,
 * they start no more programs than that.
 */
export const createPreflight = (shell: Shell): ((host: string, onFound: (found: Preflight) => void) => void) => {
  const asked = { looking: false, next: null as Question | null };
  function look(): void {
    const question = asked.next;
    if (asked.looking || question == null) return;
    asked.looking = true;
    asked.next = null;
    lookAt(shell, question.host, (found) => {
      asked.looking = false;
      question.onFound(found);
      look();
    });
  }
  return (host, onFound) => {
    asked.next = { host, onFound };
    look();
  };
};
