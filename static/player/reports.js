/* What does the server know of this play, and what does it not know yet?

   The server merges reports by part, and a repeat changes nothing. So nothing is queued: what is not yet confirmed is
   kept as one state, in memory and in the tab's storage, and sent until it is confirmed. */

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30000;

/** What a reload must not lose, in the tab's storage where there is one. */
export class Kept {
  constructor(playId) {
    this.key = `gofa.play.${playId}`;
    try {
      this.values = JSON.parse(sessionStorage.getItem(this.key)) ?? {};
    } catch {
      this.values = {};
    }
  }

  set(values) {
    Object.assign(this.values, values);
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.values));
    } catch {
      // A browser that keeps nothing still plays.
    }
  }

  clear() {
    this.values = {};
    try {
      sessionStorage.removeItem(this.key);
    } catch {
      // As above.
    }
  }
}

export class Reports {
  #pause = FIRST_PAUSE_MS;
  #timer = 0;
  #flight = null;

  /** `figures` answers activityTime and playbackSpeed; `onState` hears `saved`, `waiting` or `refused`. */
  constructor({ url, csrfToken, kept, figures, onState }) {
    Object.assign(this, { url, csrfToken, kept, figures, onState, state: "saved" });
    this.unsent = kept.values.unsent ?? {};
    addEventListener("online", () => this.send());
  }

  /** Something is known of a part; later words on it are merged with earlier ones. */
  note(index, fields) {
    this.unsent[index] = { ...this.unsent[index], index, ...fields };
    this.kept.set({ unsent: this.unsent });
  }

  /** Send what is not confirmed; true when the server has confirmed it. Two never run at once. */
  async send({ completed = false } = {}) {
    while (this.#flight) await this.#flight;
    this.#flight = this.#post(completed, false);
    try {
      return await this.#flight;
    } finally {
      this.#flight = null;
    }
  }

  /** The page goes away: the browser is asked to deliver the report after it. */
  leave({ completed = false } = {}) {
    this.#post(completed, true);
  }

  async #post(completed, keepalive) {
    clearTimeout(this.#timer);
    const sent = structuredClone(this.unsent);
    const report = { sessions: Object.values(sent), ...this.figures(), ...(completed && { completed }) };
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrfToken },
        body: JSON.stringify(report),
        keepalive,
      });
      if (response.ok) return this.#confirmed(sent);
      if (response.status < 500 && response.status !== 429) return this.#refused();
    } catch {
      // No connection: the same as a server that cannot answer.
    }
    if (!keepalive) this.#later(completed);
    return false;
  }

  #confirmed(sent) {
    for (const [index, fields] of Object.entries(sent)) {
      if (JSON.stringify(fields) === JSON.stringify(this.unsent[index])) delete this.unsent[index];
    }
    this.kept.set({ unsent: this.unsent });
    this.#pause = FIRST_PAUSE_MS;
    this.#say("saved");
    return true;
  }

  #refused() {
    this.#say("refused");
    return false;
  }

  #later(completed) {
    this.#say("waiting");
    // The end of a lesson is tried again by whoever waits for it.
    if (!completed) this.#timer = setTimeout(() => this.send(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #say(state) {
    this.state = state;
    this.onState(state);
  }
}
