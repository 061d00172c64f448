/* How long has the exercise been going on? Seconds while it runs; a pause does not count, a phone in a pocket does. */

const TICK_MS = 200;
// A computer that was asleep does not wake up to an exercise of three hours.
const LONGEST_TICK_SECONDS = 120;

/** 75 → "1:15". */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class Stopwatch {
  #timer = 0;
  #since = 0;

  /** `onTick` hears the seconds so far, several times a second while it runs. */
  constructor(onTick) {
    this.onTick = onTick;
    this.seconds = 0;
  }

  get isRunning() {
    return this.#timer !== 0;
  }

  set(seconds) {
    this.stop();
    this.seconds = seconds;
  }

  start() {
    if (this.isRunning) return;
    this.#since = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop() {
    if (!this.isRunning) return;
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#count();
  }

  #tick() {
    this.#count();
    this.onTick(this.seconds);
  }

  #count() {
    const now = performance.now();
    this.seconds += Math.min((now - this.#since) / 1000, LONGEST_TICK_SECONDS);
    this.#since = now;
  }
}
