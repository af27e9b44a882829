import type { ServerCheck } from '../api/server-views.ts';
import type { ProbeVerdict } from '../drivers/probe.ts';
import type { Checked } from '../runs/checks.ts';

/** What a probe found, for people, and what to do about it. */
const FOUND: Record<ProbeVerdict, string> = {
  answers: 'it would take a test now',
  busy: 'it answers, and is testing somebody now',
  silent: 'it takes the connection and says nothing: it is stuck; restart it',
  refused: 'nobody listens on this port: start it; a one-off server may be just about to start again',
  unreachable: 'no connection: look at the address, the route and the firewall',
  unresolved: 'its name does not resolve',
  'not-iperf3': 'something else than iperf3 answers on this port',
};

/** Why there was no probe. */
const whyNot = ({ why, client }: Extract<Checked, { why: string }>): string => {
  if (why === 'in-use') return `run ${client?.run} of ${client?.device} has it: not probed, it would disturb the test`;
  if (why === 'resting') return "it rests, as another controller's run may have it: not probed";
  return 'the controller is not in charge of its broker, so another one may use the server: not probed';
};

/** The answer to a check, as the API and the commands show it. `server` is null for an address that was asked directly. */
export const serverCheck = (
  { server, host, port }: { server: string | null; host: string; port: number },
  checked: Checked,
): ServerCheck => {
  const about = { server, host, port, version: null };
  if ('verdict' in checked) {
    const { verdict, round_trip_ms } = checked;
    const rounded = round_trip_ms === null ? null : Math.round(round_trip_ms * 1000) / 1000;
    return { ...about, verdict, round_trip_ms: rounded, device: null, run: null, message: FOUND[verdict] };
  }
  const { why, client } = checked;
  return {
    ...about,
    // A probe that is out is answered with what it finds; without one nothing is known.
    verdict: why === 'probed' ? 'resting' : why,
    round_trip_ms: null,
    device: client?.device ?? null,
    run: client?.run ?? null,
    message: whyNot(checked),
  };
};
