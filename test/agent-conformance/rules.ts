/** Rules of docs/protocol.md that ask nothing of an agent, and why. Each of the others has a case. */
export const NOT_ABOUT_AGENTS: Readonly<Record<string, string>> = {
  L4: 'the controller repeats a start; that an agent takes each of them for the same is T9, L2 and L3',
  L6: "the controller's deadline",
  L9: 'what frees a slot, in the controller; that an agent says nothing of it too early is F1 and C1',
  L11: 'the controller lets a server rest',
  L12: "the controller's disk",
  L13: "the controller's restart",
  L14: 'controllers among themselves',
  L15: 'what the controller grants',
  F4: 'when the controller accepts a result; what an agent does then is F2',
  H1: 'the controller tells who holds a slot',
};

/** What rules ask of agents and no case checks, and why. */
export const NOT_CHECKED: readonly { rule: string; what: string; why: string }[] = [
  { rule: 'T5', what: 'that what is dropped is counted and logged', why: 'every agent has other words for it' },
  { rule: 'T8', what: 'that nothing stale is queued', why: 'it follows from clean sessions, which are checked' },
  { rule: 'P5', what: 'that nobody looks when it is null', why: 'it cannot be seen from outside' },
  { rule: 'R1', what: 'that a prepare is forgotten after PREPARE_TTL', why: 'it takes 10 min: only with --slow' },
  { rule: 'L5', what: 'that the limits are armed before the spawn', why: 'only their effect can be seen' },
  {
    rule: 'L7',
    what: 'that the guard gets values as "$@" and counts from its line',
    why: 'only their effect can be seen',
  },
  {
    rule: 'F2',
    what: 'the first resend, RESEND_FIRST after the result was sent',
    why: 'it takes 1 min: only with --slow',
  },
  { rule: 'F2', what: 'that the wait doubles, up to RESEND_MAX', why: 'it takes an hour' },
];
