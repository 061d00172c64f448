/* The page of a lesson play: joins the film, the lesson's parts, what the person says of them, and the reports. */

import { Asks } from "./asks.js";
import { Clock, Sources, showSubtitles } from "./film.js";
import { Parts, clockTime } from "./parts.js";
import { Kept, Reports } from "./reports.js";

const REPORT_EVERY_MS = 10000;
const RETRY_FINISH_MS = 5000;
// Longer than any pause between two time updates, shorter than a computer asleep.
const LONGEST_TICK_SECONDS = 5;
const SLOWEST = 0.0625;
const FASTEST = 16;
// How far an arrow key moves.
const STEP_SECONDS = 5;
// Past the end of a part, so that rounding never lands inside it again.
const BEYOND_SECONDS = 0.02;

const play = JSON.parse(document.getElementById("lesson-play").textContent);
const words = play.words;
const find = (name) => document.querySelector(`[data-${name}]`);

const kept = new Kept(play.id);
const video = find("video");
const parts = new Parts(play.parts, words);
const asks = new Asks(kept);
const sources = new Sources(video, play.videos, fail);
const reports = new Reports({
  url: play.progressUrl,
  csrfToken: play.csrfToken,
  kept,
  figures: () => ({ activityTime: Math.round(activity * 10) / 10, playbackSpeed: speed }),
  onState: showSaving,
});

let film = video;
let activity = Math.max(play.activityTime, kept.values.activityTime ?? 0);
let speed = kept.values.speed ?? play.playbackSpeed;
let current = null;
let hasJumped = true;
let isMoving = false;
let isOver = false;
let isPlayedOut = false;
let isLeaving = false;
let movedAt = 0;

// --- The film ---

function watch(media) {
  media.addEventListener("timeupdate", onTime);
  media.addEventListener("seeking", () => (hasJumped = true));
  media.addEventListener("playing", () => move(true));
  media.addEventListener("waiting", () => move(false));
  media.addEventListener("play", () => showPlaying(true));
  media.addEventListener("pause", onPause);
  media.addEventListener("ended", end);
  media.addEventListener("durationchange", lengthChanged);
  media.addEventListener("loadedmetadata", () => {
    find("failure").hidden = true;
    setRate();
    seek(position());
    // A film that broke down on its way goes on from its next address.
    if (film.paused && find("player").dataset.state === "playing") start();
  });
}

/** A play may wish for a speed that no browser has. */
function setRate() {
  film.playbackRate = video.defaultPlaybackRate = Math.min(Math.max(speed, SLOWEST), FASTEST);
}

function lengthChanged() {
  parts.setDuration(length());
  find("seek").max = length();
}

function length() {
  return Number.isFinite(film.duration) && film.duration > 0 ? film.duration : play.duration;
}

/** Where to begin: where this tab was, else after what the server has been told of. */
function position() {
  const remembered = kept.values.position ?? parts.firstOpen()?.start ?? 0;
  return remembered < length() - 0.5 ? remembered : 0;
}

function seek(seconds) {
  hasJumped = true;
  film.currentTime = Math.min(Math.max(seconds, 0), length());
  showTime(film.currentTime);
}

async function start() {
  find("start").hidden = true;
  keepFocus();
  try {
    await film.play();
  } catch (problem) {
    // A film that cannot be played says so itself, by its error event.
    if (problem.name === "NotAllowedError") showStart();
  }
}

/** The button that was pressed may be gone by now; whoever uses the keyboard goes on from here. */
function keepFocus() {
  const focused = document.activeElement;
  if (focused === document.body || !focused.checkVisibility()) find("toggle").focus({ preventScroll: true });
}

function fail() {
  move(false);
  showPlaying(false);
  find("start").hidden = true;
  find("failure-words").textContent = play.videos.length ? words.videoBroken : words.videoMissing;
  find("retry").hidden = play.videos.length === 0;
  find("failure").hidden = false;
}

function retry() {
  find("failure").hidden = true;
  showStart();
  sources.start();
}

/** Go through the lesson without pictures. */
function useClock() {
  const from = position();
  film = new Clock(play.duration);
  setRate();
  watch(film);
  lengthChanged();
  video.hidden = true;
  find("failure").hidden = true;
  find("clock").hidden = false;
  seek(from);
  start();
}

// --- The time ---

function move(moves) {
  count();
  isMoving = moves;
  movedAt = performance.now();
  find("loading").hidden = moves || film.paused;
}

/** Time counts while the film moves, at whatever speed. */
function count() {
  const now = performance.now();
  if (isMoving) activity += Math.min((now - movedAt) / 1000, LONGEST_TICK_SECONDS);
  movedAt = now;
}

function onTime() {
  if (isOver) return;
  count();
  const time = film.currentTime;
  const part = parts.at(time);
  if (part && !film.paused && parts.isToSkip(part, play.skipStages)) return skip(part);
  if (part !== current) enter(part);
  hasJumped = false;
  showTime(time);
  kept.set({ position: time, activityTime: activity });
}

function enter(part) {
  if (current && !hasJumped) leave(current);
  current = part;
  parts.show(part);
  asks.show(part);
  showNow(part);
}

/** A part was gone through to its end. */
function leave(part) {
  parts.mark(part, "done");
  reports.note(part.index, { skipped: false, ...asks.fields(part) });
  reports.send();
}

function skip(part) {
  parts.mark(part, "skipped");
  reports.note(part.index, { skipped: true });
  const target = part.end + BEYOND_SECONDS;
  if (target >= length() - 0.1) return end();
  seek(target);
  enter(parts.at(target));
  reports.send();
}

function go(part) {
  part.isWanted = true;
  if (isOver) return;
  seek(part.start);
  start();
}

function onPause() {
  move(false);
  showPlaying(false);
  if (!isOver) reports.send();
}

