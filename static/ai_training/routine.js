/* The page of a routine run: overview, then exercise by exercise, with rest between, to the summary.

   What has been done is what the server says of the run. The page tells it by the public API (calls.js), and a reload
   goes on from there. */

import { Calls } from "./calls.js";
import { listenTo, tell } from "./camera.js";
import { Face, fill, find } from "./face.js";
import { Stopwatch } from "./stopwatch.js";

// A pause and a page that goes away tell it at once.
const REPORT_EVERY_MS = 15000;
// A hand that shakes presses twice, and would skip two exercises.
const DEAF_MS = 400;
const ASK_AGAIN_MS = 3000;
const CLOSED = ["completed", "skipped"];
const OVER = ["completed", "abandoned"];

const run = JSON.parse(document.getElementById("routine-run").textContent);
const { steps, words } = run;
const runPath = `/api/ai-training/routine-runs/${run.runId}`;

const face = new Face(steps, words);
const watch = new Stopwatch(onTick);
const restWatch = new Stopwatch(onRestTick);
const calls = new Calls({
  runId: run.runId,
  csrfToken: run.csrfToken,
  sessions: Object.fromEntries(steps.filter((step) => step.session).map((step) => [step.index, step.session.id])),
  onRun: learn,
  onState: showSaving,
  onNotTaken: loseStep,
  onEmpty: settle,
});

let current = null;
let next = null;
let state = "ready";
let count = 0;
let seen = {};
let said = 0;
let isLeaving = false;
let wakeLock = null;

// --- Which step it is ---

const isOpen = (step) => !CLOSED.includes(step.status);

/** The first open one from here on, else the first open one at all. */
function openFrom(index) {
  return steps.find((step) => step.index >= index && isOpen(step)) ?? steps.find(isOpen);
}

function enter(step) {
  current = step;
  seen = {};
  said = 0;
  const before = seenBefore(step);
  count = before.repCount ?? 0;
  watch.set(before.durationSeconds);
  change(isBegun() && !step.guided ? "paused" : "ready");
  face.step(step);
  showFigure();
  face.show("step");
  find("skip").disabled = true;
  setTimeout(() => (find("skip").disabled = false), DEAF_MS);
  place(step);
}

/** What was begun before a reload goes on: as the server knows it, or as this tab does, who has seen more. */
function seenBefore(step) {
  const known = [calls.seen[step.index], step.session, { durationSeconds: 0 }].filter(Boolean);
  return known.reduce((most, each) => (each.durationSeconds > most.durationSeconds ? each : most));
}

/** Where the person is, for whoever looks at the run meanwhile. */
function place(step) {
  calls.add({
    name: "place",
    replaces: true,
    method: "PATCH",
    path: runPath,
    body: { currentStepIndex: step.index, status: "in-progress" },
    step: step.index,
  });
}

function goOn(from, restSeconds) {
  next = openFrom(from.index + 1);
  if (!next) return end();
  if (!restSeconds) return enter(next);
  restWatch.set(0);
  restWatch.start();
  face.rest(from, next);
  face.show("rest");
  face.say(fill(words.restFor, { time: fill(words.seconds, { count: restSeconds }) }));
}

function onRestTick(seconds) {
  face.restTime(current, seconds);
  if (seconds >= current.restSeconds) endRest();
}

function endRest() {
  if (!restWatch.isRunning) return;
  restWatch.stop();
  enter(openFrom(next.index));
}

// --- One exercise ---

const isBegun = () => (current.guided ? state !== "ready" : Boolean(calls.sessions[current.index] ?? isBeginning()));
const isBeginning = () => calls.last({ name: "begin", step: current.index });
const isCounted = () => current.targetReps !== null;
const isReached = () => (isCounted() ? count >= current.targetReps : watch.seconds >= current.targetSeconds);

function change(to) {
  state = to;
  if (state === "running") watch.start();
  else watch.stop();
  face.controls(current, state, { isBegun: isBegun(), isReached: isReached() });
  tell(state, run.runId, current);
  stayAwake(state === "running");
}

