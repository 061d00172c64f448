"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Draws each chart from the table beside it, which is then folded away; the table is what there is without this.
(() => {
  const figures = document.querySelectorAll("figure[data-chart]");
  if (!window.uPlot || figures.length === 0) return;

  const language = document.documentElement.lang || "en";
  const dayName = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
  const short = new Intl.NumberFormat(language, { notation: "compact" });
  const whole = new Intl.NumberFormat(language);
  const DAY = 86_400;

  const read = (figure) => {
    const names = [...figure.querySelectorAll("thead [data-series]")].map((cell) => cell.textContent.trim());
    const days = [], columns = names.map(() => []);
    for (const row of figure.querySelectorAll("tbody tr")) {
      days.push(Date.parse(`${row.querySelector("[data-day]").dataset.day}T00:00:00Z`) / 1000);
      row.querySelectorAll("[data-value]").forEach((cell, place) => {
        columns[place].push(cell.dataset.value === "" ? null : Number(cell.dataset.value));
      });
    }
    return { names, days, columns };
  };

  // Each series on top of those before it; the topmost is drawn first, so that the others cover it.
  const stacked = (columns) => {
    const sums = [];
    for (const column of columns) {
      const below = sums.at(-1);
      sums.push(column.map((value, place) => (value ?? 0) + (below ? below[place] : 0)));
    }
    return sums;
  };

  const seriesOf = (kind, { names, columns }, colors) => {
    const order = names.map((_, place) => place);
    if (kind === "bars") order.reverse();
    return order.map((place) => ({
      label: names[place],
      color: colors[place % colors.length],
      stroke: colors[place % colors.length],
      width: kind === "bars" ? 0 : 2,
      fill: kind === "bars" ? colors[place % colors.length] : kind === "steps" ? `${colors[place % colors.length]}26` : undefined,
      paths: kind === "bars" ? uPlot.paths.bars({ size: [0.7, 28] })
        : kind === "steps" ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
      points: { show: columns[place].length < 2 },
      value: (_, __, ___, index) => (index == null || columns[place][index] == null ? "—" : whole.format(columns[place][index])),
    }));
  };

  const draw = (figure) => {
    const kind = figure.dataset.chart, data = read(figure), plot = figure.querySelector(".gofa-plot");
    const style = getComputedStyle(figure);
    const colors = figure.dataset.colors.split(" ").map((name) => style.getPropertyValue(name).trim());
    const series = seriesOf(kind, data, colors);
    const ink = style.getPropertyValue("--body-quiet-color").trim();
    const grid = { stroke: style.getPropertyValue("--hairline-color").trim(), width: 1 };
    const columns = kind === "bars" ? stacked(data.columns).reverse() : data.columns;
    const highest = Math.max(1, ...columns.flat()), lowest = Math.min(0, ...columns.flat());
    plot.replaceChildren();
    plot.hidden = false;
    return new uPlot({
      width: plot.clientWidth,
      height: 260,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      padding: [12, 12, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { markers: { width: 0, fill: (_, place) => series[place - 1]?.color } },
      scales: {
        x: { time: true, range: (_, from, to) => [from - DAY / 2, to + DAY / 2] },
        y: { range: [lowest * 1.08, highest * 1.08] },
      },
      axes: [
        { stroke: ink, grid: { show: false }, ticks: grid, space: 56, incrs: [1, 2, 3, 5, 7, 14].map((days) => days * DAY),
          values: (_, places) => places.map((seconds) => dayName.format(seconds * 1000)) },
        { stroke: ink, grid, ticks: { show: false }, size: 56, incrs: [1, 2, 5].flatMap((step) => [...Array(16).keys()].map((power) => step * 10 ** power)).sort((one, other) => one - other),
          values: (_, numbers) => numbers.map((number) => short.format(number)) },
      ],
      series: [
        { label: figure.querySelector("thead th").textContent.trim(), value: (_, seconds) => (seconds == null ? "—" : dayName.format(seconds * 1000)) },
        ...series,
      ],
    }, [data.days, ...columns], plot);
  };

  for (const figure of figures) {
    let chart = draw(figure);
    figure.querySelector("details").open = false;
    const again = () => { chart.destroy(); chart = draw(figure); };
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width > 0 && width !== chart.width) chart.setSize({ width, height: chart.height });
    }).observe(figure.querySelector(".gofa-plot"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }
})();
