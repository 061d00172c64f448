/* What is seen and heard of the routine: its stages, the dial, the list of exercises. It decides nothing. */

import { clockTime } from "./stopwatch.js";

const STAGES = ["overview", "step", "rest", "end"];

export const find = (name) => document.querySelector(`[data-${name}]`);

/** "Exercise {number} of {count}" with its values. */
export function fill(words, values) {
  return words.replace(/{(\w+)}/g, (_, name) => values[name]);
}

export class Face {
  constructor(steps, words) {
    Object.assign(this, { steps, words });
    this.items = [...document.querySelectorAll("[data-item]")];
    this.segments = [...find("rail").children];
    for (const step of steps) this.mark(step);
  }

  /** One stage at a time; whoever cannot see it is led to its heading. */
  show(stage) {
    find("routine").dataset.stage = stage;
    for (const each of STAGES) find(each).hidden = each !== stage;
    find("routine-title").hidden = stage === "overview";
    find("leave").hidden = stage === "overview" || stage === "end";
    find(stage).querySelector("[tabindex]").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  say(text) {
    find("said").textContent = text;
  }

  begin(text) {
    find("begin-words").textContent = text;
    find("begin").hidden = false;
  }

  /** The name of the exercise, and what is to be done. */
  step(step) {
    const place = fill(this.words.stepOf, { number: step.index + 1, count: this.steps.length });
    find("place").textContent = place;
    find("step-title").textContent = step.title;
    find("target").textContent = step.target;
    find("hint").textContent = step.hint;
    this.#point(step);
  }

  /** `state` is ready, running, paused or over; nothing but the dial and the buttons changes. */
  controls(step, state, { isBegun, isReached }) {
    const isCounted = step.targetReps !== null;
    const isRunning = state === "running";
    find("step").dataset.state = state;
    find("tap").hidden = !isCounted || !isBegun;
    find("tap").disabled = !isRunning;
    find("time-figure").hidden = isCounted && isBegun;
    find("less").hidden = !isCounted || !isBegun;
    find("toggle").hidden = isReached && !isCounted;
    find("toggle").classList.toggle("quiet", isRunning || isReached);
    find("toggle-words").textContent = this.#toggleWords(isRunning, isBegun);
    find("done").hidden = !isBegun;
    find("done").classList.toggle("quiet", !isReached && !isRunning);
    find("reached").textContent = isReached ? (isCounted ? this.words.reached : this.words.timeUp) : "";
  }

  /** How many have been counted, of how many. */
  count(step, count) {
    find("count").textContent = count;
    find("count-of").textContent = fill(this.words.ofTarget, { target: step.targetReps });
    find("time").textContent = step.targetReps;
    find("time-words").textContent = this.words.repetitions;
    this.#arc(find("arc"), count / Math.max(step.targetReps, 1));
  }

  /** How much time is left. */
  time(step, seconds) {
    find("time").textContent = clockTime(step.targetSeconds - seconds);
    find("time-words").textContent = "";
    this.#arc(find("arc"), seconds / Math.max(step.targetSeconds, 1));
  }

  rest(step, next) {
    find("next").textContent = fill(this.words.next, { title: next.title });
    this.restTime(step, 0);
    this.#point(next);
  }

  restTime(step, seconds) {
    find("rest-time").textContent = clockTime(step.restSeconds - seconds);
    this.#arc(find("rest-arc"), 1 - seconds / Math.max(step.restSeconds, 1));
  }

  /** What became of a step, in the list and on the rail. */
  mark(step) {
    const item = this.items[step.index];
    item.dataset.state = this.segments[step.index].dataset.state = step.status;
    item.querySelector("[data-state-words]").textContent = this.words.states[step.status];
  }

  /** What is to be known of the connection; nothing while all is well. */
  saving(text) {
    find("saving").textContent = text;
  }

  ending(text) {
    find("end-status").textContent = text;
  }

  #toggleWords(isRunning, isBegun) {
    if (isRunning) return this.words.pause;
    return isBegun ? this.words.resume : this.words.start;
  }

  #point(current) {
    this.items.forEach((item, index) => {
      if (index === current.index) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      this.segments[index].classList.toggle("current", index === current.index);
    });
  }

  #arc(circle, share) {
    circle.setAttribute("stroke-dasharray", `${Math.min(Math.max(share, 0), 1) * 100} 100`);
  }
}