function toggle() {
  if (state === "running") {
    change("paused");
    face.say(words.paused);
    return report();
  }
  // What was said of an exercise that could not be recorded has been read by now.
  if (calls.state === "saved") face.saving("");
  if (!current.guided && !isBegun()) begin();
  change("running");
  if (isCounted()) find("tap").focus({ preventScroll: true });
}

/** AI Move, or the person in its place, begins to watch: a session of this step. */
function begin() {
  const step = current.index;
  const { runId, planId, routineInstanceId } = run;
  const metadata = { planId, routineInstanceId, routineRunId: runId, sequenceIndex: step };
  const body = { exerciseId: current.exerciseId, metadata };
  calls.add({ name: "begin", method: "POST", path: "/api/ai-move/sessions", body, step });
  report();
}

/** What was seen so far. */
function report() {
  if (!current || current.guided || !isBegun() || state === "over") return;
  tellSession("seen", "in-progress");
}

function tellSession(name, status) {
  const body = { status, durationSeconds: duration(), ...seen };
  if (isCounted()) Object.assign(body, { repCount: count, targetRepCount: current.targetReps });
  const path = "/api/ai-move/sessions/{session}";
  calls.add({ name, replaces: name === "seen", method: "PATCH", path, body, step: current.index });
}

function duration() {
  const most = isCounted() ? Infinity : current.targetSeconds;
  return Math.round(Math.min(watch.seconds, most) * 10) / 10;
}

function onTick(seconds) {
  if (isCounted()) return;
  face.time(current, seconds);
  const left = current.targetSeconds - seconds;
  if (left <= 0) return finishTime();
  speakUp(seconds, left);
}

/** Twice a minute of silence is long for who cannot see the dial. */
function speakUp(seconds, left) {
  if (said === 0 && current.targetSeconds >= 40 && seconds >= current.targetSeconds / 2) {
    said = 1;
    face.say(words.halfWay);
  } else if (said < 2 && current.targetSeconds > 20 && left <= 10) {
    said = 2;
    face.say(words.tenLeft);
  }
}

function finishTime() {
  change("paused");
  face.say(words.timeUp);
  navigator.vibrate?.(200);
  report();
  find("done").focus({ preventScroll: true });
}

function setCount(value) {
  const wasReached = isReached();
  count = Math.max(0, value);
  showFigure();
  face.say(fill(words.repsDone, { count, target: current.targetReps }));
  if (isReached() === wasReached) return;
  face.controls(current, state, { isBegun: true, isReached: isReached() });
  if (isReached()) face.say(words.reached);
}

function showFigure() {
  if (isCounted()) face.count(current, count);
  else face.time(current, watch.seconds);
}

function onSeen(figures, isDone) {
  if (!current || state !== "running" || current.guided) return;
  seen = { ...seen, ...figures };
  if (isCounted() && figures.repCount !== undefined) setCount(figures.repCount);
  if (isDone) done();
}

function done() {
  if (state === "over" || !isBegun()) return;
  const sync = { sequenceIndex: current.index };
  watch.stop();
  if (current.guided) sync.guidedComplete = true;
  else {
    tellSession("finish", "completed");
    sync.aiMoveSessionId = "{session}";
  }
  close("completed", sync, current.restSeconds);
}

function skip() {
  if (state === "over") return;
  watch.stop();
  if (!current.guided && isBegun()) tellSession("finish", "abandoned");
  close("skipped", { sequenceIndex: current.index, skipped: true }, 0);
}

function close(status, body, restSeconds) {
  const step = current;
  change("over");
  calls.add({ name: "sync", method: "POST", path: `${runPath}/sync`, body, step: step.index, means: status });
  step.status = status;
  step.session = null;
  face.mark(step);
  goOn(step, restSeconds);
}

// --- What the server says ---

/** The server's word counts, but for what it has not been told yet. */
function learn(told) {
  run.status = told.status;
  for (const { sequenceIndex, status } of told.exerciseSteps) {
    const waits = calls.last({ name: "sync", step: sequenceIndex });
    steps[sequenceIndex].status = waits ? waits.means : status;
    face.mark(steps[sequenceIndex]);
  }
}

