"use strict";
for (const one of document.querySelectorAll(".js")) one.hidden = false;
const boxes = [...document.querySelectorAll("fieldset input")];
function filter() {
  const shown = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  for (const test of document.querySelectorAll("details.test")) {
    test.hidden = !shown.has(test.dataset.outcome);
  }
}
for (const box of boxes) box.addEventListener("change", filter);
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("pre.curl").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("pre.curl"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected: copy it";
    }
  });
}
function reveal() {
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted && wanted.tagName === "DETAILS") {
    wanted.hidden = false;
    wanted.open = true;
    wanted.scrollIntoView();
  }
}
addEventListener("hashchange", reveal);
reveal();
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details.test:not([open]), details.part:not([open])")];
  for (const one of closed) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of closed) one.open = false;
});
