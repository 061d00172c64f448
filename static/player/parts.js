/* Which part of the lesson is it now, and what became of the others? The list of parts and the bar under the film. */

/** 75 → "1:15". */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class Parts {
  constructor(parts, words) {
    this.parts = parts;
    this.words = words;
    this.buttons = [...document.querySelectorAll("[data-part]")];
    this.rail = document.querySelector("[data-rail]");
    this.segments = parts.map(() => this.rail.appendChild(document.createElement("span")));
    for (const part of parts) this.#paint(part);
    for (const button of this.buttons) button.addEventListener("keydown", (event) => this.#walk(event));
  }

  at(time) {
    return this.parts.find((part) => part.start <= time && time < part.end) ?? null;
  }

  /** The first part that nothing is known of, when parts before it are. */
  firstOpen() {
    return this.parts.some((part) => part.state) ? this.parts.find((part) => !part.state) : undefined;
  }

  /** Those that were gone through. */
  gone() {
    return this.parts.filter((part) => part.state === "done");
  }

  /** Skipped by the play's own wish, unless the person has asked for this part. */
  isToSkip(part, stages) {
    return stages.includes(part.stage) && !part.isWanted;
  }

  mark(part, state) {
    part.state = state;
    this.#paint(part);
  }

  show(current) {
    for (const button of this.buttons) {
      const isCurrent = current !== null && Number(button.dataset.part) === current.index;
      if (isCurrent) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    this.segments.forEach((segment, index) => segment.classList.toggle("current", index === current?.index));
    const button = this.buttons[current?.index];
    const list = button?.closest("ol");
    // Within its own list only: the page stays where the person has put it.
    if (list && list.scrollHeight > list.clientHeight) list.scrollTop = button.offsetTop - list.clientHeight / 3;
  }

  setDuration(duration) {
    this.duration = duration;
    this.parts.forEach((part, index) => {
      const start = Math.min(part.start, duration);
      this.segments[index].style.left = `${(start / duration) * 100}%`;
      this.segments[index].style.width = `${((Math.min(part.end, duration) - start) / duration) * 100}%`;
    });
  }

  /** How much of the bar is behind us. */
  fill(time) {
    this.rail.style.setProperty("--played", `${Math.min(time / this.duration, 1) * 100}%`);
  }

  onChoice(go) {
    for (const button of this.buttons) {
      button.addEventListener("click", () => go(this.parts[Number(button.dataset.part)]));
    }
  }

  #paint(part) {
    const button = this.buttons[part.index];
    button.dataset.state = part.state ?? "";
    button.querySelector("[data-part-state]").textContent = this.words.states[part.state] ?? "";
    this.segments[part.index].dataset.state = part.state ?? "";
  }

  /** Up and down walk through the list, as Tab does. */
  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step && this.buttons[this.buttons.indexOf(event.currentTarget) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