/** Nothing waits any more: a run that is over has its summary, and what was thought to be done and is not is left. */
async function settle() {
  if (OVER.includes(run.status)) return leave();
  if (find("routine").dataset.stage !== "end") return;
  await ask();
  if (OVER.includes(run.status)) return leave();
  const open = openFrom(0);
  if (open && find("routine").dataset.stage === "end") enter(open);
}

/** What the server was told of this step it will never take: how does it see the run? */
async function loseStep(index) {
  face.saving(words.notTaken);
  await ask();
  if (OVER.includes(run.status)) return leave();
  if (current?.index === index && isOpen(current) && state !== "ready") {
    current.session = null;
    enter(current);
  }
}

/** The whole run, however long it takes to get it. */
async function ask() {
  for (;;) {
    try {
      const response = await fetch(runPath);
      if (response.ok) return learn((await response.json()).routineRun);
      if (response.status < 500 && response.status !== 429) return showSaving("refused");
    } catch {
      face.ending(words.notSaved);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

function showSaving(to) {
  face.saving({ waiting: words.offline, refused: words.refused }[to] ?? "");
  face.ending({ waiting: words.notSaved, refused: words.refused }[to] ?? words.saving);
}

// --- The end ---

function end() {
  stayAwake(false);
  face.ending(calls.state === "saved" ? words.saving : words.notSaved);
  face.show("end");
}

/** The person gives up, having been asked. */
function giveUp() {
  find("leaving").close();
  restWatch.stop();
  if (current && state !== "over") {
    watch.stop();
    if (!current.guided && isBegun()) tellSession("finish", "abandoned");
    change("over");
  }
  calls.add({ name: "give-up", method: "PATCH", path: runPath, body: { status: "abandoned" }, step: "run" });
  end();
}

function askToLeave() {
  if (state === "running") toggle();
  restWatch.stop();
  find("leaving").showModal();
}

/** Whether by its button, by Escape or by the back of a phone: the dialog is gone, and the rest goes on. */
function onStay() {
  if (find("routine").dataset.stage === "rest") restWatch.start();
}

/** The same address has the summary now. */
function leave() {
  if (isLeaving) return;
  isLeaving = true;
  calls.forget();
  location.reload();
}

/** A phone that goes dark in the middle of an exercise is of no help; one that cannot promise it is forgiven. */
async function stayAwake(isWanted) {
  try {
    if (isWanted) wakeLock ??= await navigator.wakeLock?.request("screen");
    else {
      wakeLock?.release();
      wakeLock = null;
    }
  } catch {
    wakeLock = null;
  }
}

// --- What the person does ---

function listen() {
  const acts = {
    begin: () => enter(openFrom(run.currentStepIndex)),
    toggle,
    tap: () => setCount(count + 1),
    less: () => setCount(count - 1),
    done,
    skip,
    "skip-rest": endRest,
    leave: askToLeave,
    stay: () => find("leaving").close(),
    "give-up": giveUp,
  };
  for (const [name, act] of Object.entries(acts)) find(name).addEventListener("click", act);
  find("leaving").addEventListener("close", onStay);
  document.addEventListener("keydown", (event) => {
    const isElsewhere = find("step").hidden || find("toggle").hidden || event.target.closest("button, a, dialog");
    if (event.code !== "Space" || event.repeat || isElsewhere) return;
    event.preventDefault();
    toggle();
  });
  document.addEventListener("visibilitychange", () => {
    // The browser lets go of the lock when the page is out of sight.
    if (document.hidden) wakeLock = null;
    else stayAwake(state === "running");
  });
  addEventListener("pagehide", report);
  setInterval(() => state === "running" && report(), REPORT_EVERY_MS);
  listenTo(onSeen);
}

function start() {
  for (const step of steps) {
    step.status = calls.last({ name: "sync", step: step.index })?.means ?? step.status;
    face.mark(step);
  }
  listen();
  const first = openFrom(run.currentStepIndex);
  const isNew = run.status === "created" && !calls.waiting.length;
  if (first) face.begin(isNew ? words.begin : fill(words.goOn, { number: first.index + 1 }));
  else end();
  calls.work();
}

start();
