/* What has the server still to be told? Writes in order, one at a time, each with a key of its own.

   A write whose answer never came is sent again with the same Idempotency-Key, so that it is done once however often it
   is sent. What waits is kept in the tab's storage: a reload loses none of it. */

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;
const LONGEST_ANSWER_MS = 20000;

const DONE = "done";
const AGAIN = "again";
// The same write is being done at this moment: before a reload it was sent, and not answered.
const SOON = "soon";
const REFUSED = "refused";
const NOT_TAKEN = "not taken";

export class Calls {
  #pause = FIRST_PAUSE_MS;
  #isAtWork = false;
  #wake = () => {};

  /** `sessions` are those of AI Move that the server knows, by the step that they are of. `onRun` hears the run after
      each write of it; `onState` hears `saved`, `waiting` or `refused`; `onNotTaken` hears of a step of which the server
      will never take what it was told; `onEmpty` hears that nothing waits any more. */
  constructor({ runId, csrfToken, sessions, onRun, onState, onNotTaken, onEmpty }) {
    Object.assign(this, { csrfToken, onRun, onState, onNotTaken, onEmpty, state: "saved" });
    this.key = `gofa.routine.${runId}`;
    const kept = this.#read();
    this.waiting = (kept.waiting ?? []).map((call) => ({ ...call, isSent: false }));
    // A page that was asked for while a session was being made does not know of it; what waits is of the one kept here.
    const awaited = Object.entries(kept.sessions ?? {}).filter(([step]) => this.last({ step: Number(step) }));
    this.sessions = { ...kept.sessions, ...sessions, ...Object.fromEntries(awaited) };
    this.seen = kept.seen ?? {};
    addEventListener("online", () => this.#wake());
  }

  /** `call` is {name, method, path, body, step}; `{session}` in the path or the body is the step's. `replaces: true` takes
      the place of the last one with the same `name` and step, if that has not been sent. */
  add(call) {
    const last = this.waiting.at(-1);
    const isOutdated = call.replaces && last?.name === call.name && last.step === call.step && !last.isSent;
    if (isOutdated) this.waiting.pop();
    this.waiting.push({ ...call, key: newKey() });
    if (call.name === "seen") this.seen[call.step] = call.body;
    this.#keep();
    this.work();
  }

  /** Send what waits, until nothing does or the server will take nothing more. */
  async work() {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    while (this.waiting.length && this.state !== REFUSED) await this.#next();
    this.#isAtWork = false;
    if (!this.waiting.length) this.onEmpty();
  }

  /** The last call that waits and has these properties. */
  last(properties) {
    const wanted = Object.entries(properties);
    return this.waiting.filter((call) => wanted.every(([name, value]) => call[name] === value)).at(-1);
  }

  /** The run is over: nothing of it is to be told any more. */
  forget() {
    this.waiting = [];
    try {
      sessionStorage.removeItem(this.key);
    } catch {
      // A browser that keeps nothing has nothing to forget.
    }
  }

  async #next() {
    const call = this.waiting[0];
    call.isSent = true;
    const outcome = await this.#send(call);
    if (outcome === AGAIN) this.#say("waiting");
    if (outcome === AGAIN || outcome === SOON) return this.#rest();
    if (outcome === REFUSED) return this.#say(REFUSED);
    this.#pause = FIRST_PAUSE_MS;
    this.waiting.shift();
    if (outcome === NOT_TAKEN) this.#giveUp(call);
    this.#keep();
    this.#say("saved");
  }

  async #send(call) {
    try {
      const response = await this.#fetch(call);
      if (response.ok) {
        this.#take(call, await response.json());
        return DONE;
      }
      return await outcomeOf(response);
    } catch {
      // No connection, or no whole answer: the same as a server that cannot answer.
      return AGAIN;
    }
  }

  #fetch(call) {
    const session = this.sessions[call.step] ?? "";
    return fetch(call.path.replace("{session}", session), {
      method: call.method,
      headers: {
        "Content-Type": "application/json",
        "X-CSRF-Token": this.csrfToken,
        "Idempotency-Key": call.key,
      },
      body: JSON.stringify(call.body).replace("{session}", session),
      // A tablet of some years ago waits as long as it likes.
      signal: AbortSignal.timeout?.(LONGEST_ANSWER_MS),
      // When the page goes away meanwhile, the browser delivers it all the same.
      keepalive: true,
    });
  }

  #take(call, answer) {
    if (answer.session) this.sessions[call.step] = answer.session.sessionId;
    if (answer.routineRun) this.onRun(answer.routineRun);
  }

  /** What else waits of the same step stands on what was not taken. */
  #giveUp(call) {
    this.waiting = this.waiting.filter((each) => each.step !== call.step);
    delete this.sessions[call.step];
    delete this.seen[call.step];
    this.onNotTaken(call.step);
  }

  #rest() {
    const pause = this.#pause;
    this.#pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.#wake = () => {
        clearTimeout(timer);
        this.#pause = FIRST_PAUSE_MS;
        resolve();
      };
    });
  }

  #read() {
    try {
      return JSON.parse(sessionStorage.getItem(this.key)) ?? {};
    } catch {
      return {};
    }
  }

  #keep() {
    const { waiting, sessions, seen } = this;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ waiting, sessions, seen }));
    } catch {
      // A browser that keeps nothing still trains.
    }
  }

  #say(state) {
    if (this.state === state) return;
    this.state = state;
    this.onState(state);
  }
}

/** Is this answer to be waited for, is it the end of the session, or will this one write never be taken? */
async function outcomeOf(response) {
  if (response.status >= 500 || response.status === 429 || response.status === 408) return AGAIN;
  if ([401, 403, 404].includes(response.status)) return REFUSED;
  const { code } = await response.json();
  return code === "idempotency.in_progress" ? SOON : NOT_TAKEN;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
