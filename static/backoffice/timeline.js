/* The sessions of a lesson as bars over its length, drawn out of the table's inputs and written back into them.
   The table is what is sent and stays in charge: whatever is typed there moves the bars. */

const NEW_SECONDS = 30;
const STEP = 1;
const BIG_STEP = 10;
const SHORTEST = 1;
// How near to its edge a bar is taken by that edge.
const EDGE_PX = 10;

function clockTime(seconds) {
  const tenths = Math.round(seconds * 10);
  const whole = Math.floor(tenths / 10);
  const fraction = tenths % 10 ? `.${tenths % 10}` : "";
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}${fraction}`;
}

/** Seconds as the table has them: no more than milliseconds, no needless zeros. */
function written(seconds) {
  return String(Math.round(seconds * 1000) / 1000);
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** One row of the table. */
class Session {
  constructor(row) {
    this.row = row;
  }

  input(ending) {
    return this.row.querySelector(`[name$="-${ending}"]`);
  }

  get isRemoved() {
    return this.input("DELETE")?.checked ?? false;
  }

  get start() {
    return parseFloat(this.input("start_seconds").value);
  }

  get end() {
    return parseFloat(this.input("end_seconds").value);
  }

  get isPlaced() {
    return Number.isFinite(this.start) && Number.isFinite(this.end);
  }

  get title() {
    const shown = document.documentElement.lang.toLowerCase();
    const inputs = [...this.row.querySelectorAll('[name*="-title_"]')];
    const own = inputs.find((input) => input.lang.toLowerCase() === shown && input.value);
    return (own ?? inputs.find((input) => input.value))?.value ?? "";
  }

  place(start, end) {
    this.input("start_seconds").value = written(start);
    this.input("end_seconds").value = written(end);
  }

  /** One that is stored is marked; a new one is taken out of the table, as its own link does it. */
  remove() {
    const mark = this.input("DELETE");
    if (mark?.type === "checkbox") mark.checked = true;
    else this.row.querySelector(".inline-deletelink").click();
  }
}

class Timeline {
  #bars = new Map();
  #drag = null;

  constructor(box) {
    this.box = box;
    this.prefix = box.dataset.timeline;
    this.group = document.getElementById(`${this.prefix}-group`);
    this.words = document.querySelector("[data-timeline-words]").dataset;
    this.track = box.querySelector("[data-track]");
    this.scale = box.querySelector("[data-scale]");
    this.status = box.querySelector("[data-status]");
    this.#listen();
    box.hidden = false;
    this.draw();
  }

  get duration() {
    return parseFloat(document.getElementById("id_duration")?.value) || 0;
  }

  get sessions() {
    const rows = this.group.querySelectorAll(".form-row:not(.empty-form)");
    return [...rows].map((row) => new Session(row)).filter((session) => !session.isRemoved);
  }

  get placed() {
    return this.sessions.filter((session) => session.isPlaced).sort((one, other) => one.start - other.start);
  }

  // --- What is seen ---

  draw() {
    const placed = this.placed;
    for (const [row, bar] of this.#bars) {
      if (placed.some((session) => session.row === row)) continue;
      bar.remove();
      this.#bars.delete(row);
    }
    const flaws = placed.map((session) => this.#flawOf(session, placed));
    placed.forEach((session, index) => this.#paint(session, index, flaws[index]));
    const wrong = flaws.filter(Boolean).length;
    this.#say(wrong ? fill(this.words.wrong, { count: wrong }) : "", wrong > 0);
    this.#drawScale();
  }

  #flawOf(session, placed) {
    if (session.end <= session.start) return this.words.backward;
    if (session.end > this.duration) return this.words.outside;
    const overlaps = placed.some(
      (other) => other.row !== session.row && other.start < session.end && session.start < other.end,
    );
    return overlaps ? this.words.overlaps : "";
  }

  #paint(session, index, flaw) {
    const bar = this.#bars.get(session.row) ?? this.#makeBar(session.row);
    const length = Math.max(this.duration, ...this.placed.map((each) => each.end)) || 1;
    const name = session.title || fill(this.words.unnamed, { number: index + 1 });
    const span = fill(this.words.span, { start: clockTime(session.start), end: clockTime(session.end) });
    bar.style.left = `${(Math.max(session.start, 0) / length) * 100}%`;
    bar.style.width = `${(Math.max(session.end - session.start, 0) / length) * 100}%`;
    bar.firstChild.textContent = name;
    bar.title = [name, span, flaw].filter(Boolean).join(", ");
    bar.classList.toggle("wrong", flaw !== "");
    bar.setAttribute("aria-label", name);
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", written(length));
    bar.setAttribute("aria-valuenow", written(session.start));
    bar.setAttribute("aria-valuetext", [span, flaw].filter(Boolean).join(", "));
    // In order of time, so that Tab goes along the lesson; moved only when it must be, which would lose the focus.
    if (this.track.children[index] !== bar && this.#drag === null && document.activeElement !== bar)
      this.track.insertBefore(bar, this.track.children[index] ?? null);
  }

  #makeBar(row) {
    const bar = document.createElement("div");
    bar.className = "gofa-timeline-bar";
    bar.tabIndex = 0;
    bar.setAttribute("role", "slider");
    bar.append(document.createElement("span"));
    this.#bars.set(row, bar);
    this.track.append(bar);
    return bar;
  }

  #drawScale() {
    const length = Math.max(this.duration, ...this.placed.map((each) => each.end)) || 1;
    this.scale.replaceChildren(
      ...[0, 0.25, 0.5, 0.75, 1].map((part) => {
        const mark = document.createElement("span");
        mark.textContent = clockTime(Math.round(part * length));
        return mark;
      }),
    );
  }

  #say(text, isWrong = false) {
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.classList.toggle("wrong", isWrong);
  }

  // --- What is done ---

  /** Within the lesson, as long as it was. */
  move(session, by) {
    const length = session.end - session.start;
    const start = Math.min(Math.max(session.start + by, 0), Math.max(this.duration - length, 0));
    session.place(start, start + length);
    this.draw();
  }

  moveStart(session, by) {
    const start = Math.min(Math.max(session.start + by, 0), session.end - SHORTEST);
    session.place(Math.max(start, 0), session.end);
    this.draw();
  }

  moveEnd(session, by) {
    const end = Math.max(Math.min(session.end + by, this.duration), session.start + SHORTEST);
    session.place(session.start, end);
    this.draw();
  }

  /** In the free stretch in which this time lies, or the first one after it, or the first of all. */
  addAt(time) {
    if (!this.duration) return this.#say(this.words.endless, true);
    const free = this.#free();
    const room = free.find(([start, end]) => start <= time && time < end) ?? free.find(([start]) => start >= time);
    const [from, to] = room ?? free[0] ?? [0, 0];
    if (to - from < SHORTEST) return this.#say(this.words.full, true);
    const start = from <= time && time <= to - SHORTEST ? time : from;
    const row = this.#addRow();
    new Session(row).place(start, Math.min(start + NEW_SECONDS, to));
    this.draw();
    this.#bars.get(row).focus();
  }

  #free() {
    const free = [];
    let from = 0;
    for (const session of this.placed) {
      if (session.start - from >= SHORTEST) free.push([from, session.start]);
      from = Math.max(from, session.end);
    }
    if (this.duration - from >= SHORTEST) free.push([from, this.duration]);
    return free;
  }

  /** As the table's own link does it, which counts and names the inputs. */
  #addRow() {
    this.group.querySelector(".add-row a").click();
    return [...this.group.querySelectorAll(".form-row:not(.empty-form)")].at(-1);
  }

  remove(session, bar) {
    const next = bar.nextElementSibling ?? bar.previousElementSibling;
    session.remove();
    this.draw();
    if (!this.status.textContent) this.#say(fill(this.words.removed, { name: bar.getAttribute("aria-label") }));
    (next ?? this.box.querySelector("[data-add]")).focus();
  }

  // --- Keyboard and pointer ---

  #listen() {
    this.track.addEventListener("keydown", (event) => this.#onKey(event));
    this.track.addEventListener("pointerdown", (event) => this.#take(event));
    this.track.addEventListener("pointermove", (event) => this.#drag && this.#pull(event));
    for (const type of ["pointerup", "pointercancel"]) this.track.addEventListener(type, () => this.#letGo());
    this.track.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".gofa-timeline-bar")) this.addAt(Math.floor(this.#timeAt(event)));
    });
    this.box.querySelector("[data-add]").addEventListener("click", () => this.addAt(0));
    for (const type of ["input", "change"]) this.group.addEventListener(type, () => this.draw());
    document.getElementById("id_duration")?.addEventListener("input", () => this.draw());
    for (const type of ["formset:added", "formset:removed"]) document.addEventListener(type, () => this.draw());
  }

  #sessionOf(bar) {
    const [row] = [...this.#bars].find(([, each]) => each === bar);
    return new Session(row);
  }

  #onKey(event) {
    const bar = event.target.closest(".gofa-timeline-bar");
    if (!bar || event.ctrlKey || event.metaKey) return;
    const session = this.#sessionOf(bar);
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (direction) {
      const by = direction * (event.shiftKey ? BIG_STEP : STEP);
      if (event.altKey) this.moveEnd(session, by);
      else this.move(session, by);
    } else if (event.key === "Home") this.move(session, -this.duration);
    else if (event.key === "End") this.move(session, this.duration);
    else if (event.key === "Delete") this.remove(session, bar);
    else if (event.key === "Insert" || event.key === "Enter") this.addAt(session.end);
    else return;
    event.preventDefault();
  }

  #secondsPerPixel() {
    const length = Math.max(this.duration, ...this.placed.map((each) => each.end)) || 1;
    return length / this.track.clientWidth;
  }

  #timeAt(event) {
    return (event.clientX - this.track.getBoundingClientRect().left) * this.#secondsPerPixel();
  }

  #take(event) {
    const bar = event.target.closest(".gofa-timeline-bar");
    if (!bar || event.button !== 0) return;
    const { left, right, width } = bar.getBoundingClientRect();
    // The middle third stays for moving, however short the bar is.
    const edge = Math.min(EDGE_PX, width / 3);
    const part = event.clientX - left < edge ? "start" : right - event.clientX < edge ? "end" : "all";
    const session = this.#sessionOf(bar);
    const { start, end } = session;
    this.#drag = { session, part, start, end, x: event.clientX, scale: this.#secondsPerPixel() };
    this.track.setPointerCapture(event.pointerId);
    bar.focus();
    event.preventDefault();
  }

  #pull(event) {
    const { session, part, start, end, x, scale } = this.#drag;
    const by = Math.round((event.clientX - x) * scale);
    session.place(start, end);
    if (part === "start") this.moveStart(session, by);
    else if (part === "end") this.moveEnd(session, by);
    else this.move(session, by);
  }

  #letGo() {
    if (this.#drag === null) return;
    this.#drag = null;
    this.draw();
  }
}

const box = document.querySelector("[data-timeline]");
if (box) new Timeline(box);
