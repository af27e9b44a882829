/** What must hold, by name: what a simulation can find broken. */
export type LawName =
  | 'one client on a server'
  | 'host group capacity'
  | 'uplink group capacity'
  | 'one run on a device'
  | 'nobody is sent into a ghost'
  | 'no probe of a client of ours'
  | 'a client runs where its token says'
  | 'the lease is on disk before its start'
  | 'the lease of a client is on disk'
  | 'the slot names who runs'
  | 'one start a token'
  | 'tokens grow'
  | 'a resting server rests'
  | 'a suppressed server or device gets no start'
  | 'no client in a maintenance window'
  | 'a skipped run is not started'
  | 'every start is answered'
  | 'a tick is not for nothing'
  | 'one seat a device'
  | 'one record a run'
  | 'one run a night'
  | 'nobody is left out'
  | 'nothing finished is lost'
  | 'no server is lost'
  | 'no device is lost'
  | 'no idle server';

/** Thrown at the moment at which a law is broken. */
export class BrokenLaw extends Error {
  readonly law: LawName;

  constructor(law: LawName, detail: string, at_ms: number) {
    super(`${law}: ${detail} (at ${(at_ms / 1000).toFixed(3)} s)`);
    this.law = law;
  }
}

/** Says that a law is broken, and with what. */
export type Break = (law: LawName, detail: string) => never;
