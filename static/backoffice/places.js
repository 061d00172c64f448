/* The lessons of a plan in their order: moved by buttons or by dragging, taken out, and added by typing. What is sent is
   each place's hidden input, in the order of the list. */

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

class Places {
  constructor(root) {
    this.root = root;
    this.list = root.querySelector("ol");
    this.template = root.querySelector("template");
    this.status = root.querySelector("[role=status]");
    for (const row of this.rows) this.name(row);
    this.show();
    this.list.addEventListener("click", (event) => this.press(event.target.closest("button")));
    this.list.addEventListener("pointerdown", (event) => this.drag(event));
  }

  get rows() {
    return [...this.list.children];
  }

  nameOf(row) {
    return row.querySelector(".gofa-places-name").textContent.trim();
  }

  name(row) {
    for (const button of row.querySelectorAll("button")) {
      const words = fill(button.dataset.words, { name: this.nameOf(row) });
      button.setAttribute("aria-label", words);
      button.title = words;
    }
  }

  show() {
    const rows = this.rows;
    this.root.querySelector(".gofa-places-none").hidden = rows.length > 0;
    rows.forEach((row, index) => {
      // Not `disabled`, which would take the focus away from whoever moves a row to the end.
      row.querySelector("[data-move='-1']").setAttribute("aria-disabled", index === 0);
      row.querySelector("[data-move='1']").setAttribute("aria-disabled", index === rows.length - 1);
    });
  }

  say(words, row) {
    const values = { name: this.nameOf(row), place: this.rows.indexOf(row) + 1, count: this.rows.length };
    this.status.textContent = fill(this.status.dataset[words], values);
  }

  add(id, label) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    Object.assign(row.querySelector("input"), { name: this.root.dataset.places, value: id });
    row.querySelector(".gofa-places-name").textContent = label;
    this.name(row);
    this.list.append(row);
    this.show();
    this.say("added", row);
  }

  press(button) {
    const row = button?.closest("li");
    if (!row) return;
    if ("remove" in button.dataset) this.remove(row);
    else this.move(row, Number(button.dataset.move), button);
  }

  move(row, by, button) {
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(row);
    else other.after(row);
    button.focus();
    this.show();
    this.say("moved", row);
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    this.say("removed", row);
    row.remove();
    this.show();
    (next?.querySelector("[data-remove]") ?? this.root.querySelector(".select2-selection"))?.focus();
  }

  drag(event) {
    const row = event.target.closest("li");
    if (!event.target.closest(".gofa-places-grip") || event.button !== 0) return;
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
function label(root) {
  const words = root.querySelector("label");
  words.id = `${words.htmlFor}_label`;
  for (const part of root.querySelectorAll(".select2-selection, .select2-selection__rendered")) {
    part.setAttribute("aria-labelledby", words.id);
  }
}

const { jQuery } = window.django;
for (const root of document.querySelectorAll("[data-places]")) {
  const places = new Places(root);
  const finder = jQuery(root.querySelector("select"));
  finder.on("select2:select", (event) => {
    places.add(event.params.data.id, event.params.data.text);
    finder.val(null).trigger("change");
  });
  // After Django's own, which makes it.
  jQuery(() => label(root));
}
