// Shows how far an import is, and the page anew when it is over. Without scripts a link shows the page again.
const box = document.querySelector("[data-progress]");
if (box) {
  box.querySelector("[data-reload]").hidden = true;
  watch();
}

async function watch() {
  let missed = 0;
  while (missed < 20) {
    await new Promise((resume) => setTimeout(resume, 700));
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      const now = await answer.json();
      if (!now.isAtWork) {
        location.reload();
        return;
      }
      if (now.total) show(now);
      missed = 0;
    } catch {
      missed += 1; // the server is away for a moment, or somebody has signed out
    }
  }
  box.querySelector("[data-reload]").hidden = false;
}

function show({ done, total }) {
  const bar = box.querySelector("progress");
  bar.max = total;
  bar.value = done;
  box.querySelector("[data-done]").textContent = done;
  box.querySelector("[data-total]").textContent = total;
}
