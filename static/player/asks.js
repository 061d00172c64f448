/* How did it go? Nobody watches through a camera, so the person counts, or says how much they joined in. */

export class Asks {
  /** Answers are kept with the play, so that a reload loses none. */
  constructor(kept) {
    this.kept = kept;
    this.answers = kept.values.answers ?? {};
    this.box = document.querySelector("[data-asks]");
    this.asks = [...document.querySelectorAll("[data-ask]")];
    for (const ask of this.asks) this.#listen(ask);
  }

  /** While a part is on, only it is asked about. */
  show(part) {
    this.#showThose([part?.index]);
  }

  /** At the end: what was gone through and not answered; false when there is nothing to ask. */
  showOpen(parts) {
    this.#showThose(parts.filter((part) => !part.isAnswered && !this.answers[part.index]).map((part) => part.index));
    return !this.box.hidden;
  }

  /** What was said of a part, in the report's words; undefined when nothing was. */
  fields(part) {
    return this.answers[part.index];
  }

  #showThose(indexes) {
    for (const ask of this.asks) ask.hidden = !indexes.includes(Number(ask.dataset.ask));
    this.box.hidden = this.asks.every((ask) => ask.hidden);
  }

  #listen(ask) {
    const index = Number(ask.dataset.ask);
    const isCounted = "target" in ask.dataset;
    const count = () => this.answers[index]?.repCount ?? 0;
    if (isCounted) ask.querySelector("[data-count]").textContent = count();
    for (const button of ask.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => {
        const repCount = Math.max(0, count() + Number(button.dataset.step));
        this.#answer(index, { repCount, targetRepCount: Number(ask.dataset.target) });
        ask.querySelector("[data-count]").textContent = repCount;
      });
    }
    for (const choice of ask.querySelectorAll("input")) {
      choice.checked = this.answers[index]?.engagementLevel === Number(choice.value);
      choice.addEventListener("change", () => this.#answer(index, { engagementLevel: Number(choice.value) }));
    }
  }

  #answer(index, fields) {
    this.answers[index] = fields;
    this.kept.set({ answers: this.answers });
  }
}
