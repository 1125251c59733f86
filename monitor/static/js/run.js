/** One run as a page knows it: a pure state machine fed by the wire and by the connection. */

export const NOTHING = Object.freeze({
  asked: null, // the request that has no answer yet: {host, count}
  run: null,
  host: "",
  address: "",
  count: 0,
  interval: 1,
  lines: [], // {data1, data, rtt_ms, status}, contiguous from data1 = 0
  gaps: [], // {from, to}: lines that were loaded after a broken connection
  outcome: null, // null | running | finished | stopped | interrupted | failed | unknown
  summary: null,
  away: false, // the connection broke in mid-run and the run is not resumed yet
  missed: null, // lines loaded at the last return
  resume: null, // {event, run, after}: a new object here is a request to be sent
  answered: null, // the last such request that the server has answered
  problem: null, // {code, host?, reason?, retry_after?, message?}
});

/** The state of a run that the server rendered into its page. */
export function fromRecord(record) {
  const { id, host, address, count, interval, outcome, lines, summary } = record;
  return { ...NOTHING, run: id, host, address, count, interval, outcome, lines, summary };
}

export const isRunning = (state) => state.outcome === "running";

/** Next state; an event that means nothing here returns the state itself. */
export function reduce(state, event) {
  const move = Object.hasOwn(MOVES, event.event) ? MOVES[event.event] : null;
  return move ? move(state, event) : state;
}

const MOVES = {
  asked: (state, { host, count }) => ({ ...state, asked: { host, count }, problem: null }),

  started(state, event) {
    if (event.run === state.run) return resumed(state, event.replayed ?? 0);
    if (!state.asked) return state;
    const { run, host, address, count, interval } = event;
    return { ...NOTHING, run, host, address, count, interval, outcome: "running" };
  },

  server(state, { run, data1, data, rtt_ms, status }) {
    if (run !== state.run || !isRunning(state) || data1 < state.lines.length) return state;
    if (data1 > state.lines.length) return askAgain(state);
    return { ...state, lines: [...state.lines, { data1, data, rtt_ms, status }] };
  },

  finished(state, { run, outcome, summary }) {
    if (run !== state.run || !isRunning(state)) return state;
    const known = summary ? summary.sent + (summary.not_sent ?? 0) : 0;
    // Whoever has an answer on its way hears of the end once more, behind it.
    if (state.lines.length < known && !(askedHere(state) && state.answered === state.resume)) return askAgain(state);
    return { ...state, outcome, summary, away: false, resume: null };
  },

  error(state, { code, message, reason, retry_after, run, host }) {
    const problem = { code, message, reason, retry_after, host: host ?? state.asked?.host };
    if (code === "unknown_run" && (run ?? state.run) === state.run) return MOVES.abandoned(state);
    return { ...state, asked: null, problem };
  },

  abandoned: (state) => (isRunning(state) ? { ...state, outcome: "unknown", away: false, resume: null } : state),

  opened: (state) => (isRunning(state) ? { ...state, resume: resumption(state) } : state),

  lost(state) {
    if (state.asked) return { ...state, asked: null, problem: { code: "lost_before_start" } };
    return isRunning(state) ? { ...state, away: true, missed: null } : state;
  },
};

function resumed(state, replayed) {
  const answered = state.resume;
  if (!state.away) return answered === state.answered ? state : { ...state, answered };
  const from = state.lines.length;
  const gaps = replayed ? [...state.gaps, { from, to: from + replayed - 1 }] : state.gaps;
  return { ...state, answered, gaps, away: false, missed: replayed };
}

const resumption = ({ run, lines }) => ({ event: "resume", run, after: lines.length - 1 });

// One question a hole: a server that cannot fill it must not be asked for ever.
const askedHere = ({ resume, lines }) => resume?.after === lines.length - 1;

const askAgain = (state) => (askedHere(state) ? state : { ...state, resume: resumption(state) });
