/* Who watches the person? A camera module that is loaded beside this page talks with it by events on `document`.

   The page says what is going on:

     gofa:exercise  detail {state, routineRunId, sequenceIndex, exerciseId, targetReps, targetSeconds}
                    state is "ready", "running", "paused" or "over"; targetReps or targetSeconds is null

   The module says what it saw, as often as it likes, while the state is "running":

     gofa:seen      detail {repCount, poseSimilarity, engagementLevel, caloriesBurned, isDone}, each of them optional
                    repCount and caloriesBurned are totals since the exercise began, the others shares from 0 to 1;
                    isDone: true finishes the exercise as the person's own "Done" does

   Without a module the person counts. What is out of range, or said of no running exercise, is not listened to. */

const MOST_REPS = 1000000;
const MOST_CALORIES = 100000;

const FIGURES = {
  repCount: (value) => Number.isInteger(value) && value >= 0 && value <= MOST_REPS,
  poseSimilarity: isShare,
  engagementLevel: isShare,
  caloriesBurned: (value) => Number.isFinite(value) && value >= 0 && value <= MOST_CALORIES,
};

function isShare(value) {
  return Number.isFinite(value) && value >= 0 && value <= 1;
}

/** Tell the module what is going on. */
export function tell(state, runId, step) {
  const { index, exerciseId, targetReps, targetSeconds } = step;
  const detail = { state, routineRunId: runId, sequenceIndex: index, exerciseId, targetReps, targetSeconds };
  document.dispatchEvent(new CustomEvent("gofa:exercise", { detail }));
}

/** `onSeen(figures, isDone)` hears the good figures of each report. */
export function listenTo(onSeen) {
  document.addEventListener("gofa:seen", (event) => {
    const said = event.detail ?? {};
    const good = Object.entries(FIGURES).filter(([name, isGood]) => isGood(said[name]));
    onSeen(Object.fromEntries(good.map(([name]) => [name, said[name]])), said.isDone === true);
  });
}
