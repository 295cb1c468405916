// Enhancements of the pages: each works without this script.

// Questions that depend on others of the page: the server has said for each option whether they are
// shown (data-when); nothing is decided here.
function chosen(name) {
  const fields = [...document.getElementsByName(name)];
  return fields.flatMap((field) => {
    if (field.type === "radio" || field.type === "checkbox") {
      return field.checked && !field.closest("fieldset:disabled") ? [field.value] : [];
    }
    return field.tagName === "SELECT" && field.value && !field.closest("fieldset:disabled") ? [field.value] : [];
  });
}

function holds(condition) {
  const values = chosen(condition.field);
  if (values.length === 0) return condition.none;
  const known = (value) => condition.keys.includes(value);
  return condition.all ? values.every(known) : values.some(known);
}

function reveal() {
  // In document order, so that what depends on something hidden is hidden too.
  for (const part of document.querySelectorAll("[data-when]")) {
    const rule = JSON.parse(part.dataset.when);
    const conditions = rule.any && rule.when.length ? rule.when.some(holds) : rule.when.every(holds);
    const shown = conditions && (!rule.above || holds(rule.above));
    part.hidden = !shown;
    part.disabled = !shown;
  }
}

if (document.querySelector("[data-when]")) {
  document.addEventListener("change", reveal);
  window.addEventListener("pageshow", reveal);
  reveal();
}

// Uploads: a chosen file is sent at once, with how far it is; then the form comes back with it.
function upload(input) {
  const form = input.form;
  const place = input.closest("[data-progress]");
  const button = place.querySelector('button[value^="upload:"]');
  const bar = document.createElement("progress");
  const said = document.createElement("p");
  bar.max = 1;
  bar.setAttribute("aria-label", place.dataset.progress);
  said.setAttribute("role", "status");
  said.textContent = `${place.dataset.progress} 0%`;
  place.append(bar, said);
  const request = new XMLHttpRequest();
  const body = new FormData(form, button);
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    const share = event.loaded / event.total;
    bar.value = share;
    said.textContent = `${place.dataset.progress} ${Math.round(share * 100)}%`;
  });
  request.addEventListener("load", () => {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const fresh = page.querySelector("main");
    const old = document.querySelector("main");
    if (!fresh || !fresh.querySelector("form")) {
      window.location.reload();
      return;
    }
    old.replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    fresh.dispatchEvent(new Event("app:fresh", { bubbles: true }));
    watch();
    const summary = fresh.querySelector(".nhsuk-error-summary");
    const next = summary ?? fresh.querySelector(".app-file:last-of-type button");
    if (summary) summary.tabIndex = -1;
    if (next) next.focus();
  });
  request.addEventListener("error", () => {
    bar.remove();
    said.remove();
    button.hidden = false;
    form.requestSubmit(button);
  });
  request.open("POST", form.action);
  request.send(body);
}

function watch() {
  for (const input of document.querySelectorAll("input[data-upload]")) {
    input.addEventListener("change", () => {
      if (input.files.length) upload(input);
    });
    const button = input.closest("[data-progress]").querySelector('button[value^="upload:"]');
    if (button) button.hidden = true;
  }
}

watch();
