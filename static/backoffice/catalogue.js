"use strict";
// Selecting among the cards, as Django does it among rows. Without scripts the boxes and the button still do.
const everything = document.querySelector(".catalogue-all");
const boxes = [...document.querySelectorAll(".catalogue .action-select")];
if (everything && boxes.length > 0) {
  const toggle = everything.querySelector("input");
  const counter = document.querySelector(".action-counter");
  const across = document.querySelector("input.select-across");
  const [question, all, clear] = ["question", "all", "clear"].map((name) => document.querySelector(`.actions .${name}`));
  const show = (element, shown) => element?.classList.toggle("hidden", !shown);
  const count = () => {
    const number = boxes.filter((box) => box.checked).length;
    const isAcross = across?.value === "1";
    counter.textContent = interpolate(
      ngettext("%(sel)s of %(cnt)s selected", "%(sel)s of %(cnt)s selected", number),
      { sel: number, cnt: boxes.length },
      true,
    );
    toggle.checked = number === boxes.length;
    toggle.indeterminate = number > 0 && !toggle.checked;
    show(counter, !isAcross);
    show(all, isAcross);
    show(question, toggle.checked && !isAcross);
    show(clear, isAcross);
  };
  const reach = (further) => {
    if (across) across.value = further ? "1" : "0";
    count();
  };
  everything.hidden = false;
  toggle.addEventListener("change", () => {
    for (const box of boxes) box.checked = toggle.checked;
    reach(false);
  });
  for (const box of boxes) box.addEventListener("change", () => reach(false));
  question?.querySelector("a").addEventListener("click", (event) => {
    event.preventDefault();
    reach(true);
  });
  clear?.querySelector("a").addEventListener("click", (event) => {
    event.preventDefault();
    for (const box of boxes) box.checked = false;
    reach(false);
  });
  addEventListener("pageshow", count);
}
