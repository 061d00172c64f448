/* The steps of a routine: moved by buttons or by dragging, taken out, added at the end. What is sent is each step's own
   form; its place is a number, which is typed where there is no script, and written and hidden here. */

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

class Steps {
  constructor(root) {
    this.root = root;
    this.prefix = root.dataset.steps;
    this.list = root.querySelector("[data-list]");
    this.template = root.querySelector("template");
    this.status = root.querySelector("[data-status]");
    this.total = root.querySelector(`[name="${this.prefix}-TOTAL_FORMS"]`);
    for (const row of this.list.children) this.take(row);
    // The blank step is for those without a script.
    for (const row of this.list.querySelectorAll("[data-blank]")) this.strike(row);
    const add = root.querySelector("[data-add]");
    add.hidden = false;
    add.addEventListener("click", () => this.add());
    this.list.addEventListener("click", (event) => this.press(event.target.closest("button")));
    this.list.addEventListener("pointerdown", (event) => this.drag(event));
    this.show();
  }

  get rows() {
    return [...this.list.children].filter((row) => !row.hidden);
  }

  input(row, ending) {
    return row.querySelector(`[name$="-${ending}"]`);
  }

  take(row) {
    row.querySelector("[data-order]").hidden = true;
    row.querySelector("[data-delete]").hidden = true;
    row.querySelector("[data-tools]").hidden = false;
    row.querySelector("[data-grip]").hidden = false;
    if (this.input(row, "DELETE").checked) row.hidden = true;
  }

  strike(row) {
    this.input(row, "DELETE").checked = true;
    row.hidden = true;
  }

  nameOf(row) {
    const chosen = this.input(row, "exercise").selectedOptions[0];
    const place = this.rows.indexOf(row) + 1;
    return (chosen?.value && chosen.textContent.trim()) || fill(this.status.dataset.unnamed, { number: place });
  }

  show() {
    const rows = this.rows;
    this.root.querySelector("[data-none]").hidden = rows.length > 0;
    rows.forEach((row, index) => {
      this.input(row, "ORDER").value = index + 1;
      // Not `disabled`, which would take the focus away from whoever moves a step to the end.
      row.querySelector("[data-move='-1']").setAttribute("aria-disabled", index === 0);
      row.querySelector("[data-move='1']").setAttribute("aria-disabled", index === rows.length - 1);
      for (const button of row.querySelectorAll("[data-words]")) {
        const words = fill(button.dataset.words, { name: this.nameOf(row) });
        button.setAttribute("aria-label", words);
        button.title = words;
      }
    });
  }

  say(words, row) {
    const values = { name: this.nameOf(row), place: this.rows.indexOf(row) + 1, count: this.rows.length };
    this.status.textContent = fill(this.status.dataset[words], values);
  }

  add() {
    const number = Number(this.total.value);
    const row = this.template.content.firstElementChild.cloneNode(true);
    for (const part of row.querySelectorAll("*")) {
      for (const { name, value } of [...part.attributes]) {
        if (value.includes("__prefix__")) part.setAttribute(name, value.replaceAll("__prefix__", number));
      }
    }
    delete row.dataset.blank;
    this.total.value = number + 1;
    this.take(row);
    this.list.append(row);
    // Django's own script makes the finder of exercises.
    row.dispatchEvent(new CustomEvent("formset:added", { bubbles: true, detail: { formsetName: this.prefix } }));
    label(row);
    this.show();
    this.say("added", row);
    row.querySelector(".select2-selection")?.focus();
  }

  press(button) {
    const row = button?.closest("li.gofa-step");
    if (!row) return;
    if ("remove" in button.dataset) this.remove(row);
    else if (button.dataset.move) this.move(row, Number(button.dataset.move), button);
  }

  move(row, by, button) {
    const other = this.rows[this.rows.indexOf(row) + by];
    if (!other) return;
    if (by < 0) other.before(row);
    else other.after(row);
    button.focus();
    this.show();
    this.say("moved", row);
  }

  remove(row) {
    const place = this.rows.indexOf(row);
    this.say("removed", row);
    this.strike(row);
    this.show();
    const next = this.rows[place] ?? this.rows[place - 1];
    (next?.querySelector("[data-remove]") ?? this.root.querySelector("[data-add]")).focus();
  }

  drag(event) {
    const row = event.target.closest("li.gofa-step");
    if (!event.target.closest("[data-grip]") || event.button !== 0) return;
    event.preventDefault();
    const over = (moved) => {
      const below = this.rows.find((each) => {
        const box = each.getBoundingClientRect();
        return each !== row && moved.clientY < box.top + box.height / 2;
      });
      if (below !== row.nextElementSibling) this.list.insertBefore(row, below ?? null);
    };
    const end = () => {
      row.classList.remove("moving");
      removeEventListener("pointermove", over);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      this.show();
      this.say("moved", row);
    };
    row.classList.add("moving");
    addEventListener("pointermove", over);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }
}

/** Select2 stands in for the select, and takes no notice of its label. */
function label(row) {
  const words = row.querySelector(".gofa-step-exercise label");
  if (!words) return;
  words.id = `${words.htmlFor}_label`;
  for (const part of row.querySelectorAll(".select2-selection, .select2-selection__rendered")) {
    part.setAttribute("aria-labelledby", words.id);
  }
}

const { jQuery } = window.django;
for (const root of document.querySelectorAll("[data-steps]")) {
  const steps = new Steps(root);
  jQuery(root).on("change", ".admin-autocomplete", () => steps.show());
  // After Django's own, which makes the finders.
  jQuery(() => {
    for (const row of steps.list.children) label(row);
  });
}
