/* The preview of a lesson: its film and its subtitles as the player has them, and its sessions to jump to. */

import { Sources, showSubtitles } from "../player/film.js";
import { clockTime } from "../player/parts.js";

const lesson = JSON.parse(document.getElementById("lesson-preview").textContent);
const find = (name) => document.querySelector(`[data-${name}]`);
const video = find("video");
const buttons = [...document.querySelectorAll("[data-session]")];

function showCurrent() {
  lesson.sessions.forEach((session, index) => {
    const isCurrent = session.start <= video.currentTime && video.currentTime < session.end;
    if (isCurrent) buttons[index].setAttribute("aria-current", "step");
    else buttons[index].removeAttribute("aria-current");
  });
}

lesson.sessions.forEach((session, index) => {
  buttons[index].querySelector("[data-span]").textContent = `${clockTime(session.start)}–${clockTime(session.end)}`;
  buttons[index].disabled = false;
  buttons[index].addEventListener("click", () => {
    video.currentTime = session.start;
    video.play();
  });
});
video.addEventListener("timeupdate", showCurrent);
video.addEventListener("seeking", showCurrent);
video.addEventListener("loadedmetadata", () => (find("failure").hidden = true));
find("subtitles")?.addEventListener("change", (event) => showSubtitles(video, event.target.value));
showSubtitles(video, lesson.subtitles ?? "");
if (lesson.videos.length) new Sources(video, lesson.videos, () => (find("failure").hidden = false)).start();