// --- The end ---

/** Nothing more to watch. What the person can still say is asked for; with nothing to ask, the lesson is finished. */
function end() {
  if (isOver) return;
  isPlayedOut = true;
  enter(null);
  find("closing-title").textContent = words.wellDone;
  if (close(parts.gone())) find("closing-title").focus();
  else finish();
}

/** The person wants to stop here: never without being asked. */
function stop() {
  if (isOver) return;
  close(current ? [...parts.gone(), current] : parts.gone());
  find("resume").hidden = false;
  find("closing-title").textContent = words.stopHere;
  find("closing-title").focus();
}

/** Show the closing words and what is still asked about these parts; whether there is something to ask. */
function close(asked) {
  isOver = true;
  move(false);
  film.pause();
  kept.set({ activityTime: activity });
  find("start").hidden = find("failure").hidden = true;
  find("player").dataset.state = "over";
  if (document.fullscreenElement) document.exitFullscreen();
  const hasQuestions = asks.showOpen(asked);
  find("closing-lead").hidden = !hasQuestions;
  return hasQuestions;
}

function resume() {
  isOver = false;
  find("resume").hidden = true;
  asks.show(current);
  find("player").dataset.state = "paused";
  if (film === video && video.error) fail();
  else start();
}

async function finish() {
  const button = find("finish");
  if (button.disabled || !isOver) return;
  for (const part of play.parts) {
    const fields = asks.fields(part);
    if (fields) reports.note(part.index, fields);
  }
  button.disabled = true;
  find("closing-status").textContent = words.saving;
  if (await reports.send({ completed: true })) return goOn();
  button.disabled = false;
  find("closing-status").textContent = reports.state === "refused" ? words.refused : words.notSaved;
  if (reports.state === "waiting") setTimeout(finish, RETRY_FINISH_MS);
}

/** The server has it: to the result, or to where the play was to end. */
function goOn() {
  isLeaving = true;
  kept.clear();
  location.replace(play.finishUrl);
}

// --- What is seen ---

function showStart() {
  const from = position();
  find("start-words").textContent = from > 1 ? words.continueAt.replace("{time}", clockTime(from)) : words.start;
  find("start").hidden = false;
}

function showPlaying(isPlaying) {
  if (isOver) return;
  find("player").dataset.state = isPlaying ? "playing" : "paused";
  if (isPlaying) find("start").hidden = true;
  find("toggle-words").textContent = isPlaying ? words.pause : words.play;
}

function showTime(time) {
  const bar = find("seek");
  bar.value = time;
  const part = parts.at(time);
  bar.setAttribute("aria-valuetext", [clockTime(time), part?.title].filter(Boolean).join(", "));
  find("time").textContent = `${clockTime(time)} / ${clockTime(length())}`;
  find("clock").textContent = clockTime(time);
  parts.fill(time);
}

function showNow(part) {
  find("now-title").textContent = part?.title ?? play.title;
  find("now-place").textContent = part
    ? words.partOf.replace("{number}", part.index + 1).replace("{count}", play.parts.length)
    : "";
  const next = part && play.parts[part.index + 1];
  find("now-next").textContent = next ? words.next.replace("{title}", next.title) : "";
  find("skip").hidden = !part;
  find("skip-words").textContent = words.skip[part?.stage] ?? words.skip.main;
}

function showSaving(state) {
  find("saving").textContent = { waiting: words.offline, refused: words.refused }[state] ?? "";
}

// --- What the person does ---

function toggle() {
  if (film.paused) start();
  else film.pause();
}

function listen() {
  find("start").addEventListener("click", start);
  find("toggle").addEventListener("click", toggle);
  find("retry").addEventListener("click", retry);
  find("without").addEventListener("click", useClock);
  find("skip").addEventListener("click", () => current && skip(current));
  find("stop").addEventListener("click", stop);
  find("resume").addEventListener("click", resume);
  find("finish").addEventListener("click", finish);
  find("seek").addEventListener("input", (event) => seek(Number(event.target.value)));
  find("seek").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    seek(film.currentTime + step * STEP_SECONDS);
  });
  find("speed").addEventListener("change", (event) => {
    speed = Number(event.target.value);
    setRate();
    kept.set({ speed });
  });
  find("subtitles")?.addEventListener("change", (event) => {
    kept.set({ subtitles: event.target.value });
    showSubtitles(video, event.target.value);
  });
  find("fullscreen").addEventListener("click", toggleFullscreen);
  video.addEventListener("click", toggle);
  parts.onChoice(go);
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Space" || isOver || event.target.closest("button, a, select, input:not([type=range])")) return;
    event.preventDefault();
    toggle();
  });
  setInterval(() => isMoving && reports.send(), REPORT_EVERY_MS);
  addEventListener("pagehide", () => {
    count();
    if (!isLeaving) reports.leave({ completed: isPlayedOut });
  });
}

function toggleFullscreen() {
  const box = find("film");
  if (document.fullscreenElement) document.exitFullscreen();
  else if (box.requestFullscreen) box.requestFullscreen();
  // A phone that lets only the video itself fill the screen.
  else video.webkitEnterFullscreen?.();
}

function choose(select, value) {
  if (!select) return;
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function begin() {
  find("speed").value = String(speed);
  if (find("speed").selectedIndex < 0) find("speed").add(new Option(`${speed}×`, speed, true, true), 0);
  setRate();
  choose(find("subtitles"), kept.values.subtitles ?? play.subtitles);
  watch(video);
  listen();
  lengthChanged();
  showTime(position());
  enter(parts.at(position()));
  showStart();
  if (play.videos.length) {
    showSubtitles(video, find("subtitles")?.value ?? "");
    sources.start();
  } else {
    fail();
  }
}

begin();
